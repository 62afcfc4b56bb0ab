"""From credentials to a principal: bearer tokens for programs, sessions for the console."""

from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import selectors
from accounts.models import ApiToken, User
from accounts.second_factor import second_factor_missing
from accounts.services.tokens import token_use_record
from pmplatform.common.errors import NotPermitted
from pmplatform.common.principals import Principal
from pmplatform.common.tokens import Scope, TokenParts, token_parse

_KEYWORD = "bearer"
# One text for every cause, so that a guesser learns nothing.
_REFUSAL = "The credentials are not valid."


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer pm_<id>.<secret>``: enabled, not expired, and used from one of its networks."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Principal] | None:
        keyword, _, text = request.headers.get("Authorization", "").partition(" ")
        if keyword.lower() != _KEYWORD:
            return None
        now = timezone.now()
        parts = token_parse(text.strip())
        token = _genuine(parts) if parts else None
        if parts is None or token is None or not _is_usable(token, request.META.get("REMOTE_ADDR", ""), now):
            raise AuthenticationFailed(_REFUSAL)
        token_use_record(token=token, digest=parts.digest, now=now)
        return AnonymousUser(), token_principal(token)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The console's session, with CSRF protection; one that lacks a second factor it needs is nobody's."""

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        credentials = super().authenticate(request)
        if credentials is None or not isinstance(credentials[0], User):
            return None
        if second_factor_missing(credentials[0]):
            return None
        return credentials[0], user_principal(credentials[0])


class TokenScheme(OpenApiAuthenticationExtension):
    """Describes the token in the API's schema; found by being defined."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": _KEYWORD, "bearerFormat": "pm_<id>.<secret>"}


class SessionScheme(OpenApiAuthenticationExtension):
    """Describes the session in the API's schema; found by being defined."""

    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


def token_principal(token: ApiToken) -> Principal:
    """A platform token writes in any tenant, as far as its scopes go; whoever issued it meant it to."""
    return Principal(
        name=f"token:{token.public_id}",
        tenant_id=token.tenant_id,
        scopes=frozenset(map(Scope, token.scopes)),
        writable_tenants=None if token.tenant_id is None else frozenset({token.tenant_id}),
    )


def user_principal(user: User) -> Principal:
    """Everybody reads; other scopes are permissions. Platform staff write only where they have a grant."""
    granted = {scope for scope in Scope if user.has_perm(f"accounts.scope_{scope}")}
    tenant_ids = selectors.tenant_ids_granted(user_id=user.pk) if user.tenant_id is None else {user.tenant_id}
    return Principal(
        name=f"user:{user.get_username()}",
        tenant_id=user.tenant_id,
        scopes=frozenset({Scope.READ} | granted),
        writable_tenants=frozenset(tenant_ids),
    )


def session_principal(request: HttpRequest) -> Principal:
    """The principal of a page of the console; NotPermitted for nobody."""
    if not isinstance(request.user, User):
        raise NotPermitted("Log in first.")
    return user_principal(request.user)


def _genuine(parts: TokenParts) -> ApiToken | None:
    token = selectors.token_by_public_id(public_id=parts.public_id)
    return token if token is not None and parts.matches(token.digest) else None


def _is_usable(token: ApiToken, address: str, now: datetime) -> bool:
    return token.enabled and now < token.expires_at and _comes_from(address, token.networks)


def _comes_from(address: str, networks: list[str]) -> bool:
    if not networks:
        return True
    try:
        source = ip_address(address)
    except ValueError:
        return False
    return any(source in ip_network(network) for network in networks)
