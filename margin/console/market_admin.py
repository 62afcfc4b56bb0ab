"""The console's pages of the market: snapshots, how the newest stands, and what the guards have done."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from margin import market_states
from margin.choices import GuardKind
from margin.market_states import MarketState, snapshot_state
from margin.models import MarketGuardEvent, MarketSnapshot
from pmplatform.common.admin import ReadOnlyAdmin
from pmplatform.common.console import Mark, marked

_WORDS: Final = {
    "fresh": Mark("safe", "●"),
    "stale": Mark("warning", "▲"),
    "hold": Mark("danger", "■"),
}
_KINDS: Final = {
    GuardKind.REFUSED: Mark("danger", "■"),
    GuardKind.HELD: Mark("warning", "◆"),
    GuardKind.RELEASED: Mark("safe", "●"),
    GuardKind.STUCK: Mark("warning", "▲"),
    GuardKind.MOVING: Mark("safe", "●"),
}
#: Events that the list of snapshots shows above itself, and reasons that a list shows of one.
_RECENT: Final = 5
_REASONS: Final = 3


@dataclass(frozen=True, slots=True)
class EventRow:
    event: MarketGuardEvent
    kind: SafeString
    words: str


@dataclass(frozen=True, slots=True)
class MarketView:
    """How the newest snapshot stands, and what the guards did last."""

    state: MarketState
    word: SafeString
    age: str
    events: tuple[EventRow, ...]


def market_view() -> MarketView | None:
    """The market now; None before its first snapshot."""
    state = market_states.market_state(timezone.now())
    if state is None:
        return None
    events = market_states.guard_events()[:_RECENT]
    return MarketView(
        state=state,
        word=state_mark(state),
        age=f"{state.age_seconds:,.0f} s",
        events=tuple(map(event_row, events)),
    )


def event_row(event: MarketGuardEvent) -> EventRow:
    """An event for a list."""
    return EventRow(event, kind_mark(event.kind), reason_words(event))


def reason_words(event: MarketGuardEvent) -> str:
    """The first of an event's reasons, and how many follow; its own page has them all."""
    words = "; ".join(event.reasons[:_REASONS])
    more = len(event.reasons) - _REASONS
    return f"{words}; and {more} more" if more > 0 else words


def state_mark(state: MarketState) -> SafeString:
    """`fresh`, `stale` or `hold` as word, shape and colour."""
    word = state.standing.word
    return marked(word.upper() if word == "hold" else word, _WORDS[word])


def kind_mark(kind: str) -> SafeString:
    """What the guards did, as word, shape and colour."""
    known = GuardKind(kind)
    return marked(str(known.label), _KINDS[known])


class MarketSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("sequence", "taken", "received", "source", "instruments", "jumps", "hash")
    list_filter = ("source",)
    list_before_template = "margin/market/state.html"
    fields = ("sequence", "as_of", "received_at", "source", "sha256", "instruments", "unchanged_since")
    change_form_template = "margin/snapshot.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarketSnapshot]:
        return market_states.snapshots()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {**(extra_context or {}), "market": market_view()}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        snapshot = self.get_object(request, unquote(object_id))
        if snapshot is not None:
            state = snapshot_state(snapshot, timezone.now())
            events = snapshot.guard_events.order_by("id")
            context |= {
                "state": state,
                "word": state_mark(state),
                "events": list(map(event_row, events)),
            }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    @admin.display(description="as of, UTC", ordering="as_of")
    def taken(self, snapshot: MarketSnapshot) -> str:
        return f"{snapshot.as_of:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="received, UTC", ordering="received_at")
    def received(self, snapshot: MarketSnapshot) -> str:
        return f"{snapshot.received_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="held")
    def jumps(self, snapshot: MarketSnapshot) -> str:
        return ", ".join(sorted(snapshot.held)) or "\N{EN DASH}"

    @admin.display(description="sha-256")
    def hash(self, snapshot: MarketSnapshot) -> SafeString:
        return format_html('<code title="{}">{}</code>', snapshot.sha256, snapshot.sha256[:12])


class MarketGuardEventAdmin(ReadOnlyAdmin):
    """Append-only; a refused snapshot is kept by its reasons alone."""

    list_display = ("when", "did", "source", "snapshot_id", "why")
    list_filter = ("kind", "source")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarketGuardEvent]:
        return market_states.guard_events()

    @admin.display(description="when, UTC", ordering="at")
    def when(self, event: MarketGuardEvent) -> str:
        return f"{event.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="guard", ordering="kind")
    def did(self, event: MarketGuardEvent) -> SafeString:
        return kind_mark(event.kind)

    @admin.display(description="reasons")
    def why(self, event: MarketGuardEvent) -> SafeString:
        return format_html('<span class="pm-words">{}</span>', reason_words(event))
