"""Routes of what changes an account: orders, fills, transfers, and what may be withdrawn."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api import accounts as accounts_api
from accounts.api.examples.accounts import ORDER
from accounts.api.serializers.accounts import OrderSerializer
from accounts.choices import LedgerKind
from accounts.documents import FillDocument, OrderDocument, TransferDocument
from accounts.services.changes import account_changing
from accounts.services.orders import order_cancel
from margin.api.examples import trading as examples
from margin.api.labels import LABELS, LabelledView
from margin.api.serializers import trading as serializers
from margin.market_states import snapshots
from margin.services.fills import fill_record
from margin.services.orders import order_enter
from margin.services.transfers import account_withdrawable, transfer_record
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent
from pmplatform.common.problems import problem_responses
from pmplatform.common.serializers import StrictSerializer, shared
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_UNREADABLE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
)
_READ_ERRORS = problem_responses(*_UNREADABLE)
_MARGIN_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.UNPROCESSABLE_ENTITY)
_WRITE_ERRORS = problem_responses(
    *_UNREADABLE,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_READ_AND_TRADE = {"GET": Scope.READ, "POST": Scope.TRADE}


class OrdersView(accounts_api.OrdersView):
    required_scopes = _READ_AND_TRADE

    @extend_schema(
        operation_id="accounts_orders_enter",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.OrderEntrySerializer,
        responses={201: OrderSerializer, **_WRITE_ERRORS},
        examples=[examples.ORDER_ENTRY, ORDER],
    )
    @idempotent
    def post(self, request: Request, account_id: int) -> Response:
        """Enter an order. Scope: `trade`.

        One that adds risk (the initial margin is larger with it than without) is refused, with the figures,
        when adjusted equity would not cover the initial margin or the account may only reduce.
        """
        wanted = _validated(serializers.OrderEntrySerializer, request)
        client_id = wanted.pop("client_id", "")
        selectors.account_check(principal=self.principal, account_id=account_id, to_write=True)
        placed = order_enter(
            account_id=account_id,
            order=OrderDocument(**wanted),
            client_id=client_id,
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(self.get_serializer(placed).data, status=HTTPStatus.CREATED)


class OrderView(ApiView):
    serializer_class = OrderSerializer
    required_scopes = {"DELETE": Scope.TRADE}

    @extend_schema(
        operation_id="accounts_orders_cancel",
        parameters=[IDEMPOTENCY_PARAMETER],
        responses={200: OrderSerializer, **_WRITE_ERRORS},
        examples=[ORDER],
    )
    @idempotent
    def delete(self, request: Request, account_id: int, order_id: int) -> Response:
        """Cancel what is open of an order. Scope: `trade`."""
        selectors.account_check(principal=self.principal, account_id=account_id, to_write=True)
        with account_changing(
            account_id=account_id, kind=LedgerKind.ORDER, actor=self.actor, now=timezone.now()
        ) as change:
            order = order_cancel(change=change, order_id=order_id)
        return Response(self.get_serializer(order).data)


class FillsView(accounts_api.AccountListView):
    serializer_class = serializers.FillSerializer
    required_scopes = _READ_AND_TRADE

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.account_fills(account=self._account())

    @extend_schema(
        operation_id="accounts_fills",
        responses={200: serializers.FillSerializer(many=True), **_READ_ERRORS},
        examples=[examples.FILL],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Fills, oldest first. Scope: `read`."""
        return self._list()

    @extend_schema(
        operation_id="accounts_fills_report",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.FillReportSerializer,
        responses={201: serializers.FillSerializer, **_WRITE_ERRORS},
        examples=[examples.FILL_REPORT, examples.FILL],
    )
    @idempotent
    def post(self, request: Request, account_id: int) -> Response:
        """Report a fill: it moves position, cash and order at its price. Scope: `trade`."""
        report = FillDocument(**_validated(serializers.FillReportSerializer, request))
        selectors.account_check(principal=self.principal, account_id=account_id, to_write=True)
        recorded = fill_record(account_id=account_id, fill=report, actor=self.actor, now=timezone.now())
        answer = shared(serializers.FillSerializer).to_representation(recorded)
        return Response(answer, status=HTTPStatus.CREATED)


class TransfersView(accounts_api.AccountListView):
    serializer_class = serializers.TransferSerializer
    required_scopes = _READ_AND_TRADE

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.account_transfers(account=self._account())

    @extend_schema(
        operation_id="accounts_transfers",
        responses={200: serializers.TransferSerializer(many=True), **_READ_ERRORS},
        examples=[examples.TRANSFER],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Deposits and withdrawals, oldest first. Scope: `read`."""
        return self._list()

    @extend_schema(
        operation_id="accounts_transfers_record",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.TransferRequestSerializer,
        responses={201: serializers.TransferSerializer, **_WRITE_ERRORS},
        examples=[examples.WITHDRAWAL, examples.TRANSFER],
    )
    @idempotent
    def post(self, request: Request, account_id: int) -> Response:
        """Deposit, or withdraw up to what is withdrawable. Scope: `trade`."""
        wanted = TransferDocument(**_validated(serializers.TransferRequestSerializer, request))
        selectors.account_check(principal=self.principal, account_id=account_id, to_write=True)
        recorded = transfer_record(
            account_id=account_id, transfer=wanted, actor=self.actor, now=timezone.now()
        )
        return Response(self.get_serializer(recorded).data, status=HTTPStatus.CREATED)


class WithdrawableView(LabelledView):
    serializer_class = serializers.WithdrawablesSerializer

    @extend_schema(
        operation_id="accounts_withdrawable",
        parameters=LABELS,
        responses={200: serializers.WithdrawablesSerializer, **_MARGIN_ERRORS},
        examples=[examples.WITHDRAWABLE],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """The most of each currency that may leave, by the margin at the newest snapshot. Scope: `read`.

        In the OKX methodologies and `standard` it may exceed the cash, as a borrowing that is margined.
        """
        account = selectors.account_get(principal=self.principal, account_id=account_id)
        self.snapshot = snapshots().first()
        found = account_withdrawable(account_id=account.pk, methodology=account.margin_methodology)
        return Response(self.get_serializer(found).data)


def _validated(serializer: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """The body, read strictly."""
    return dict(shared(serializer).run_validation(request.data))
