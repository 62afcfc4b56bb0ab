from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate

from pmplatform.console.roles import roles_apply


class ConsoleAdminConfig(admin_apps.AdminConfig):
    """Django's admin, on the console's own site."""

    default = False
    default_site = "pmplatform.console.site.ConsoleSite"


class ConsoleConfig(AppConfig):
    """The pages that show several apps at once, who may enter, and what each role may do."""

    name = "pmplatform.console"
    label = "console"
    verbose_name = "Console"
    default = True

    def ready(self) -> None:
        # Once for each app, when its permissions can be made: a role gains a new model's at its migration.
        post_migrate.connect(_grant, dispatch_uid="console-roles")


def _grant(app_config: AppConfig, using: str, **_: Any) -> None:
    roles_apply(app_config=app_config, using=using)
