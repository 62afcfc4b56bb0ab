"""Admin pieces for every app, and the trails of this one, which nobody edits."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, DecimalField, Field, Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from pmplatform.common.audit import audit_append
from pmplatform.common.console import NOTHING, exact
from pmplatform.common.exports import csv_response, export_fields
from pmplatform.common.middleware import current_request_id
from pmplatform.common.models import AuditRow, OutboxRow
from pmplatform.common.principals import Actor

#: Asks a list for itself as a file, with whatever filters are on.
_EXPORT: Final = "_export"


def _shown(field: "Field[Any, Any]", words: Callable[[Any], str]) -> Callable[[Any], str]:
    """A column of a list that shows a field in these words, and sorts by the field."""

    @admin.display(description=field.verbose_name, ordering=field.name)
    def column(row: Model) -> str:
        return words(getattr(row, field.name))

    column.__name__ = field.name
    return column


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows to staff, and exports them; what changes them is a service, never a form."""

    list_filter_submit = True
    show_full_result_count = False
    list_after_template = "console/export.html"
    list_per_page = 50

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Numbers and flags as the console's own pages write them."""
        return [self._column(name) for name in super().get_list_display(request)]

    def _column(self, name: Any) -> Any:
        field = None if hasattr(self, name) else self.opts.get_field(name)
        if isinstance(field, DecimalField):
            return _shown(field, exact)
        if isinstance(field, BooleanField):
            return _shown(field, lambda value: "yes" if value else NOTHING)
        return name

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.GET.get(_EXPORT) != "csv":
            return super().changelist_view(request, extra_context)
        if not self.has_view_permission(request):
            raise PermissionDenied
        query = request.GET.copy()
        del query[_EXPORT]
        request.GET = query  # type: ignore[assignment]  # the stubs know no other use of a copy
        rows = self.get_changelist_instance(request).get_queryset(request).select_related(None)
        fields = export_fields(self.model, self.exclude or ())
        return csv_response(
            self.opts.model_name, fields, rows.values_list(*fields).iterator(chunk_size=2_000)
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AuditedAdmin(ModelAdmin):
    """A form that people may use; each change it makes has an audit row. Nothing is deleted by form."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._audit(request, obj, "create", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._audit(request, obj, "change", message)
        return super().log_change(request, obj, message)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def _audit(self, request: HttpRequest, obj: Model, verb: str, message: Any) -> None:
        name = str(self.opts.model_name)
        audit_append(
            actor=admin_actor(request),
            action=f"{name}.{verb}",
            object_type=name,
            object_id=str(obj.pk),
            tenant_id=getattr(obj, "tenant_id", None),
            after=message,
        )


def admin_actor(request: HttpRequest) -> Actor:
    """Whoever uses the console."""
    return Actor(name=f"user:{request.user.get_username()}", request_id=current_request_id())


@admin.register(AuditRow)
class AuditRowAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "action", "object_type", "object_id", "reason")
    list_filter = ("action", "object_type")
    search_fields = ("actor", "object_id", "request_id")
    date_hierarchy = "at"


@admin.register(OutboxRow)
class OutboxRowAdmin(ReadOnlyAdmin):
    list_display = ("id", "topic", "state", "attempts", "created_at", "published_at", "last_error")
    list_filter = ("state", "topic")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).order_by("-id")
