"""Scopes and platform-only routes, declared on the view by HTTP method."""

from collections.abc import Mapping

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from pmplatform.common.principals import Principal
from pmplatform.common.tokens import Scope


class HasScope(BasePermission):
    """Needs ``required_scopes = {"GET": Scope.READ, ...}`` on the view; a method of it left out is refused.

    Methods in ``platform_only_methods`` are refused to tenants whatever their scopes.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        principal = request.auth
        if not isinstance(principal, Principal):
            return False
        if not hasattr(view, str(request.method).lower()):
            # The view has no such method and says so itself, with 405.
            return True
        required: Mapping[str, Scope] = getattr(view, "required_scopes", {})
        method = "GET" if request.method in ("HEAD", "OPTIONS") else str(request.method)
        if method in getattr(view, "platform_only_methods", ()) and not principal.is_platform:
            self.message = "Only the platform may do this."
            return False
        scope = required.get(method)
        if scope is None:
            return False
        self.message = f"This needs the scope '{scope}'."
        return scope in principal.scopes


class HasPrincipal(BasePermission):
    """Needs credentials, and no scope in particular: for what is not a secret."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Principal)
