"""Routes by which a holder enters, leaves and changes portfolio margin; each needs a margin figure."""

from http import HTTPStatus

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.accounts import AccountView
from accounts.api.examples.accounts import ACCOUNT
from accounts.api.serializers.accounts import AccountSerializer
from accounts.choices import HedgeMode, Methodology
from accounts.eligibility import kept_hedge_mode
from accounts.selectors import account_get, account_writable
from accounts.services.eligibility import declaration_accept
from margin.api.examples import eligibility as examples
from margin.api.labels import LABELS, LabelledView
from margin.api.serializers import eligibility as serializers
from margin.market_states import snapshots
from margin.services.enrolment import account_enrol, account_leave, account_methodology_change
from margin.services.status import eligibility_status
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent
from pmplatform.common.problems import problem_responses
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_READ_ERRORS = problem_responses(
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
)
_WRITE_ERRORS = problem_responses(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


class AccountTermsView(AccountView):
    """The account itself, with the change of its terms."""

    required_scopes = {"GET": Scope.READ, "PATCH": Scope.TRADE}

    @extend_schema(
        operation_id="accounts_change",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.AccountTermsSerializer,
        responses={200: AccountSerializer, **_WRITE_ERRORS},
        examples=[examples.TERMS, ACCOUNT],
    )
    @idempotent
    def patch(self, request: Request, account_id: int) -> Response:
        """Choose another methodology or hedge mode. Scope: `trade`.

        A hedge mode that a new methodology lacks is given up unless another is named. Refused in
        liquidation, and where adjusted equity would not cover the IMR that follows.
        """
        wanted = serializers.AccountTermsSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        account = account_writable(principal=self.principal, account_id=account_id)
        methodology = Methodology(wanted.validated_data.get("methodology", account.methodology))
        kept = kept_hedge_mode(account.hedge_mode, methodology)
        mode = wanted.validated_data.get("hedge_mode", kept)
        account_methodology_change(
            account_id=account.pk,
            methodology=methodology,
            hedge_mode=HedgeMode(mode) if mode else None,
            actor=self.actor,
            now=timezone.now(),
        )
        account.refresh_from_db()
        return Response(self.get_serializer(account).data)


class EligibilityView(LabelledView):
    serializer_class = serializers.EligibilitySerializer

    @extend_schema(
        operation_id="accounts_eligibility",
        parameters=LABELS,
        responses={200: serializers.EligibilitySerializer, **_READ_ERRORS},
        examples=[examples.ELIGIBILITY],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Where the account stands, why, what is asked of it, and how it came there. Scope: `read`."""
        account = account_get(principal=self.principal, account_id=account_id)
        self.snapshot = snapshots().first()
        status = eligibility_status(account_id=account.pk, now=timezone.now())
        return Response(self.get_serializer(status).data)


class DeclarationsView(ApiView):
    serializer_class = serializers.AcceptanceSerializer
    required_scopes = {"POST": Scope.TRADE}

    @extend_schema(
        operation_id="accounts_declarations_accept",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.AcceptSerializer,
        responses={201: serializers.AcceptanceSerializer, **_WRITE_ERRORS},
        examples=[examples.ACCEPT, examples.ACCEPTANCE],
    )
    @idempotent
    def post(self, request: Request, account_id: int) -> Response:
        """Accept the current declaration of understanding for the account. Scope: `trade`."""
        wanted = serializers.AcceptSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        account = account_writable(principal=self.principal, account_id=account_id)
        acceptance = declaration_accept(
            account_id=account.pk,
            version=wanted.validated_data["version"],
            address=request.META.get("REMOTE_ADDR"),
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(self.get_serializer(acceptance).data, status=HTTPStatus.CREATED)


class EnrolView(ApiView):
    serializer_class = AccountSerializer
    required_scopes = {"POST": Scope.TRADE}

    @extend_schema(
        operation_id="accounts_enrol",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.EnrolSerializer,
        responses={200: AccountSerializer, **_WRITE_ERRORS},
        examples=[examples.ENROL, ACCOUNT],
    )
    @idempotent
    def post(self, request: Request, account_id: int) -> Response:
        """Enter portfolio margin; a refusal lists every reason and the figures. Scope: `trade`."""
        wanted = serializers.EnrolSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        name = wanted.validated_data.get("methodology")
        account = account_writable(principal=self.principal, account_id=account_id)
        account_enrol(
            account_id=account.pk,
            methodology=Methodology(name) if name else None,
            actor=self.actor,
            now=timezone.now(),
        )
        account.refresh_from_db()
        return Response(self.get_serializer(account).data)


class LeaveView(ApiView):
    serializer_class = AccountSerializer
    required_scopes = {"POST": Scope.TRADE}

    @extend_schema(
        operation_id="accounts_leave",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.LeaveSerializer,
        responses={200: AccountSerializer, **_WRITE_ERRORS},
        examples=[ACCOUNT],
    )
    @idempotent
    def post(self, request: Request, account_id: int) -> Response:
        """Go back to `standard`; refused where equity would not cover its IMR. Scope: `trade`."""
        serializers.LeaveSerializer(data=request.data).is_valid(raise_exception=True)
        account = account_writable(principal=self.principal, account_id=account_id)
        account_leave(account_id=account.pk, actor=self.actor, now=timezone.now())
        account.refresh_from_db()
        return Response(self.get_serializer(account).data)
