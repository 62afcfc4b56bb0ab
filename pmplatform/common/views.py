"""Base class of every API view."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.exceptions import Throttled
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from pmplatform.common.errors import FieldError, ValidationFailed
from pmplatform.common.limits import Allowance, allowance_take
from pmplatform.common.middleware import current_request_id
from pmplatform.common.pagination import CursorPages
from pmplatform.common.parsers import DEFAULT_MAX_BODY_BYTES, StrictJSONParser
from pmplatform.common.permissions import HasScope
from pmplatform.common.principals import Actor, Principal, principal_of
from pmplatform.common.serializers import StrictSerializer
from pmplatform.common.tokens import Scope

_UNSTORABLE = "has characters that cannot be stored"


class ApiView(GenericAPIView[Any]):
    """Strict JSON in, JSON out, scopes by method, cursor pages.

    Who may call is declared: ``required_scopes`` by HTTP method, ``platform_only_methods`` for those that
    no tenant may use. Which rows a principal sees is the business of the selector the view reads from.
    """

    required_scopes: ClassVar[Mapping[str, Scope]] = {"GET": Scope.READ}
    platform_only_methods: ClassVar[frozenset[str]] = frozenset()
    max_body_bytes: ClassVar[int] = DEFAULT_MAX_BODY_BYTES

    parser_classes = (StrictJSONParser,)
    renderer_classes: Sequence[type[BaseRenderer]] = (JSONRenderer,)
    # What a route takes and gives is in the schema; it is not told again by OPTIONS.
    http_method_names = ("get", "post", "put", "patch", "delete", "head")
    permission_classes: Sequence[type[BasePermission]] = (HasScope,)
    pagination_class = CursorPages

    #: What the caller has left, once the request is counted.
    allowance: Allowance | None = None

    @property
    def principal(self) -> Principal:
        return principal_of(self.request)

    @property
    def actor(self) -> Actor:
        return self.principal.actor(current_request_id())

    def nothing_given(self) -> None:
        """Refuse a body on a route that takes none, lest its sender believe that it was heeded."""
        StrictSerializer(data=self.request.data).is_valid(raise_exception=True)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # Text that PostgreSQL could not be asked about.
        given = {**request.query_params.dict(), **kwargs}
        if faults := [FieldError(name, _UNSTORABLE) for name, value in given.items() if "\0" in str(value)]:
            raise ValidationFailed(faults)

    def check_throttles(self, request: Request) -> None:
        """Count the request against its principal's limit; what needs no principal is not limited."""
        if isinstance(request.auth, Principal):
            self.allowance = allowance_take(request.auth.name)
        if self.allowance is not None and self.allowance.is_exceeded:
            raise Throttled(wait=self.allowance.seconds)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        finished = super().finalize_response(request, response, *args, **kwargs)
        if self.allowance is not None:
            for name, value in self.allowance.headers().items():
                finished.headers[name] = value
        return finished
