from django.apps import AppConfig

from pmplatform.celery import app as celery_app


class PlatformConfig(AppConfig):
    """The composition of the apps; it has commands and pages but no models of its own."""

    name = "pmplatform"
    verbose_name = "Platform"
    # Every process that loads Django thereby binds the apps' shared tasks to our broker.
    celery_app = celery_app
