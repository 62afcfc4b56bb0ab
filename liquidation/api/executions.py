"""The route by which a venue tells of executions: signed by the secret that both sides share."""

from http import HTTPStatus
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from liquidation.api.examples import queue as examples
from liquidation.api.serializers import executions as serializers
from liquidation.authentication import VenueAuthentication
from liquidation.execution.port import Report, ReportStatus, VenueFill
from liquidation.selectors import orders_filled
from liquidation.services.callbacks import execution_report
from pmplatform.common.permissions import HasPrincipal
from pmplatform.common.problems import problem_responses
from pmplatform.common.views import ApiView


class ExecutionsView(ApiView):
    serializer_class = serializers.ReceiptSerializer
    authentication_classes = (VenueAuthentication,)
    permission_classes = (HasPrincipal,)

    @extend_schema(
        operation_id="liquidation_executions_report",
        request=serializers.ExecutionReportSerializer,
        responses={
            200: serializers.ReceiptSerializer,
            **problem_responses(
                HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
            ),
        },
        examples=[examples.EXECUTION_REPORT, examples.EXECUTION_RECEIPT],
    )
    def post(self, request: Request) -> Response:
        """What has become of a liquidation order so far. For the venue alone, by signature.

        `fills` is the whole list up to now, not the news: each is booked once by its `id`, however often it
        is told. A report that cannot be true is answered 409, and a person has to look at the case.
        """
        told = serializers.ExecutionReportSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        order, news = execution_report(
            report=_report(told.validated_data), actor=self.actor, now=timezone.now()
        )
        filled = orders_filled([order]).get(order.pk, 0)
        receipt = {"key": order.key, "status": order.status, "filled": filled, "booked": news}
        return Response(self.get_serializer(receipt).data)


def _report(told: dict[str, Any]) -> Report:
    fills = tuple(VenueFill(**fill) for fill in told["fills"])
    return Report(told["key"], ReportStatus(told["status"]), fills)
