"""Routes of margin runs: start one, and see how far it is."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from margin import selectors
from margin.api.examples import runs as examples
from margin.api.serializers import runs as serializers
from margin.choices import RunReason
from margin.engine.errors import DocumentError
from margin.models import MarginRun
from margin.services.runs import run_cancel, run_write, runs_announce
from pmplatform.common.errors import NotFound, Refused
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent, idempotent_view
from pmplatform.common.pagination import StrictOrdering
from pmplatform.common.principals import Actor
from pmplatform.common.problems import problem_responses
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_UNREADABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_LIST_ERRORS = problem_responses(*_UNREADABLE)
_READ_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND)
_START_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.UNPROCESSABLE_ENTITY)
_CANCEL_ERRORS = problem_responses(
    *_UNREADABLE, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY
)


class RunsView(ApiView):
    """A run covers every tenant's accounts, so only the platform sees or starts one."""

    serializer_class = serializers.RunSerializer
    required_scopes = {"GET": Scope.READ, "POST": Scope.RISK}
    platform_only_methods = frozenset({"GET", "POST"})
    filter_backends = (StrictOrdering,)
    ordering_fields = ("id",)
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[MarginRun]:
        return selectors.runs()

    @extend_schema(
        operation_id="runs_list",
        responses={200: serializers.RunSerializer(many=True), **_LIST_ERRORS},
        examples=[examples.RUN],
    )
    def get(self, request: Request) -> Response:
        """All runs, newest first, with their progress. Scope: `read`, platform only."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="runs_start",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=None,
        responses={202: serializers.RunSerializer, **_START_ERRORS},
        examples=[examples.RUN],
    )
    @idempotent_view
    def post(self, request: Request) -> Response:
        """Margin the whole book at the newest snapshot. Scope: `risk`, platform only."""
        self.nothing_given()
        run = selectors.run_of_parts(_start(self.actor))
        body = self.get_serializer(run).data
        return Response(body, status=HTTPStatus.ACCEPTED)


class RunView(ApiView):
    serializer_class = serializers.RunDetailSerializer
    platform_only_methods = frozenset({"GET"})
    queryset = MarginRun.objects.none()

    @extend_schema(
        operation_id="runs_read",
        responses={200: serializers.RunDetailSerializer, **_READ_ERRORS},
        examples=[examples.RUN_DETAIL],
    )
    def get(self, request: Request, run_id: int) -> Response:
        """One run with the progress of each risk unit and shard. Scope: `read`, platform only."""
        run = selectors.runs().prefetch_related("parts").filter(pk=run_id).first()
        if run is None:
            raise NotFound("There is no such run.")
        body: dict[str, Any] = self.get_serializer(run).data
        return Response(body)


class CancelView(ApiView):
    serializer_class = serializers.RunSerializer
    required_scopes = {"POST": Scope.RISK}
    platform_only_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="runs_cancel",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=None,
        responses={200: serializers.RunSerializer, **_CANCEL_ERRORS},
        examples=[examples.RUN_CANCELLED],
    )
    @idempotent
    def post(self, request: Request, run_id: int) -> Response:
        """End a run that is under way: none of its results is ever shown. Scope: `risk`, platform only."""
        self.nothing_given()
        run_cancel(run_id=run_id, actor=self.actor)
        return Response(self.get_serializer(selectors.runs().get(pk=run_id)).data)


def _start(actor: Actor) -> list[int]:
    """Start a run, and have workers woken."""
    try:
        part_ids = run_write(reason=RunReason.MANUAL, actor=actor)
    except DocumentError as error:
        raise Refused([str(fault) for fault in error.faults]) from error
    runs_announce(part_ids=part_ids)
    return part_ids
