"""Routes of liquidation cases: the queue, what was done and why, and what people decide."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.accounts import ListView
from liquidation import selectors
from liquidation.api.examples import queue as examples
from liquidation.api.filters import CaseFilters
from liquidation.api.serializers import queue as serializers
from liquidation.models import LiquidationCase
from liquidation.services.cases import case_approve, case_pause, case_resume
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent
from pmplatform.common.problems import problem_responses
from pmplatform.common.serializers import StrictSerializer
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_UNREADABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_LIST_ERRORS = problem_responses(*_UNREADABLE)
_READ_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND)
DECISION_ERRORS: Final = problem_responses(
    *_UNREADABLE, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY
)


class CasesView(ListView):
    serializer_class = serializers.CaseSerializer
    filterset_class = CaseFilters
    ordering_fields = ("id", "deficit_usd")
    queryset = LiquidationCase.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.cases_visible(principal=self.principal)

    @extend_schema(
        operation_id="liquidation_cases_list",
        responses={200: serializers.CaseSerializer(many=True), **_LIST_ERRORS},
        examples=[examples.CASE],
    )
    def get(self, request: Request) -> Response:
        """Liquidation cases of the accounts you may see. Scope: `read`."""
        return self._list()


class CaseView(ApiView):
    serializer_class = serializers.CaseDetailSerializer

    @extend_schema(
        operation_id="liquidation_cases_read",
        responses={200: serializers.CaseDetailSerializer, **_READ_ERRORS},
        examples=[examples.CASE_DETAIL],
    )
    def get(self, request: Request, case_id: int) -> Response:
        """One case: what opened it, what waits for approval, and whether it conserved. Scope: `read`."""
        case = selectors.case_get(principal=self.principal, case_id=case_id)
        return Response(self.get_serializer(case).data)


class CaseListView(ListView):
    """A list that belongs to one case; that of somebody else's account is not found."""

    def _case(self) -> LiquidationCase:
        return selectors.case_get(principal=self.principal, case_id=self.kwargs["case_id"])


class StepsView(CaseListView):
    serializer_class = serializers.StepSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.case_steps(self._case().pk)

    @extend_schema(
        operation_id="liquidation_cases_steps",
        responses={200: serializers.StepSerializer(many=True), **_READ_ERRORS},
        examples=[examples.STEP],
    )
    def get(self, request: Request, case_id: int) -> Response:
        """The steps of a case: why each, what it cost, figures before, planned and reached. Scope: `read`."""
        return self._list()


class CaseOrdersView(CaseListView):
    serializer_class = serializers.LiquidationOrderSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.case_orders(self._case().pk)

    @extend_schema(
        operation_id="liquidation_cases_orders",
        responses={200: serializers.LiquidationOrderSerializer(many=True), **_READ_ERRORS},
        examples=[examples.ORDER],
    )
    def get(self, request: Request, case_id: int) -> Response:
        """The orders of a case at the execution venue. Scope: `read`."""
        return self._list()


class DecisionView(ApiView):
    """What a person decides about a case."""

    serializer_class = serializers.CaseSerializer
    required_scopes = {"POST": Scope.LIQUIDATION}
    platform_only_methods = frozenset({"POST"})

    def decide(
        self, case_id: int, decision: type[StrictSerializer], service: Callable[..., LiquidationCase]
    ) -> Response:
        wanted = decision(data=self.request.data)
        wanted.is_valid(raise_exception=True)
        service(case_id=case_id, **wanted.validated_data, actor=self.actor, now=timezone.now())
        case = selectors.case_get(principal=self.principal, case_id=case_id)
        return Response(self.get_serializer(case).data)


class ApproveView(DecisionView):
    @extend_schema(
        operation_id="liquidation_cases_approve",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.ApprovalSerializer,
        responses={200: serializers.CaseSerializer, **DECISION_ERRORS},
        examples=[examples.APPROVAL, examples.CASE],
    )
    @idempotent
    def post(self, request: Request, case_id: int) -> Response:
        """Let the next step be taken, planned anew at that moment. Scope: `liquidation`, platform only."""
        return self.decide(case_id, serializers.ApprovalSerializer, case_approve)


class PauseView(DecisionView):
    @extend_schema(
        operation_id="liquidation_cases_pause",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.DecisionSerializer,
        responses={200: serializers.CaseSerializer, **DECISION_ERRORS},
        examples=[examples.DECISION, examples.CASE],
    )
    @idempotent
    def post(self, request: Request, case_id: int) -> Response:
        """Stop a case; no step is taken after the answer. Scope: `liquidation`, platform only."""
        return self.decide(case_id, serializers.DecisionSerializer, case_pause)


class ResumeView(DecisionView):
    @extend_schema(
        operation_id="liquidation_cases_resume",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.DecisionSerializer,
        responses={200: serializers.CaseSerializer, **DECISION_ERRORS},
        examples=[examples.DECISION, examples.CASE],
    )
    @idempotent
    def post(self, request: Request, case_id: int) -> Response:
        """Give a stopped case back to the workers. Scope: `liquidation`, platform only."""
        return self.decide(case_id, serializers.DecisionSerializer, case_resume)
