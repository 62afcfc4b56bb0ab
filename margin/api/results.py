"""Routes of an account's newest result: as stored, and what the inputs that its run kept tell besides."""

from http import HTTPStatus
from typing import Any, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import account_check, tenant_check
from margin import selectors, stored_reports
from margin.api.examples import simulations as examples
from margin.api.examples import venues as venue_examples
from margin.api.formats import format_parameter, venue_format
from margin.api.labels import LABELS, LabelledView
from margin.engine.curve import Axis, curve_of
from margin.engine.documents.book import BookDocument
from margin.engine.errors import DocumentError
from margin.engine.explain.document import explanation_of
from margin.engine.requests import curve_choice
from margin.engine.simulation import report_of as engine_report
from margin.models import MarginResult
from margin.services.explanations import result_comparison
from margin.services.inputs import result_book
from margin.services.reports import report_bytes, report_of
from margin.venues.formats import VenueFormat
from pmplatform.common.errors import FieldError, NotFound, ValidationFailed
from pmplatform.common.problems import problem_responses

_ERRORS = problem_responses(
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
)
_UNMARGINED: Final = "No completed run has margined this account yet."
_RESPONSES: dict[Any, Any] = {200: OpenApiTypes.OBJECT, **_ERRORS}


class ResultView(LabelledView):
    """Reads the newest result of an account that the caller may see."""

    def result(self, account_id: int) -> MarginResult:
        """The result of the newest completed run; NotFound where no run has margined the account."""
        account_check(principal=self.principal, account_id=account_id)
        result = selectors.result_latest(account_id)
        if result is None:
            raise NotFound(_UNMARGINED)
        self.snapshot = result.run.snapshot
        return result

    def report(self, account_id: int) -> bytes:
        """The margin report of that result, as stored; NotFound likewise, and as `report_bytes`."""
        newest = stored_reports.report_latest(account_id)
        tenant_check(principal=self.principal, tenant=None if newest is None else newest.tenant)
        if newest is None or newest.result is None or newest.snapshot is None:
            raise NotFound(_UNMARGINED)
        self.snapshot = selectors.snapshot_label(newest.snapshot)
        if newest.content is not None:
            return newest.content
        return report_bytes(result=selectors.result_get(newest.result))

    def book(self, result: MarginResult) -> BookDocument:
        """The inputs of the result; NotFound where they are not kept."""
        book = result_book(result=result)
        if book is None:
            raise NotFound("The newest result is of another engine version; await the next run.")
        return book


class MarginView(ResultView):
    @extend_schema(
        operation_id="accounts_margin",
        parameters=[*LABELS, format_parameter(*VenueFormat)],
        responses=_RESPONSES,
        examples=[examples.REPORT, venue_examples.OKX, venue_examples.BYBIT],
    )
    def get(self, request: Request, account_id: int) -> HttpResponseBase:
        """The margin report of the newest completed run, byte for byte as it was stored. Scope: `read`.

        `format=okx` answers as OKX's position builder does, `format=bybit` as Bybit's portfolio-margin
        query: the same figures, from the same inputs. What the account's methodology has no figure for is
        empty there.
        """
        if venue := venue_format(request, list(VenueFormat)):
            result = self.result(account_id)
            book = self.book(result)
            return Response(venue.of(book, engine_report(book, result.input_sha256)))
        return HttpResponse(self.report(account_id), content_type="application/json")


class ScenariosView(ResultView):
    @extend_schema(
        operation_id="accounts_scenarios",
        parameters=LABELS,
        responses=_RESPONSES,
        examples=[examples.SCENARIOS],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """P&L by price and volatility of each risk unit in the newest completed run. Scope: `read`.

        `pnl` has a row for each price move and a column for each volatility shift; `scenarios` and `worst`
        are null where the methodology has no scenarios.
        """
        report = report_of(self.result(account_id))
        return Response(
            {
                unit["unit"]: {"scenarios": unit["scenarios"], "worst": unit["worst"]}
                for unit in report["risk_units"]
            }
        )


class ExplainView(ResultView):
    @extend_schema(
        operation_id="accounts_explain",
        parameters=LABELS,
        responses=_RESPONSES,
        examples=[examples.EXPLANATION],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Where the requirement of the newest completed run comes from, by risk unit. Scope: `read`.

        Computed from the inputs that the run kept, so its sums are those of the stored report.
        """
        return Response(explanation_of(self.book(self.result(account_id))))


class ComparisonView(ResultView):
    @extend_schema(
        operation_id="accounts_comparison",
        parameters=LABELS,
        responses=_RESPONSES,
        examples=[examples.COMPARISON],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """The inputs of the newest completed run under every methodology. Scope: `read`.

        The account's own methodology has the figures of the stored report; see `/simulations/compare`.
        """
        result = self.result(account_id)
        return Response(result_comparison(result=result, book=self.book(result)))


class CurveView(ResultView):
    @extend_schema(
        operation_id="accounts_curve",
        parameters=[
            OpenApiParameter("coin", description="Default: the coin of the largest notional"),
            OpenApiParameter("axis", enum=[str(axis) for axis in Axis], default=str(Axis.PRICE)),
            *LABELS,
        ],
        responses=_RESPONSES,
        examples=[examples.CURVE_DRAWN],
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Equity, requirement and ratio as a coin moves, from the newest completed run. Scope: `read`.

        The point at move 0 has the figures of the stored report; see `/simulations/curve`.
        """
        book = self.book(self.result(account_id))
        try:
            coin, axis = curve_choice(request.query_params.dict())
            return Response(curve_of(book, coin, axis).document())
        except DocumentError as error:
            raise ValidationFailed(FieldError(fault.path, fault.message) for fault in error.faults) from error
