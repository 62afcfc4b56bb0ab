"""API tokens: made, shown once, revoked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.db import transaction

from accounts.models import ApiToken, Tenant
from accounts.services.changes import faults_refuse
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import FieldError, NotFound, ValidationFailed
from pmplatform.common.principals import Actor
from pmplatform.common.tokens import Scope, token_generate

MAX_DAYS = 3_660
_USE_RECORDED_EVERY = timedelta(minutes=1)
_TENANT_SCOPES = frozenset({Scope.READ, Scope.TRADE})


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A stored token and, this once, its text."""

    row: ApiToken
    text: str


@transaction.atomic
def token_create(
    *,
    tenant: Tenant | None,
    scopes: frozenset[Scope],
    days: int,
    networks: Iterable[str] = (),
    name: str = "",
    issuer: frozenset[Scope] = frozenset(Scope),
    actor: Actor,
    now: datetime,
) -> IssuedToken:
    """Issue a token for a tenant, or for the platform; a tenant's may carry ``read`` and ``trade`` only.

    ``issuer`` are the scopes of who asks: nobody hands out more than that.

    Raises
    ------
    ValidationFailed
    """
    blocks = list(networks)
    faults_refuse(_faults(tenant, scopes, issuer, days, blocks))
    parts = token_generate()
    row = ApiToken.objects.create(
        public_id=parts.public_id,
        digest=parts.digest,
        name=name,
        tenant=tenant,
        scopes=sorted(scopes),
        networks=[str(ip_network(block)) for block in blocks],
        expires_at=now + timedelta(days=days),
        created_by=actor.name,
        created_at=now,
    )
    _audit(row, "token.create", actor)
    return IssuedToken(row=row, text=parts.text)


@transaction.atomic
def token_revoke(*, public_id: str, tenant_id: int | None = None, actor: Actor) -> ApiToken:
    """Disable a token for good; ``tenant_id`` limits it to that tenant's. NotFound when there is none."""
    tokens = ApiToken.objects.select_for_update().filter(public_id=public_id)
    row = (tokens if tenant_id is None else tokens.filter(tenant=tenant_id)).first()
    if row is None:
        raise NotFound(f"There is no token {public_id}.")
    if row.enabled:
        row.enabled = False
        row.save(update_fields=["enabled"])
        _audit(row, "token.revoke", actor)
    return row


def token_use_record(*, token: ApiToken, digest: str, now: datetime) -> None:
    """Remember when a token was last used, to the minute, so that reads rarely write.

    ``digest`` is that of its text under the pepper of today: a token that was made under the one before
    is kept under the new one from its first use on.
    """
    last = token.last_used_at
    if last is None or last <= now - _USE_RECORDED_EVERY or token.digest != digest:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now, digest=digest)


def _faults(
    tenant: Tenant | None,
    scopes: frozenset[Scope],
    issuer: frozenset[Scope],
    days: int,
    networks: list[str],
) -> Iterable[FieldError]:
    if not scopes:
        yield FieldError("scopes", "is empty")
    if tenant is not None and (platform_only := scopes - _TENANT_SCOPES):
        yield FieldError("scopes", f"a tenant's token cannot have {', '.join(sorted(platform_only))}")
    if beyond := scopes - issuer:
        yield FieldError("scopes", f"you do not have {', '.join(sorted(beyond))} yourself")
    if not 1 <= days <= MAX_DAYS:
        yield FieldError("days", f"is not within 1 and {MAX_DAYS}")
    for index, network in enumerate(networks):
        try:
            ip_network(network)
        except ValueError as error:
            yield FieldError(f"networks[{index}]", str(error))


def _audit(row: ApiToken, action: str, actor: Actor) -> None:
    audit_append(
        actor=actor,
        action=action,
        object_type="token",
        object_id=row.public_id,
        tenant_id=row.tenant_id,
        after={"scopes": row.scopes, "networks": row.networks, "enabled": row.enabled},
    )


def scopes_parse(names: Iterable[str]) -> frozenset[Scope]:
    """Read scopes by name; ValidationFailed at the first that is unknown."""
    scopes = set()
    for index, name in enumerate(names):
        try:
            scopes.add(Scope(name))
        except ValueError:
            known = ", ".join(Scope)
            raise ValidationFailed.at(f"scopes[{index}]", f"{name} is none of {known}") from None
    return frozenset(scopes)
