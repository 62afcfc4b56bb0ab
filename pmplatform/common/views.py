"""Base class of every API view."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer

from pmplatform.common.middleware import current_request_id
from pmplatform.common.pagination import CursorPages
from pmplatform.common.parsers import DEFAULT_MAX_BODY_BYTES, StrictJSONParser
from pmplatform.common.permissions import HasScope
from pmplatform.common.principals import Actor, Principal, principal_of
from pmplatform.common.tokens import Scope


class ApiView(GenericAPIView[Any]):
    """Strict JSON in, JSON out, scopes by method, cursor pages.

    Who may call is declared: ``required_scopes`` by HTTP method, ``platform_only_methods`` for those that
    no tenant may use. Which rows a principal sees is the business of the selector the view reads from.
    """

    required_scopes: ClassVar[Mapping[str, Scope]] = {"GET": Scope.READ}
    platform_only_methods: ClassVar[frozenset[str]] = frozenset()
    max_body_bytes: ClassVar[int] = DEFAULT_MAX_BODY_BYTES

    parser_classes = (StrictJSONParser,)
    renderer_classes = (JSONRenderer,)
    permission_classes: Sequence[type[BasePermission]] = (HasScope,)
    pagination_class = CursorPages

    @property
    def principal(self) -> Principal:
        return principal_of(self.request)

    @property
    def actor(self) -> Actor:
        return self.principal.actor(current_request_id())
