"""The console's pages of parameter versions: to be read, and moved on by whoever may."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from margin import versions
from margin.console.calendar import calendar
from margin.console.drafting import DraftPage, draft_checked, draft_opened, draft_saved
from margin.console.versions import Powers, in_force_note, origin_words, version_mark, version_page
from margin.models import ParameterVersion
from margin.services.approvals import version_approve
from margin.services.impacts import impact_start
from margin.services.runs import runs_announce
from margin.services.versions import (
    version_propose,
    version_reject,
    version_rollback,
    version_schedule,
    version_withdraw,
)
from pmplatform.common.admin import ReadOnlyAdmin, admin_actor
from pmplatform.common.errors import NotFound, PlatformError
from pmplatform.common.pages import attempt, page_render
from pmplatform.common.principals import Actor

_PROPOSE: Final = "margin.propose_parameterversion"
_APPROVE: Final = "margin.approve_parameterversion"


def _propose(version: ParameterVersion, actor: Actor, reason: str) -> None:
    version_propose(version_id=version.pk, actor=actor, now=timezone.now())


def _impact(version: ParameterVersion, actor: Actor, reason: str) -> None:
    """Against the version that it takes over from; NotFound where there is none."""
    base = versions.version_before(version)
    if base is None:
        raise NotFound(f"No version comes before {version}.")
    _, part_ids = impact_start(base=base, proposed=version, actor=actor, now=timezone.now())
    runs_announce(part_ids=part_ids)


def _approve(version: ParameterVersion, actor: Actor, reason: str) -> None:
    version_approve(version_id=version.pk, actor=actor, now=timezone.now())


def _reject(version: ParameterVersion, actor: Actor, reason: str) -> None:
    version_reject(version_id=version.pk, reason=reason, actor=actor, now=timezone.now())


def _schedule(version: ParameterVersion, actor: Actor, reason: str) -> None:
    version_schedule(version_id=version.pk, actor=actor)


def _withdraw(version: ParameterVersion, actor: Actor, reason: str) -> None:
    version_withdraw(version_id=version.pk, reason=reason, actor=actor, now=timezone.now())


def _rollback(version: ParameterVersion, actor: Actor, reason: str) -> None:
    version_rollback(
        methodology=version.methodology,
        restores=version.version,
        reason=reason,
        actor=actor,
        now=timezone.now(),
    )


#: What each step needs, does, and says when it is done.
_STEPS: Final[dict[str, tuple[str, Callable[[ParameterVersion, Actor, str], None], str]]] = {
    "propose": (_PROPOSE, _propose, "The version is proposed."),
    "impact": (_PROPOSE, _impact, "The impact report is on its way."),
    "approve": (_APPROVE, _approve, "Your approval is recorded."),
    "reject": (_APPROVE, _reject, "The version is rejected."),
    "schedule": (_APPROVE, _schedule, "The version is scheduled."),
    "withdraw": (_PROPOSE, _withdraw, "The version is withdrawn."),
    "rollback": (_APPROVE, _rollback, "The earlier content is in force again."),
}


def _drafted(request: HttpRequest, start: ParameterVersion) -> ParameterVersion | DraftPage:
    """The stored draft, or the page of one: as opened, as checked, or with why it was not stored."""
    if request.method != "POST":
        return draft_opened(start)
    try:
        if request.POST.get("act") == "save":
            return draft_saved(start, request.POST, admin_actor(request), timezone.now())
    except PlatformError as refusal:
        messages.error(request, str(refusal))
    return draft_checked(start, request.POST)


class ParameterVersionAdmin(ReadOnlyAdmin):
    """Every version by methodology, the latest first."""

    list_display = (
        "name",
        "methodology",
        "standing",
        "note",
        "begins",
        "came",
        "proposer",
        "approver",
    )
    list_filter = ("methodology", "state", "origin")
    search_fields = ("version",)
    ordering = ("methodology", "-effective_from")
    change_form_template = "margin/version.html"
    list_before_template = "margin/version/calendar.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ParameterVersion]:
        return versions.versions().select_related("replaces", "restores")

    def get_urls(self) -> list[URLPattern]:
        steps = path(
            "<path:object_id>/step/<slug:step>/",
            self.admin_site.admin_view(require_POST(self.step_view)),
            name="margin_parameterversion_step",
        )
        draft = path(
            "<path:object_id>/draft/",
            self.admin_site.admin_view(self.draft_view),
            name="margin_parameterversion_draft",
        )
        return [steps, draft, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {"calendar": calendar(timezone.now()), "may_draft": request.user.has_perm(_PROPOSE)}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        version = self.get_object(request, unquote(object_id))
        if version is not None:
            powers = Powers(
                admin_actor(request).name, request.user.has_perm(_PROPOSE), request.user.has_perm(_APPROVE)
            )
            context["page"] = version_page(version, powers, request.GET.get("base"), timezone.now())
            context["came"] = origin_words(version)
            context["note"] = in_force_note(version, timezone.now())
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def step_view(self, request: HttpRequest, object_id: str, step: str) -> HttpResponse:
        """Take a step, whatever the page had offered; what the rules refuse is said on the page."""
        version = self.get_object(request, unquote(object_id))
        if version is None or step not in _STEPS:
            raise Http404
        permission, act, done = _STEPS[step]
        if not request.user.has_perm(permission):
            raise PermissionDenied
        reason = request.POST.get("reason", "").strip()
        attempt(request, done, lambda: act(version, admin_actor(request), reason))
        return redirect("admin:margin_parameterversion_change", version.pk)

    def draft_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Edit a draft, or begin one with another version's values; only Save stores anything."""
        start = self.get_object(request, unquote(object_id))
        if start is None:
            raise Http404
        if not request.user.has_perm(_PROPOSE):
            raise PermissionDenied
        drafted = _drafted(request, start)
        if isinstance(drafted, ParameterVersion):
            messages.success(request, "The draft is stored; propose it to have it approved.")
            return redirect("admin:margin_parameterversion_change", drafted.pk)
        verb = "Edit the draft" if drafted.is_redraft else "Draft from"
        title = f"{verb} {start.methodology} {start.version}"
        return page_render(request, "margin/version/draft.html", title, {"page": drafted})

    @admin.display(description="version", ordering="version")
    def name(self, version: ParameterVersion) -> str:
        return version.version

    @admin.display(description="state", ordering="state")
    def standing(self, version: ParameterVersion) -> SafeString:
        return version_mark(version.state)

    @admin.display(description="now")
    def note(self, version: ParameterVersion) -> str:
        return in_force_note(version, timezone.now())

    @admin.display(description="effective from, UTC", ordering="effective_from")
    def begins(self, version: ParameterVersion) -> str:
        return f"{version.effective_from:%Y-%m-%d %H:%M}"

    @admin.display(description="origin", ordering="origin")
    def came(self, version: ParameterVersion) -> str:
        return origin_words(version)
