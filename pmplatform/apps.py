from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, pre_migrate

from pmplatform.celery import app as celery_app
from pmplatform.invariants.view import view_create, view_drop


class PlatformConfig(AppConfig):
    """The composition of the apps; it has commands and pages but no models of its own."""

    name = "pmplatform"
    verbose_name = "Platform"
    # Every process that loads Django thereby binds the apps' shared tasks to our broker.
    celery_app = celery_app

    def ready(self) -> None:
        # Django signals migrations by app, in the order of their installation; once is enough.
        last = apps.get_app_config("liquidation")
        pre_migrate.connect(view_drop, sender=last, dispatch_uid="invariants")
        post_migrate.connect(view_create, sender=last, dispatch_uid="invariants")
