"""The console's lists of tenants, people, tokens, accounts and instruments."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import (
    Account,
    ApiToken,
    Balance,
    Declaration,
    DeclarationAcceptance,
    EligibilityTransition,
    Fill,
    HedgeLimit,
    Instrument,
    LedgerEntry,
    Order,
    Position,
    Settlement,
    Tenant,
    TenantGrant,
    Transfer,
    User,
)
from accounts.services.tokens import token_revoke
from pmplatform.common.admin import AuditedAdmin, ReadOnlyAdmin, admin_actor

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, AuditedAdmin):  # type: ignore[misc]  # Unfold's own order of bases
    """Roles: sets of permissions, among them the API scopes."""


@admin.register(Tenant)
class TenantAdmin(AuditedAdmin):
    list_display = ("slug", "name", "created_at")
    search_fields = ("slug", "name")
    readonly_fields = ("created_at",)


class TenantGrantInline(TabularInline):
    """Where this member of the staff may act; the giver is whoever adds the row."""

    model = TenantGrant
    fk_name = "user"
    fields = ("tenant", "reason", "granted_by", "created_at")
    readonly_fields = ("granted_by", "created_at")
    extra = 0


@admin.register(User)
class UserAdmin(DjangoUserAdmin, AuditedAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """People; one who leaves is made inactive, so that the trail keeps the name.

    An administrator gives roles and grants to others, never to himself, and has no hand on who may do all.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (TenantGrantInline,)
    list_display = ("username", "tenant", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "tenant")
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), ("Tenant", {"fields": ("tenant",)}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        if obj is None or request.user.is_superuser:
            return allowed
        return allowed and not obj.is_superuser and obj.pk != request.user.pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for grant in formset.save(commit=False):
            if grant.granted_by_id is None:
                grant.granted_by = request.user
            grant.save()
        for grant in formset.deleted_objects:
            grant.delete()


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens are issued by command or API, where their text can be shown once; here they are revoked."""

    list_display = ("public_id", "name", "tenant", "scopes", "enabled", "expires_at", "last_used_at")
    list_filter = ("enabled", "tenant")
    search_fields = ("public_id", "name")
    exclude = ("digest",)
    actions = ("revoke",)

    @admin.action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            token_revoke(public_id=token.public_id, actor=admin_actor(request))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apitoken")


class _TrailInline(TabularInline):
    """Rows that were written once, and are only read here."""

    extra = 0
    can_delete = False
    show_change_link = True
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TransitionInline(_TrailInline):
    """How the account came where it stands, newest first."""

    model = EligibilityTransition
    fields = readonly_fields = ("at", "kind", "to_state", "to_margin", "net_equity", "reasons", "by")
    verbose_name_plural = "eligibility history"


class AcceptanceInline(_TrailInline):
    """Which declarations were accepted for the account."""

    model = DeclarationAcceptance
    fields = readonly_fields = ("declaration", "at", "by", "address")


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = (
        "code",
        "tenant",
        "methodology",
        "margin_methodology",
        "eligibility_state",
        "reduce_only",
        "in_liquidation",
    )
    list_filter = ("tenant", "methodology", "eligibility_state", "reduce_only", "in_liquidation")
    search_fields = ("code", "name")
    list_select_related = ("tenant",)
    inlines = (TransitionInline, AcceptanceInline)


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    list_display = ("code", "kind", "underlying", "settle", "style", "contract_size", "expiry", "state")
    list_filter = ("kind", "underlying", "settle", "state")
    search_fields = ("code",)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("id", "account", "kind", "subject", "by", "at")
    list_filter = ("kind",)
    search_fields = ("=account__code", "=request_id")
    list_select_related = ("account",)
    ordering = ("-id",)


@admin.register(Balance)
class BalanceAdmin(ReadOnlyAdmin):
    list_display = ("account", "currency", "amount")
    search_fields = ("=account__code",)
    list_select_related = ("account",)


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = ("account", "instrument", "quantity", "entry_price")
    search_fields = ("=account__code", "=instrument__code")
    list_select_related = ("account", "instrument")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ("id", "account", "instrument", "side", "open_quantity", "price", "state", "created_at")
    list_filter = ("state", "side")
    search_fields = ("=account__code", "=instrument__code")
    list_select_related = ("account", "instrument")


@admin.register(Fill)
class FillAdmin(ReadOnlyAdmin):
    list_display = ("id", "account", "instrument", "side", "quantity", "price", "fee", "fee_currency", "at")
    list_filter = ("side",)
    search_fields = ("=account__code", "=instrument__code", "=client_id")
    list_select_related = ("account", "instrument")
    ordering = ("-id",)


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = ("id", "account", "currency", "amount", "at")
    search_fields = ("=account__code", "=client_id")
    list_select_related = ("account",)
    ordering = ("-id",)


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    list_display = ("id", "account", "instrument", "quantity", "price", "cash", "at")
    search_fields = ("=account__code", "=instrument__code")
    list_select_related = ("account", "instrument")
    ordering = ("-id",)


@admin.register(HedgeLimit)
class HedgeLimitAdmin(ReadOnlyAdmin):
    list_display = ("account", "coin", "ratio", "max_amount")
    search_fields = ("=account__code",)
    list_select_related = ("account",)


@admin.register(Declaration)
class DeclarationAdmin(ReadOnlyAdmin):
    """Published by `manage.py declaration_publish`."""

    list_display = ("version", "published_at", "published_by")
    search_fields = ("version",)


@admin.register(EligibilityTransition)
class EligibilityTransitionAdmin(ReadOnlyAdmin):
    list_display = ("id", "account", "kind", "from_state", "to_state", "to_margin", "net_equity", "by", "at")
    list_filter = ("kind", "to_state", "methodology")
    search_fields = ("=account__code", "=request_id")
    list_select_related = ("account",)
    ordering = ("-id",)
