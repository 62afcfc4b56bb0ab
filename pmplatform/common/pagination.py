"""Cursor pagination and ordering that answer a malformed parameter with its path."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from pmplatform.common.errors import ValidationFailed


class CursorPages(CursorPagination):
    """Pages of 100 unless ``limit`` (at most 1,000) says otherwise, in key order unless the view orders."""

    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
    ordering = "id"

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, ValidationError):
            # The position inside the cursor is no value of the field that is ordered by.
            raise ValidationFailed.at("cursor", "is not a cursor of this list") from None

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            return super().decode_cursor(request)
        except NotFound:
            raise ValidationFailed.at("cursor", "is not a cursor of this list") from None


class StrictOrdering(OrderingFilter):
    """Refuses to order by a field the view does not offer, where the framework would ignore it."""

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Iterable[str], view: APIView, request: Request
    ) -> list[str]:
        wanted = list(fields)
        valid = super().remove_invalid_fields(queryset, wanted, view, request)
        if unknown := [field for field in wanted if field not in valid]:
            raise ValidationFailed.at("ordering", f"cannot order by {', '.join(unknown)}")
        return list(valid)
