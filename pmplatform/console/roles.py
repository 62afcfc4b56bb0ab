"""What each role of the console may do. A role is a group; a person may have several.

Nobody who may act on accounts may also change parameters by the same role, and whoever makes people
known has no other power. That a parameter version is never approved by its proposer is the database's
to hold, whatever roles somebody has.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.apps import AppConfig, apps
from django.contrib.auth.management import create_permissions


class Role(StrEnum):
    VIEWER = "viewer"
    RISK_OFFICER = "risk officer"
    PARAMETER_PROPOSER = "parameter proposer"
    PARAMETER_APPROVER = "parameter approver"
    ADMINISTRATOR = "administrator"


#: Models of the platform that only an administrator looks at: who there is, and with what they come in.
PEOPLE: Final = frozenset({"user", "tenantgrant", "apitoken", "webhook"})
#: Apps whose other models every role may look at.
_SHOWN: Final = frozenset({"common", "accounts", "margin", "liquidation"})
_PARAMETERS: Final = "scope_parameters"

#: Beyond looking: permissions by role, as `app.codename`.
POWERS: Final[Mapping[Role, frozenset[str]]] = {
    Role.VIEWER: frozenset(),
    Role.RISK_OFFICER: frozenset(
        {"accounts.scope_liquidation", "accounts.scope_risk", "liquidation.operate_liquidation"}
    ),
    Role.PARAMETER_PROPOSER: frozenset({f"accounts.{_PARAMETERS}", "margin.propose_parameterversion"}),
    Role.PARAMETER_APPROVER: frozenset({f"accounts.{_PARAMETERS}", "margin.approve_parameterversion"}),
    Role.ADMINISTRATOR: frozenset(
        {
            "auth.view_group",
            *(f"accounts.{verb}_{model}" for verb in ("add", "change") for model in ("tenant", "user")),
            *(f"accounts.{verb}_tenantgrant" for verb in ("add", "change", "delete")),
            "accounts.change_apitoken",
            *(f"accounts.view_{model}" for model in sorted(PEOPLE)),
            "otp_totp.view_totpdevice",
            "otp_totp.delete_totpdevice",
        }
    ),
}


def roles_apply(*, app_config: AppConfig, using: str) -> None:
    """Give every role what it may do with the models of one app; what was given before stays.

    It runs after each migration, so that there is no moment at which a role lacks what it is for.
    """
    create_permissions(app_config, verbosity=0, using=using)
    # An AppConfig's module is imported before any model can be.
    permission_model, group_model = apps.get_model("auth", "Permission"), apps.get_model("auth", "Group")
    permissions = permission_model.objects.using(using).filter(content_type__app_label=app_config.label)
    found = {permission.codename: permission for permission in permissions}
    for role, powers in POWERS.items():
        names = {power.partition(".")[2] for power in powers if power.startswith(f"{app_config.label}.")}
        if app_config.label in _SHOWN:
            names |= {name for name in found if _is_shown(name)}
        if chosen := [found[name] for name in names & found.keys()]:
            group_model.objects.using(using).get_or_create(name=role)[0].permissions.add(*chosen)


def _is_shown(codename: str) -> bool:
    verb, _, model = codename.partition("_")
    return verb == "view" and model not in PEOPLE
