"""How a venue shows that it is the venue: by a signature, instead of a token."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from pmplatform.common.principals import Principal
from pmplatform.common.signing import SIGNATURE_HEADER, signature_holds


class VenueAuthentication(authentication.BaseAuthentication):
    """Whoever signs time and body with the execution secret, within five minutes, is the venue."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Principal]:
        secret, body = settings.PM_EXECUTION_SECRET, request._request.body
        if not secret or not signature_holds(
            secret=secret, headers=request.headers, body=body, now=timezone.now()
        ):
            raise AuthenticationFailed("The report is not signed by the venue.")
        return AnonymousUser(), Principal("venue", None, frozenset(), writable_tenants=frozenset())

    def authenticate_header(self, request: Request) -> str:
        return "PM-Signature"


class VenueScheme(OpenApiAuthenticationExtension):
    """Describes the signature in the API's schema; found by being defined."""

    target_class = VenueAuthentication
    name = "venue"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        text = (
            "`v1=` and the hex HMAC-SHA256 of `timestamp.body` under `PM_EXECUTION_SECRET`, the timestamp"
            " being that of `X-PM-Timestamp`, in seconds and within five minutes"
        )
        return {"type": "apiKey", "in": "header", "name": SIGNATURE_HEADER, "description": text}
