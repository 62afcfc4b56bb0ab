"""People of the platform's staff, by their roles."""

from typing import Any, Final

from django.contrib.auth.models import Group

from accounts.services.tenants import user_create
from pmplatform.common.principals import Actor
from pmplatform.console.roles import Role

PASSWORD: Final = "correct horse battery"
ACTOR: Final = Actor(name="test", request_id="test")


def person(name: str, *roles: Role, is_superuser: bool = False) -> Any:
    """Somebody with these roles, made known as an administrator would."""
    user = user_create(username=name, password=PASSWORD, tenant=None, is_superuser=is_superuser, actor=ACTOR)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user
