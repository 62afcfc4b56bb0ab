"""Tenants, people, and who may act where."""

from django.contrib.auth.models import Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from accounts.models import Tenant, TenantGrant, User
from accounts.services.changes import faults_refuse
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import Conflict, FieldError, ValidationFailed
from pmplatform.common.principals import Actor
from pmplatform.common.tokens import Scope


@transaction.atomic
def tenant_create(*, slug: str, name: str, actor: Actor) -> Tenant:
    """Found a tenant; Conflict when the slug is taken."""
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise ValidationFailed.at("slug", error.messages[0]) from None
    if len(slug) > 63:
        raise ValidationFailed.at("slug", "is longer than 63 characters")
    if Tenant.objects.filter(slug=slug).exists():
        raise Conflict(f"There is a tenant {slug}.")
    tenant = Tenant.objects.create(slug=slug, name=name or slug)
    after = {"slug": slug, "name": tenant.name}
    audit_append(
        actor=actor,
        action="tenant.create",
        object_type="tenant",
        object_id=tenant.pk,
        tenant_id=tenant.pk,
        after=after,
    )
    return tenant


@transaction.atomic
def user_create(
    *,
    username: str,
    password: str,
    tenant: Tenant | None,
    scopes: frozenset[Scope] = frozenset(),
    is_superuser: bool = False,
    actor: Actor,
) -> User:
    """Make a person known. Platform staff (no tenant) may enter the console; ``read`` needs no scope here.

    Raises
    ------
    ValidationFailed, Conflict
    """
    user = User(username=username, tenant=tenant, is_superuser=is_superuser, is_staff=tenant is None)
    _user_check(user, password)
    user.set_password(password)
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"scope_{scope}" for scope in scopes]))
    audit_append(
        actor=actor,
        action="user.create",
        object_type="user",
        object_id=user.pk,
        tenant_id=user.tenant_id,
        after={"username": username, "scopes": sorted(scopes), "is_superuser": is_superuser},
    )
    return user


@transaction.atomic
def tenant_grant(*, user: User, tenant: Tenant, granted_by: User, reason: str, actor: Actor) -> TenantGrant:
    """Let a member of the platform staff act inside a tenant."""
    if user.tenant_id is not None:
        raise ValidationFailed.at("user", "belongs to a tenant; only platform staff are granted others")
    if not reason.strip():
        raise ValidationFailed.at("reason", "is missing")
    grant, is_new = TenantGrant.objects.get_or_create(
        user=user, tenant=tenant, defaults={"granted_by": granted_by, "reason": reason}
    )
    if is_new:
        audit_append(
            actor=actor,
            action="tenant.grant",
            object_type="user",
            object_id=user.pk,
            tenant_id=tenant.pk,
            reason=reason,
        )
    return grant


def _user_check(user: User, password: str) -> None:
    if User.objects.filter(username=user.username).exists():
        raise Conflict(f"There is a user {user.username}.")
    if user.tenant_id is not None and user.is_superuser:
        raise ValidationFailed.at("is_superuser", "is for the platform's staff")
    try:
        user.username_validator(user.username)
        validate_password(password, user)
    except ValidationError as error:
        path = "password" if error.error_list[0].code != "invalid" else "username"
        faults_refuse(FieldError(path, message) for message in error.messages)
