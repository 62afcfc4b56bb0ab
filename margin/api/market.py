"""Routes of the market: snapshots, how they stand, and what the guards have done."""

import math
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.filters import StrictFilters
from margin import market_states
from margin.api.examples import market as examples
from margin.api.filters import GuardEventFilters, SnapshotFilters
from margin.api.serializers import market as serializers
from margin.assembly import market_document
from margin.engine.errors import DocumentError
from margin.guards import Limits
from margin.models import MarketGuardEvent, MarketSnapshot
from margin.services.guarding import refusals_recorded
from margin.services.publishing import SnapshotDocument, snapshot_publish
from pmplatform.common.errors import FieldError, NotFound, ValidationFailed
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent
from pmplatform.common.pagination import StrictOrdering
from pmplatform.common.parsers import MIB, FloatJSONParser
from pmplatform.common.problems import problem_responses
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_UNREADABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_LIST_ERRORS = problem_responses(*_UNREADABLE)
_READ_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND)
_WRITE_ERRORS = problem_responses(
    *_UNREADABLE, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
)
#: A column's width; a token's name is shorter, a user's may not be.
_SOURCE_LENGTH = 64


class SnapshotsView(ApiView):
    serializer_class = serializers.SnapshotSerializer
    required_scopes = {"GET": Scope.READ, "POST": Scope.RISK}
    platform_only_methods = frozenset({"POST"})
    parser_classes = (FloatJSONParser,)
    max_body_bytes = 8 * MIB
    filter_backends = (StrictFilters, StrictOrdering)
    filterset_class = SnapshotFilters
    ordering_fields = ("sequence",)
    ordering = ("-sequence",)

    def get_queryset(self) -> QuerySet[MarketSnapshot]:
        return market_states.snapshots()

    @extend_schema(
        operation_id="market_snapshots_list",
        responses={200: serializers.SnapshotSerializer(many=True), **_LIST_ERRORS},
        examples=[examples.SNAPSHOT],
    )
    def get(self, request: Request) -> Response:
        """Accepted snapshots, newest first, without their markets. Scope: `read`."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="market_snapshots_publish",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=OpenApiTypes.OBJECT,
        responses={201: serializers.SnapshotSerializer, **_WRITE_ERRORS},
        examples=[examples.PUBLISH, examples.SNAPSHOT],
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Publish a snapshot {as_of, market}. Scope: `risk`, platform only.

        `settlement` may give the prices, by instrument, at which the venue settles what has expired.
        Refused, with the path of every fault: what cannot be read, is not finite or out of range, older than
        the last snapshot, or lacks an instrument in use. A level that jumps is accepted and held: see
        `/market/state`. A run follows by itself; while one is under way, the newest snapshot waits and
        those between are skipped.
        """
        source = self.principal.name[:_SOURCE_LENGTH]
        try:
            with refusals_recorded(source=source, as_of=None):
                document = SnapshotDocument.of(request.data)
            with refusals_recorded(source=source, as_of=document.as_of):
                return self._publish(request, document, source)
        except DocumentError as error:
            raise ValidationFailed(FieldError(fault.path, fault.message) for fault in error.faults) from error

    @idempotent
    def _publish(self, request: Request, document: SnapshotDocument, source: str) -> Response:
        snapshot = snapshot_publish(document=document, source=source, actor=self.actor)
        return Response(self.get_serializer(snapshot).data, status=HTTPStatus.CREATED)


class SnapshotView(ApiView):
    serializer_class = serializers.SnapshotDetailSerializer

    @extend_schema(
        operation_id="market_snapshots_read",
        responses={200: serializers.SnapshotDetailSerializer, **_READ_ERRORS},
        examples=[examples.SNAPSHOT_DETAIL],
    )
    def get(self, request: Request, sequence: int) -> Response:
        """One snapshot with its market. Scope: `read`."""
        snapshot = MarketSnapshot.objects.filter(pk=sequence).first()
        if snapshot is None:
            raise NotFound("There is no such snapshot.")
        brief = serializers.SnapshotSerializer(snapshot).data
        market = market_document(bytes(snapshot.content))
        return Response({**brief, "settlement": snapshot.settlement, "market": market})


class MarketStateView(ApiView):
    serializer_class = serializers.MarketStateSerializer

    @extend_schema(
        operation_id="market_state",
        responses={200: serializers.MarketStateSerializer, **_READ_ERRORS},
        examples=[examples.STATE],
    )
    def get(self, request: Request) -> Response:
        """How far the newest snapshot can be relied on, and the limits in force. Scope: `read`.

        What is stale or in HOLD is served, and moves nothing: no order that adds risk is entered by it, no
        withdrawal made, no state of eligibility changed, nobody liquidated.
        """
        state = market_states.market_state(timezone.now())
        if state is None:
            raise NotFound("There is no market snapshot yet.")
        standing = state.standing
        return Response(
            {
                "snapshot": state.snapshot.pk,
                "as_of": state.snapshot.as_of,
                "age_seconds": state.age_seconds,
                "status": standing.word,
                "is_old": standing.is_old,
                "is_stuck": standing.is_stuck,
                "is_held": standing.is_held,
                "reasons": state.reasons,
                "limits": _limits(market_states.guard_limits(state.snapshot.as_of)),
            }
        )


def _limits(limits: Limits) -> dict[str, Any]:
    other = None if math.isinf(limits.other_move) else limits.other_move
    return {
        "snapshot_max_age": limits.ages.max_age.total_seconds(),
        "stuck_seconds": limits.ages.stuck_after.total_seconds(),
        "stable_jump": limits.stable_move,
        "index_jump": {**limits.index_moves, "*": other},
    }


class GuardEventsView(ApiView):
    serializer_class = serializers.GuardEventSerializer
    filter_backends = (StrictFilters, StrictOrdering)
    filterset_class = GuardEventFilters
    ordering_fields = ("id",)
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[MarketGuardEvent]:
        return market_states.guard_events()

    @extend_schema(
        operation_id="market_guards",
        responses={200: serializers.GuardEventSerializer(many=True), **_LIST_ERRORS},
        examples=[examples.GUARD_EVENT],
    )
    def get(self, request: Request) -> Response:
        """What the guards did, newest first: refusals, holds, releases, a stuck market. Scope: `read`."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
