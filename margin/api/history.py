"""Routes of an account's margin over time: the results that are kept, and its margin at any instant."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import account_get
from margin import selectors
from margin.api.examples import simulations as examples
from margin.choices import MarginStatus, RunReason
from margin.models import MarginResult
from margin.services.pasts import margin_as_of
from pmplatform.common.errors import ValidationFailed
from pmplatform.common.pagination import StrictOrdering
from pmplatform.common.problems import problem_responses
from pmplatform.common.serializers import AmountSerializerField, StrictSerializer
from pmplatform.common.views import ApiView

_READ = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_AS_OF_RESPONSES: dict[Any, Any] = {
    200: OpenApiTypes.OBJECT,
    **problem_responses(*_READ, HTTPStatus.UNPROCESSABLE_ENTITY),
}
_HISTORY = OpenApiExample(
    "result",
    value={
        "id": 81_204,
        "run": 512,
        "reason": "change",
        "snapshot": 77,
        "as_of": "2025-02-03T10:00:00Z",
        "ledger_position": 40_122,
        "status": "normal",
        "net_equity": "24932.4",
        "adjusted_equity": "24932.4",
        "mmr": "1187.9",
        "imr": "1544.27",
        "margin_ratio": 20.98,
        "leverage": 3.88,
        "standard_mmr": "2410.5",
        "standard_imr": "3133.65",
        "input_sha256": "51ab...",
    },
    response_only=True,
)


class ResultSerializer(StrictSerializer):
    id = serializers.IntegerField(help_text="What `verify_margin` takes")
    run = serializers.IntegerField(source="run_id")
    reason = serializers.ChoiceField(RunReason.choices, source="run.reason")
    snapshot = serializers.IntegerField(source="snapshot_id")
    as_of = serializers.DateTimeField(source="run.snapshot.as_of", help_text="Moment of the market")
    ledger_position = serializers.IntegerField(help_text="How far the account's ledger was")
    status = serializers.ChoiceField(MarginStatus.choices)
    net_equity = AmountSerializerField()
    adjusted_equity = AmountSerializerField()
    mmr = AmountSerializerField()
    imr = AmountSerializerField()
    margin_ratio = serializers.FloatField(allow_null=True)
    leverage = serializers.FloatField(allow_null=True)
    standard_mmr = AmountSerializerField(allow_null=True)
    standard_imr = AmountSerializerField(allow_null=True)
    input_sha256 = serializers.CharField(help_text="Hash over all that the result depends on")


class InstantSerializer(StrictSerializer):
    at = serializers.DateTimeField(help_text="An instant that has passed, RFC 3339")


class HistoryView(ApiView):
    serializer_class = ResultSerializer
    filter_backends = (StrictOrdering,)
    ordering_fields = ("id",)
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[MarginResult]:
        account = account_get(principal=self.principal, account_id=self.kwargs["account_id"])
        return selectors.results_of(account.pk)

    @extend_schema(
        operation_id="accounts_margin_history",
        responses={200: ResultSerializer(many=True), **problem_responses(*_READ)},
        examples=[_HISTORY],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """The kept results of an account, newest first. Scope: `read`.

        Passing ones are forgotten after a while; `as-of` computes any of them again.
        """
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class AsOfView(ApiView):
    @extend_schema(
        operation_id="accounts_margin_as_of",
        parameters=[InstantSerializer],
        responses=_AS_OF_RESPONSES,
        examples=[examples.REPORT],
    )
    def get(self, request: Request, account_id: int) -> HttpResponse:
        """The margin report of an account as it was at an instant. Scope: `read`.

        Its ledger up to then, at the snapshot whose market was the newest then, by the parameters and the
        methodology in force then; computed anew, byte for byte what a run at that time has stored.
        """
        account = account_get(principal=self.principal, account_id=account_id)
        wanted = InstantSerializer(data=request.query_params.dict())
        wanted.is_valid(raise_exception=True)
        at = wanted.validated_data["at"]
        if at > timezone.now():
            raise ValidationFailed.at("at", "has not come yet")
        return HttpResponse(margin_as_of(account_id=account.pk, at=at), content_type="application/json")
