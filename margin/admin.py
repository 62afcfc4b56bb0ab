"""The console's pages of runs and margin results; those of market and parameters are registered here."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from margin import selectors
from margin.console.account import account_page
from margin.console.market_admin import MarketGuardEventAdmin, MarketSnapshotAdmin
from margin.console.report import standard_figures, status_mark
from margin.console.run import run_mark, run_page
from margin.console.version_admin import ParameterVersionAdmin
from margin.models import (
    MarginResult,
    MarginRun,
    MarketGuardEvent,
    MarketSnapshot,
    ParameterVersion,
)
from pmplatform.common.admin import ReadOnlyAdmin
from pmplatform.common.console import NOTHING, duration, money, percent


@admin.register(MarginRun)
class MarginRunAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "standing",
        "reason",
        "snapshot",
        "progress",
        "accounts",
        "took",
        "created_at",
    )
    list_filter = ("state", "reason")
    change_form_template = "margin/run.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarginRun]:
        return selectors.runs().defer("snapshot__content").order_by("-id")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, unquote(object_id))
        context = dict(extra_context or {}) | ({"page": run_page(run)} if run else {})
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    @admin.display(description="state", ordering="state")
    def standing(self, run: MarginRun) -> SafeString:
        return run_mark(run.state)

    @admin.display(description="parts done")
    def progress(self, run: Any) -> str:
        # The parts of older runs are pruned.
        return f"{run.parts_done:,} of {run.parts_total:,}" if run.parts_total else NOTHING

    @admin.display(description="duration")
    def took(self, run: MarginRun) -> str:
        return duration(run.finished_at - run.created_at if run.finished_at else None)


class RunFilter(admin.SimpleListFilter):
    """The newest completed run, unless another is asked for."""

    title = "run"
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "all runs")]

    def choices(self, changelist: Any) -> Any:
        newest, *others = super().choices(changelist)
        return [{**newest, "display": "newest completed"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(run=selectors.run_latest_completed())


@admin.register(MarginResult)
class MarginResultAdmin(ReadOnlyAdmin):
    """Accounts with the lowest ratio first; the page of one shows where its margin comes from."""

    list_display = (
        "account_code",
        "tenant",
        "standing",
        "equity_usd",
        "mmr_usd",
        "imr_usd",
        "saving",
        "ratio",
        "run_id",
    )
    list_display_links = ("run_id",)
    list_filter = (RunFilter, "status")
    search_fields = ("^account__code",)
    ordering = ("margin_ratio", "id")
    change_form_template = "margin/result.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarginResult]:
        queryset: QuerySet[MarginResult] = super().get_queryset(request)
        return queryset.select_related("account__tenant", "run__snapshot").defer("run__snapshot__content")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        result = self.get_object(request, unquote(object_id))
        if result is not None:
            context["account"] = account_page(result, request.GET.dict())
            context["beside"] = standard_figures(result)
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    @admin.display(description="account", ordering="account__code")
    def account_code(self, result: MarginResult) -> SafeString:
        url = reverse("admin:account", args=[result.account_id])
        return format_html('<a class="pm-link" href="{}">{}</a>', url, result.account.code)

    @admin.display(description="tenant", ordering="account__tenant__slug")
    def tenant(self, result: MarginResult) -> str:
        return str(result.account.tenant.slug)

    @admin.display(description="status", ordering="status")
    def standing(self, result: MarginResult) -> SafeString:
        return status_mark(result.status)

    @admin.display(description="net equity, USD", ordering="net_equity")
    def equity_usd(self, result: MarginResult) -> SafeString:
        return money(result.net_equity)

    @admin.display(description="MMR, USD", ordering="mmr")
    def mmr_usd(self, result: MarginResult) -> SafeString:
        return money(result.mmr)

    @admin.display(description="IMR, USD", ordering="imr")
    def imr_usd(self, result: MarginResult) -> SafeString:
        return money(result.imr)

    @admin.display(description="IMR saved, USD")
    def saving(self, result: MarginResult) -> SafeString:
        return money(None if result.standard_imr is None else result.standard_imr - result.imr)

    @admin.display(description="margin ratio", ordering="margin_ratio")
    def ratio(self, result: MarginResult) -> SafeString:
        return percent(result.margin_ratio)


admin.site.register(MarketSnapshot, MarketSnapshotAdmin)
admin.site.register(MarketGuardEvent, MarketGuardEventAdmin)
admin.site.register(ParameterVersion, ParameterVersionAdmin)
