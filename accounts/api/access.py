"""Routes of access: a tenant's tokens and webhooks."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.accounts import ListView
from accounts.api.examples import access as examples
from accounts.api.serializers import access as serializers
from accounts.models import ApiToken, Webhook
from accounts.services.tokens import token_create, token_revoke
from accounts.services.webhooks import (
    webhook_change,
    webhook_create,
    webhook_delete,
    webhook_rotate,
)
from pmplatform.common.idempotency import IDEMPOTENCY_PARAMETER, idempotent, idempotent_withholding
from pmplatform.common.problems import problem_responses
from pmplatform.common.serializers import StrictSerializer
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_UNREADABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_LIST_ERRORS = problem_responses(*_UNREADABLE)
_READ_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND)
_WRITE_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


class TokensView(ListView):
    serializer_class = serializers.TokenSerializer
    required_scopes = {"GET": Scope.TRADE, "POST": Scope.TRADE}
    queryset = ApiToken.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.tokens_visible(principal=self.principal)

    @extend_schema(
        operation_id="tokens_list",
        responses={200: serializers.TokenSerializer(many=True), **_LIST_ERRORS},
        examples=[examples.TOKEN],
    )
    def get(self, request: Request) -> Response:
        """The tokens of your tenant, revoked ones included; never their secrets. Scope: `trade`."""
        return self._list()

    @extend_schema(
        operation_id="tokens_create",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.TokenCreateSerializer,
        responses={201: serializers.IssuedTokenSerializer, **_WRITE_ERRORS},
        examples=[examples.TOKEN_CREATE, examples.TOKEN_ISSUED],
    )
    @idempotent_withholding("token")
    def post(self, request: Request) -> Response:
        """Issue a token, whose text is shown this once. Scope: `trade`.

        It may carry `read` and `trade`, as far as you have them. Only a keyed digest of the text is kept: the
        answer to a repeated `Idempotency-Key` has null in its place.
        """
        wanted = _validated(serializers.TokenCreateSerializer, request)
        scopes = frozenset(map(Scope, wanted.pop("scopes")))
        tenant = selectors.tenant_writable(principal=self.principal, slug=wanted.pop("tenant", None))
        issued = token_create(
            tenant=tenant,
            scopes=scopes,
            **wanted,
            issuer=self.principal.scopes,
            actor=self.actor,
            now=timezone.now(),
        )
        shown = self.get_serializer(issued.row).data
        return Response({**shown, "token": issued.text}, status=HTTPStatus.CREATED)


class TokenView(ApiView):
    serializer_class = serializers.TokenSerializer
    required_scopes = {"DELETE": Scope.TRADE}

    @extend_schema(
        operation_id="tokens_revoke",
        parameters=[IDEMPOTENCY_PARAMETER],
        responses={200: serializers.TokenSerializer, **_WRITE_ERRORS},
        examples=[examples.TOKEN],
    )
    @idempotent
    def delete(self, request: Request, token_id: str) -> Response:
        """Revoke a token of your tenant for good. Scope: `trade`."""
        token = selectors.token_writable(principal=self.principal, public_id=token_id)
        revoked = token_revoke(public_id=token.public_id, actor=self.actor)
        return Response(self.get_serializer(revoked).data)


class WebhooksView(ListView):
    serializer_class = serializers.WebhookSerializer
    required_scopes = {"GET": Scope.TRADE, "POST": Scope.TRADE}
    queryset = Webhook.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.webhooks_visible(principal=self.principal)

    @extend_schema(
        operation_id="webhooks_list",
        responses={200: serializers.WebhookSerializer(many=True), **_LIST_ERRORS},
        examples=[examples.WEBHOOK],
    )
    def get(self, request: Request) -> Response:
        """The webhooks of your tenant. Scope: `trade`."""
        return self._list()

    @extend_schema(
        operation_id="webhooks_create",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.WebhookCreateSerializer,
        responses={201: serializers.IssuedWebhookSerializer, **_WRITE_ERRORS},
        examples=[examples.WEBHOOK_CREATE, examples.WEBHOOK_ISSUED],
    )
    @idempotent_withholding("secret")
    def post(self, request: Request) -> Response:
        """Be called with events as they happen. Scope: `trade`.

        Each call is a POST of the event as the stream sends it, signed: `X-PM-Signature` has `v1=` and the
        hex HMAC-SHA256 of `X-PM-Timestamp`, a dot and the body under the secret, which is shown this once.
        Refuse what is older than five minutes. Answer 2xx within seconds; else the call is repeated eight
        times over half an hour, so the same event may come twice. Redirects are not followed.
        """
        wanted = _validated(serializers.WebhookCreateSerializer, request)
        tenant = selectors.tenant_writable(principal=self.principal, slug=wanted.pop("tenant", None))
        issued = webhook_create(tenant=tenant, **wanted, actor=self.actor, now=timezone.now())
        shown = self.get_serializer(issued.row).data
        return Response({**shown, "secret": issued.secret}, status=HTTPStatus.CREATED)


class WebhookView(ApiView):
    serializer_class = serializers.WebhookSerializer
    required_scopes = {"GET": Scope.TRADE, "PATCH": Scope.TRADE, "DELETE": Scope.TRADE}

    @extend_schema(
        operation_id="webhooks_read",
        responses={200: serializers.WebhookSerializer, **_READ_ERRORS},
        examples=[examples.WEBHOOK],
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        """One webhook. Scope: `trade`."""
        webhook = selectors.webhook_get(principal=self.principal, webhook_id=webhook_id)
        return Response(self.get_serializer(webhook).data)

    @extend_schema(
        operation_id="webhooks_change",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=serializers.WebhookChangeSerializer,
        responses={200: serializers.WebhookSerializer, **_WRITE_ERRORS},
        examples=[examples.WEBHOOK_CHANGE, examples.WEBHOOK],
    )
    @idempotent
    def patch(self, request: Request, webhook_id: int) -> Response:
        """Change address, events or whether it is enabled. Scope: `trade`.

        Enabled again, it hears of events from then on, not of those that it missed.
        """
        wanted = _validated(serializers.WebhookChangeSerializer, request)
        webhook = selectors.webhook_writable(principal=self.principal, webhook_id=webhook_id)
        changed = webhook_change(webhook=webhook, **wanted, actor=self.actor)
        return Response(self.get_serializer(changed).data)

    @extend_schema(
        operation_id="webhooks_delete",
        parameters=[IDEMPOTENCY_PARAMETER],
        responses={204: None, **_WRITE_ERRORS},
    )
    @idempotent
    def delete(self, request: Request, webhook_id: int) -> Response:
        """Forget a webhook, and what it is still owed. Scope: `trade`."""
        webhook = selectors.webhook_writable(principal=self.principal, webhook_id=webhook_id)
        webhook_delete(webhook=webhook, actor=self.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


class RotateView(ApiView):
    serializer_class = serializers.WebhookSerializer
    required_scopes = {"POST": Scope.TRADE}

    @extend_schema(
        operation_id="webhooks_rotate",
        parameters=[IDEMPOTENCY_PARAMETER],
        request=None,
        responses={200: serializers.IssuedWebhookSerializer, **_WRITE_ERRORS},
        examples=[examples.WEBHOOK_ISSUED],
    )
    @idempotent_withholding("secret")
    def post(self, request: Request, webhook_id: int) -> Response:
        """Get a new secret, shown this once. Scope: `trade`.

        For a day calls are signed with both, `v1=...,v1=...`, so that no call is lost while you change over.
        """
        self.nothing_given()
        webhook = selectors.webhook_writable(principal=self.principal, webhook_id=webhook_id)
        issued = webhook_rotate(webhook=webhook, actor=self.actor, now=timezone.now())
        shown = self.get_serializer(issued.row).data
        return Response({**shown, "secret": issued.secret})


class DeliveriesView(ListView):
    serializer_class = serializers.DeliverySerializer
    required_scopes = {"GET": Scope.TRADE}

    def get_queryset(self) -> QuerySet[Any]:
        webhook = selectors.webhook_get(principal=self.principal, webhook_id=self.kwargs["webhook_id"])
        return selectors.webhook_deliveries(webhook=webhook)

    @extend_schema(
        operation_id="webhooks_deliveries",
        responses={200: serializers.DeliverySerializer(many=True), **_READ_ERRORS},
        examples=[examples.DELIVERY],
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        """What the webhook was called with in the last days, and what came of it. Scope: `trade`."""
        return self._list()


def _validated(serializer: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """The body, read strictly."""
    wanted = serializer(data=request.data)
    wanted.is_valid(raise_exception=True)
    return dict(wanted.validated_data)
