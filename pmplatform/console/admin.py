"""Second factors as an administrator sees them: that there is one, and a way to start over."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from pmplatform.common.admin import ReadOnlyAdmin, admin_actor
from pmplatform.common.audit import audit_append

admin.site.unregister(TOTPDevice)


@admin.register(TOTPDevice)
class TOTPDeviceAdmin(ReadOnlyAdmin):
    """Who lost an authenticator sets up another at the next login, once this one is deleted."""

    list_display = ("user", "name", "confirmed", "created_at", "last_used_at")
    fields = readonly_fields = ("user", "name", "confirmed", "created_at", "last_used_at")
    search_fields = ("user__username",)
    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("otp_totp.delete_totpdevice"))

    def delete_model(self, request: HttpRequest, obj: TOTPDevice) -> None:
        audit_append(
            actor=admin_actor(request),
            action="second_factor.delete",
            object_type="user",
            object_id=obj.user_id,
            tenant_id=None,
        )
        super().delete_model(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, object]:
        """One at a time: each deletion is audited."""
        return {}
