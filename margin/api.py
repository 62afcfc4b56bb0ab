"""Routes of margin: each method validates, calls, serialises."""

import logging
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from kombu.exceptions import OperationalError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import account_get
from margin import examples, selectors, serializers
from margin.choices import RunReason
from margin.engine.errors import DocumentError
from margin.engine.explain.document import explain_document
from margin.engine.simulation import margin_report
from margin.models import MarginRun
from margin.services.runs import run_start
from margin.tasks import enqueue
from pmplatform.common.errors import FieldError, NotFound, Refused, ValidationFailed
from pmplatform.common.pagination import StrictOrdering
from pmplatform.common.parsers import MIB, FloatJSONParser
from pmplatform.common.problems import problem_responses
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

logger = logging.getLogger(__name__)

_UNREADABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_LIST_ERRORS = problem_responses(*_UNREADABLE)
_READ_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND)
_START_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.UNPROCESSABLE_ENTITY)


class SimulationsView(ApiView):
    required_scopes = {"POST": Scope.READ}
    parser_classes = (FloatJSONParser,)
    max_body_bytes = 8 * MIB

    @extend_schema(
        operation_id="simulations_create",
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **_LIST_ERRORS},
        examples=[examples.BOOK, examples.REPORT],
    )
    def post(self, request: Request) -> Response:
        """The margin report of a book document; nothing is stored. Scope: `read`.

        `parameters` null takes the version in force at `as_of`, a string names a stored one, an object is
        one of your own.
        """
        try:
            return Response(margin_report(request.data, selectors.parameter_library()))
        except DocumentError as error:
            raise ValidationFailed(FieldError(fault.path, fault.message) for fault in error.faults) from error


class ExplainView(ApiView):
    required_scopes = {"POST": Scope.READ}
    parser_classes = (FloatJSONParser,)
    max_body_bytes = 8 * MIB

    @extend_schema(
        operation_id="simulations_explain",
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **_LIST_ERRORS},
        examples=[examples.BOOK, examples.EXPLANATION],
    )
    def post(self, request: Request) -> Response:
        """Where the requirement of a book document comes from, by risk unit. Scope: `read`.

        Every position, order and spot hedge of the binding order set has a share of every component, at the
        scenario, tier, curve or pair that binds; a share is negative where the row hedges. The shares of a
        component sum to its value, those under `mmr` to the unit's requirement.
        """
        try:
            return Response(explain_document(request.data, selectors.parameter_library()))
        except DocumentError as error:
            raise ValidationFailed(FieldError(fault.path, fault.message) for fault in error.faults) from error


class AccountMarginView(ApiView):
    @extend_schema(
        operation_id="accounts_margin",
        responses={200: OpenApiTypes.OBJECT, **_READ_ERRORS},
        examples=[examples.REPORT],
    )
    def get(self, request: Request, account_id: int) -> HttpResponse:
        """The margin report of the newest completed run, byte for byte as it was stored. Scope: `read`."""
        account = account_get(principal=self.principal, account_id=account_id)
        result = selectors.result_latest(account.pk)
        if result is None:
            raise NotFound("No completed run has margined this account yet.")
        return HttpResponse(bytes(result.report), content_type="application/json")


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
        request=None,
        responses={202: serializers.RunSerializer, **_START_ERRORS},
        examples=[examples.RUN],
    )
    def post(self, request: Request) -> Response:
        """Margin the whole book at the newest snapshot. Scope: `risk`, platform only.

        Takes no `Idempotency-Key`: a run pins the book in a transaction of its own, and a second run over
        the same book ends in the same result.
        """
        run = selectors.run_of_parts(_start())
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


def _start() -> list[int]:
    """Start a run and wake workers; when the broker does not answer, the sweeper wakes them later."""
    try:
        part_ids = run_start(reason=RunReason.MANUAL)
    except DocumentError as error:
        raise Refused([str(fault) for fault in error.faults]) from error
    try:
        enqueue(part_ids)
    except OperationalError:
        logger.warning("the broker does not answer; the sweeper will wake the workers")
    return part_ids
