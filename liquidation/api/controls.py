"""Routes of what every step obeys, and of the insurance fund."""

from http import HTTPStatus
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.accounts import ListView
from liquidation import selectors
from liquidation.api.cases import DECISION_ERRORS
from liquidation.api.examples import queue as examples
from liquidation.api.serializers import queue as serializers
from liquidation.services.controls import controls_set
from liquidation.services.fund import fund_transfer
from margin.choices import RiskMode
from margin.risk_states import EVERYWHERE, risk_states
from margin.services.risk_states import risk_state_set
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent
from pmplatform.common.problems import problem_responses
from pmplatform.common.serializers import StrictSerializer
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_READ_ERRORS = problem_responses(HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
#: Names the whole platform, where an underlying is named else.
_ALL: Final = "all"


class ControlsView(ApiView):
    serializer_class = serializers.ControlsSerializer
    required_scopes = {"GET": Scope.READ, "PATCH": Scope.LIQUIDATION}
    platform_only_methods = frozenset({"GET", "PATCH"})

    @extend_schema(
        operation_id="liquidation_controls_read",
        responses={200: serializers.ControlsSerializer, **_READ_ERRORS},
        examples=[examples.CONTROLS],
    )
    def get(self, request: Request) -> Response:
        """Kill switch and approve mode. Scope: `read`, platform only."""
        return Response(self.get_serializer(selectors.controls()).data)

    @extend_schema(
        operation_id="liquidation_controls_set",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.ControlsChangeSerializer,
        responses={200: serializers.ControlsSerializer, **DECISION_ERRORS},
        examples=[examples.CONTROLS_CHANGE, examples.CONTROLS],
    )
    @idempotent
    def patch(self, request: Request) -> Response:
        """Turn the switches that are given. Scope: `liquidation`, platform only.

        Once answered, no step is taken any more that they forbid.
        """
        wanted = _validated(serializers.ControlsChangeSerializer, request)
        controls = controls_set(**wanted, actor=self.actor, now=timezone.now())
        return Response(self.get_serializer(controls).data)


class RiskStatesView(ListView):
    serializer_class = serializers.RiskStateSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return risk_states()

    @extend_schema(
        operation_id="liquidation_risk_states_list",
        responses={200: serializers.RiskStateSerializer(many=True), **_READ_ERRORS},
        examples=[examples.RISK_STATE],
    )
    def get(self, request: Request) -> Response:
        """What may be done in underlyings that have a state of their own, and in `all`. Scope: `read`."""
        return self._list()


class RiskStateView(ApiView):
    serializer_class = serializers.RiskStateSerializer
    required_scopes = {"PUT": Scope.RISK}
    platform_only_methods = frozenset({"PUT"})

    @extend_schema(
        operation_id="liquidation_risk_states_set",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.RiskStateChangeSerializer,
        responses={200: serializers.RiskStateSerializer, **DECISION_ERRORS},
        examples=[examples.RISK_STATE_CHANGE, examples.RISK_STATE],
    )
    @idempotent
    def put(self, request: Request, underlying: str) -> Response:
        """Set what may be done in an underlying, or in `all`. Scope: `risk`, platform only.

        `hold`: no liquidation and no new risk; `reduce_only`: no new risk; `halt`: nothing.
        """
        wanted = _validated(serializers.RiskStateChangeSerializer, request)
        state = risk_state_set(
            underlying=EVERYWHERE if underlying == _ALL else underlying,
            mode=RiskMode(wanted["mode"]),
            reason=wanted["reason"],
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(self.get_serializer(state).data)


class FundView(ApiView):
    serializer_class = serializers.FundSerializer
    platform_only_methods = frozenset({"GET"})

    @extend_schema(
        operation_id="liquidation_fund_read",
        responses={200: serializers.FundSerializer, **_READ_ERRORS},
        examples=[examples.FUND],
    )
    def get(self, request: Request) -> Response:
        """What the insurance fund holds. Scope: `read`, platform only."""
        balances = dict(selectors.fund_balances().values_list("currency", "amount"))
        fund = {"balances": balances, "positions": selectors.fund_positions()}
        return Response(self.get_serializer(fund).data)


class FundEntriesView(ListView):
    serializer_class = serializers.FundEntrySerializer
    platform_only_methods = frozenset({"GET"})

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.fund_entries()

    @extend_schema(
        operation_id="liquidation_fund_entries",
        responses={200: serializers.FundEntrySerializer(many=True), **_READ_ERRORS},
        examples=[examples.FUND_ENTRY],
    )
    def get(self, request: Request) -> Response:
        """What has changed the fund, oldest first. Scope: `read`, platform only."""
        return self._list()


class FundTransfersView(ApiView):
    serializer_class = serializers.FundBalanceSerializer
    required_scopes = {"POST": Scope.LIQUIDATION}
    platform_only_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="liquidation_fund_transfer",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.FundTransferSerializer,
        responses={201: serializers.FundBalanceSerializer, **DECISION_ERRORS},
        examples=[examples.FUND_TRANSFER, examples.FUND_BALANCE],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Pay into the insurance fund, or out of it. Scope: `liquidation`, platform only."""
        wanted = _validated(serializers.FundTransferSerializer, request)
        balance = fund_transfer(**wanted, actor=self.actor, now=timezone.now())
        return Response(self.get_serializer(balance).data, status=HTTPStatus.CREATED)


def _validated(serializer: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """The body, read strictly."""
    wanted = serializer(data=request.data)
    wanted.is_valid(raise_exception=True)
    return dict(wanted.validated_data)
