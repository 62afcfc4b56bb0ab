"""Routes that compute from documents, or from an account and changes to it, and store nothing."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import account_get
from margin import selectors
from margin.api.examples import simulations as examples
from margin.api.examples import venues as venue_examples
from margin.api.formats import format_parameter, venue_format
from margin.api.labels import LABELS, LabelledView
from margin.engine import requests
from margin.engine.errors import DocumentError
from margin.engine.explain.document import explain_document
from margin.engine.hashing import sha256_of
from margin.engine.parameters.library import Library
from margin.engine.simulation import margin_report, report_of
from margin.engine.what_if import what_if_of
from margin.market_states import snapshots
from margin.services.books import stored_book
from margin.services.venue_books import position_builder_book
from margin.venues.formats import VenueFormat
from margin.venues.okx import position_builder
from pmplatform.common.errors import FieldError, ValidationFailed
from pmplatform.common.parsers import MIB, FloatJSONParser
from pmplatform.common.problems import problem_responses
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_UNREADABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_LIST_ERRORS = problem_responses(*_UNREADABLE)
_VENUE_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.UNPROCESSABLE_ENTITY)
_READ_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND)
_WHAT_IF_ERRORS = problem_responses(*_UNREADABLE, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


class StatelessView(ApiView):
    """Computes from a document and stores nothing."""

    required_scopes = {"POST": Scope.READ}
    parser_classes = (FloatJSONParser,)
    max_body_bytes = 8 * MIB


class SimulationsView(LabelledView, StatelessView):
    @extend_schema(
        operation_id="simulations_create",
        parameters=[*LABELS, format_parameter(VenueFormat.OKX)],
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **_VENUE_ERRORS},
        examples=[
            examples.BOOK,
            venue_examples.OKX_REQUEST,
            examples.REPORT,
            venue_examples.OKX,
        ],
    )
    def post(self, request: Request) -> Response:
        """The margin report of a book document; nothing is stored. Scope: `read`.

        `parameters` null takes the version in force at `as_of`, a string names a stored one, an object is
        one of your own. With `format=okx` the body is a request of OKX's position builder instead, `simPos`
        and `simAsset`, margined by okx-2025 at the newest snapshot, and so is the answer.
        """
        if venue_format(request, [VenueFormat.OKX]):
            return simulated(self._position_builder, request)
        return simulated(margin_report, request)

    def _position_builder(self, body: Any, library: Library) -> dict[str, Any]:
        self.snapshot = snapshots().first()
        book = position_builder_book(body=body, snapshot=self.snapshot)
        return position_builder(book, report_of(book, sha256_of(body)), is_real=False)


class ExplainView(StatelessView):
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
        return simulated(explain_document, request)


class CompareView(StatelessView):
    @extend_schema(
        operation_id="simulations_compare",
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **_LIST_ERRORS},
        examples=[examples.COMPARE, examples.COMPARISON],
    )
    def post(self, request: Request) -> Response:
        """The account of a book document under every methodology, and what each saves. Scope: `read`.

        A methodology that cannot margin the book is null, with the reason under `reasons`. `saving` is the
        requirement of `standard` less that of the methodology; `without_short_option_value` leaves out the
        value of short options, which `standard` asks for although the equity is without it already.
        """
        return simulated(requests.compare_request, request)


class CurveView(StatelessView):
    @extend_schema(
        operation_id="simulations_curve",
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **_LIST_ERRORS},
        examples=[examples.CURVE, examples.CURVE_DRAWN],
    )
    def post(self, request: Request) -> Response:
        """Equity, requirement and ratio of a book document as a coin moves. Scope: `read`.

        `axis` is `price` (default; moves are relative) or `vol` (vol points); `coin` is that of the largest
        notional if absent, `moves` up to 601 ascending numbers. `liquidation_moves` are where the account
        passes the liquidation threshold, `liquidation_prices` the same as USD prices of the coin.
        """
        return simulated(requests.curve_request, request)


class WhatIfView(StatelessView, LabelledView):
    @extend_schema(
        operation_id="simulations_what_if",
        parameters=LABELS,
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **_WHAT_IF_ERRORS},
        examples=[examples.WHAT_IF, examples.WHAT_IF_ANSWER],
    )
    def post(self, request: Request) -> Response:
        """Reports before and after changes, and the difference. Scope: `read`.

        Give a `book`, or the id of an `account` of yours to be taken at the newest snapshot. `changes` adds
        `positions`, `orders` and `balances`; its `shifts` move the market: `price` by coin (relative),
        `vol_points`, `fx` (new rates of stable currencies) and `seconds`.
        """
        return simulated(self._answer, request)

    def _answer(self, body: Any, library: Library) -> dict[str, Any]:
        asked = requests.what_if_request(body)
        if asked.account is None:
            return asked.answer(library)
        account = account_get(principal=self.principal, account_id=asked.account)
        self.snapshot = snapshots().first()
        book, sha256 = stored_book(account_id=account.pk)
        return what_if_of(book, asked.changes, sha256)


def simulated(answer: Callable[[Any, Library], dict[str, Any]], request: Request) -> Response:
    """The answer to a request body; 400 with the path of every fault."""
    try:
        return Response(answer(request.data, selectors.parameter_library()))
    except DocumentError as error:
        raise ValidationFailed(FieldError(fault.path, fault.message) for fault in error.faults) from error
