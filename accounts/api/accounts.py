"""Routes of accounts: each method validates, calls, serialises."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api import filters
from accounts.api.examples import accounts as examples
from accounts.api.serializers import accounts as serializers
from accounts.choices import LedgerKind
from accounts.documents import HedgeLimitDocument
from accounts.models import Account
from accounts.services.accounts import account_create, hedge_limits_set
from accounts.services.changes import account_changing
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent
from pmplatform.common.pagination import StrictOrdering
from pmplatform.common.problems import problem_responses
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_UNREADABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_LIST_ERRORS = problem_responses(*_UNREADABLE)
_WRITE_ERRORS = problem_responses(
    *_UNREADABLE, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY
)
_ACCOUNT_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND)


class ListView(ApiView):
    filter_backends = (filters.StrictFilters, StrictOrdering)
    ordering_fields: tuple[str, ...] = ("id",)

    def _list(self) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class AccountListView(ListView):
    """A list that belongs to one account; somebody else's account is not found."""

    def _account(self) -> Account:
        return selectors.account_get(principal=self.principal, account_id=self.kwargs["account_id"])


class AccountsView(ListView):
    serializer_class = serializers.AccountSerializer
    required_scopes = {"GET": Scope.READ, "POST": Scope.TRADE}
    filterset_class = filters.AccountFilters
    ordering_fields = ("id", "code")
    queryset = Account.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.accounts_visible(principal=self.principal)

    @extend_schema(
        operation_id="accounts_list",
        responses={200: serializers.AccountSerializer(many=True), **_LIST_ERRORS},
        examples=[examples.ACCOUNT],
    )
    def get(self, request: Request) -> Response:
        """The accounts you may see. Scope: `read`."""
        return self._list()

    @extend_schema(
        operation_id="accounts_create",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.AccountCreateSerializer,
        responses={201: serializers.AccountSerializer, **_WRITE_ERRORS},
        examples=[examples.ACCOUNT_CREATE, examples.ACCOUNT],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Open an empty account; `standard` margins it until it is enrolled. Scope: `trade`.

        The platform has to name a `tenant`; for a tenant it is its own.
        """
        wanted = serializers.AccountCreateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        settings = dict(wanted.validated_data)
        tenant = selectors.tenant_writable(principal=self.principal, slug=settings.pop("tenant", None))
        account = account_create(tenant_id=tenant.pk, **settings, actor=self.actor, now=timezone.now())
        return Response(self.get_serializer(account).data, status=HTTPStatus.CREATED)


class AccountView(ApiView):
    serializer_class = serializers.AccountSerializer

    @extend_schema(
        operation_id="accounts_read",
        responses={200: serializers.AccountSerializer, **_ACCOUNT_ERRORS},
        examples=[examples.ACCOUNT],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """One account with its settings. Scope: `read`."""
        account = selectors.account_get(principal=self.principal, account_id=account_id)
        return Response(self.get_serializer(account).data)


class BalancesView(AccountListView):
    serializer_class = serializers.BalanceSerializer
    ordering = ordering_fields = ("currency",)

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.account_balances(account=self._account())

    @extend_schema(
        operation_id="accounts_balances",
        responses={200: serializers.BalanceSerializer(many=True), **_ACCOUNT_ERRORS},
        examples=[examples.BALANCE],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Cash by currency. Scope: `read`."""
        return self._list()


class PositionsView(AccountListView):
    serializer_class = serializers.PositionSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.account_positions(account=self._account())

    @extend_schema(
        operation_id="accounts_positions",
        responses={200: serializers.PositionSerializer(many=True), **_ACCOUNT_ERRORS},
        examples=[examples.POSITION],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Open positions. Scope: `read`."""
        return self._list()


class OrdersView(AccountListView):
    serializer_class = serializers.OrderSerializer
    filterset_class = filters.OrderFilters

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.account_orders(account=self._account())

    @extend_schema(
        operation_id="accounts_orders",
        responses={200: serializers.OrderSerializer(many=True), **_ACCOUNT_ERRORS},
        examples=[examples.ORDER],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Orders, of every state unless filtered. Scope: `read`."""
        return self._list()


class LedgerView(AccountListView):
    serializer_class = serializers.LedgerEntrySerializer
    filterset_class = filters.LedgerFilters

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.account_ledger(account=self._account())

    @extend_schema(
        operation_id="accounts_ledger",
        responses={200: serializers.LedgerEntrySerializer(many=True), **_ACCOUNT_ERRORS},
        examples=[examples.LEDGER_ENTRY],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Every change of the account, oldest first; `ordering=-id` for the newest first. Scope: `read`."""
        return self._list()


class HedgeLimitsView(AccountListView):
    serializer_class = serializers.HedgeLimitSerializer
    required_scopes = {"GET": Scope.READ, "PUT": Scope.TRADE}
    ordering = ordering_fields = ("coin",)

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.account_hedge_limits(account=self._account())

    @extend_schema(
        operation_id="accounts_hedge_limits",
        responses={200: serializers.HedgeLimitSerializer(many=True), **_ACCOUNT_ERRORS},
        examples=[examples.HEDGE_LIMIT],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Limits on the spot that may hedge, by coin; a coin without one hedges with all. Scope: `read`."""
        return self._list()

    @extend_schema(
        operation_id="accounts_hedge_limits_set",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.HedgeLimitsSerializer,
        responses={200: serializers.HedgeLimitsSerializer, **_WRITE_ERRORS},
        examples=[examples.HEDGE_LIMITS],
    )
    @idempotent
    def put(self, request: Request, account_id: int) -> Response:
        """Replace all hedge limits of the account. Scope: `trade`."""
        wanted = serializers.HedgeLimitsSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        rows = wanted.validated_data["hedge_limits"]
        limits = {coin: HedgeLimitDocument(**limit) for coin, limit in rows.items()}
        account = selectors.account_writable(principal=self.principal, account_id=account_id)
        with account_changing(
            account_id=account.pk, kind=LedgerKind.SETTING, actor=self.actor, now=timezone.now()
        ) as change:
            hedge_limits_set(change=change, limits=limits)
        return Response(wanted.data)


class InstrumentsView(ListView):
    serializer_class = serializers.InstrumentSerializer
    filterset_class = filters.InstrumentFilters
    ordering_fields = ("id", "code")

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.instruments_all()

    @extend_schema(
        operation_id="instruments_list",
        responses={200: serializers.InstrumentSerializer(many=True), **_LIST_ERRORS},
        examples=[examples.INSTRUMENT],
    )
    def get(self, request: Request) -> Response:
        """Contract specifications, in the terms of the book document. Scope: `read`."""
        return self._list()
