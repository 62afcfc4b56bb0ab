"""An account's page: its newest figures as stored or under another methodology, and why they are so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.safestring import SafeString

from margin import selectors
from margin.console.charts import BarView, CurveView, RatioView, component_bars, curve_view, ratio_view
from margin.console.report import ExplanationView, ResultPage, explanation_views, result_page, status_mark
from margin.engine.comparison import under
from margin.engine.curve import PRICE_MOVES, VOL_MOVES, Axis, curve_of
from margin.engine.documents.book import BookDocument, coins_of
from margin.engine.errors import DocumentError
from margin.engine.explain.document import explanation_of
from margin.engine.market import STABLE_CURRENCIES
from margin.engine.methodologies.registry import methodology
from margin.engine.requests import curve_choice
from margin.engine.simulation import report_of as report_of_book
from margin.models import MarginResult
from margin.services.explanations import hedge_mode_of, result_comparison
from margin.services.inputs import result_book
from margin.services.reports import report_of
from pmplatform.common.console import money, percent

#: The page draws every second point of the API's curve, which takes half the time and looks the same.
_MOVES: Final = {Axis.PRICE: PRICE_MOVES[::2], Axis.VOL: VOL_MOVES[::2]}
_METHODOLOGY: Final = "methodology"
_CURVE_FIELDS: Final = ("coin", "axis")


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """A methodology's figures; ``reason`` says why there are none. ``query`` leads to its page."""

    methodology: str
    query: str
    is_shown: bool
    is_stored: bool
    status: SafeString
    figures: tuple[SafeString, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class CurveChoice:
    """What the form of the curve offers, and what is drawn; ``fault`` says why nothing is."""

    coins: tuple[str, ...]
    coin: str
    axis: str
    view: CurveView | None
    fault: str


@dataclass(frozen=True, slots=True)
class AccountPage:
    """``what_if`` names the methodology when it is not the stored one; ``fault`` says why it cannot be shown.

    Without the inputs of the result there are its stored figures only.
    """

    what_if: str
    fault: str
    result: ResultPage
    ratio: RatioView
    sentence: str
    comparison: tuple[ComparisonRow, ...]
    bars: tuple[BarView, ...]
    explanations: tuple[ExplanationView, ...]
    curve: CurveChoice | None


@dataclass(frozen=True, eq=False)
class _Shown:
    """What the page shows: a report, and the book it comes from with its explanation."""

    report: dict[str, Any]
    book: BookDocument | None = None
    explanation: Mapping[str, Any] | None = None
    what_if: str = ""
    fault: str = ""


def account_page(result: MarginResult, query: Mapping[str, str]) -> AccountPage:
    """The page of a result; `query` may choose a methodology, and the coin and axis of the curve."""
    book = result_book(result=result)
    shown = _shown(result, book, query.get(_METHODOLOGY, ""))
    thresholds = selectors.thresholds_of(shown.report)
    explanations = explanation_views(shown.explanation)
    return AccountPage(
        what_if=shown.what_if,
        fault=shown.fault,
        result=result_page(shown.report, thresholds),
        ratio=ratio_view(shown.report["account"], thresholds),
        sentence=explanations[0].words if explanations else "",
        comparison=() if book is None else tuple(_comparison(result, book, shown, query)),
        bars=component_bars(shown.explanation or {}),
        explanations=explanations,
        curve=None if shown.book is None else _curve(shown.book, query, thresholds),
    )


def _shown(result: MarginResult, book: BookDocument | None, asked: str) -> _Shown:
    stored = _Shown(report_of(result), book, None if book is None else explanation_of(book))
    if asked in ("", stored.report["methodology"]):
        return stored
    if book is None:
        return replace(stored, fault="The inputs of this result are not kept any more.")
    try:
        methodology(asked)
        other = under(book, asked, hedge_mode_of(book), selectors.parameter_library())
        return _Shown(report_of_book(other, result.input_sha256), other, explanation_of(other), what_if=asked)
    except DocumentError as error:
        return replace(stored, fault=str(error))


def _comparison(
    result: MarginResult, book: BookDocument, shown: _Shown, query: Mapping[str, str]
) -> Iterator[ComparisonRow]:
    compared = result_comparison(result=result, book=book)
    savings, reasons = compared.pop("saving") or {}, compared.pop("reasons")
    kept = {name: query[name] for name in _CURVE_FIELDS if query.get(name)}
    for name, figures in compared.items():
        yield ComparisonRow(
            methodology=name,
            query=urlencode({_METHODOLOGY: name, **kept}),
            is_shown=name == shown.report["methodology"],
            is_stored=name == book.methodology,
            status=status_mark(figures["status"]) if figures else SafeString(),
            figures=_compared(figures, savings.get(name)) if figures else (),
            reason=reasons.get(name, ""),
        )


def _compared(figures: Mapping[str, Any], saving: Mapping[str, Any] | None) -> tuple[SafeString, ...]:
    """MMR, IMR, ratio, and what `standard` asks for more of both, with and without short options' value."""
    saved = saving or {}
    bare = saved.get("without_short_option_value", {})
    return (
        money(figures["mmr"]),
        money(figures["imr"]),
        percent(figures["margin_ratio"]),
        *(money(saved.get(name), signed=True) for name in ("mmr", "imr")),
        *(money(bare.get(name), signed=True) for name in ("mmr", "imr")),
    )


def _curve(book: BookDocument, query: Mapping[str, str], thresholds: Mapping[str, float]) -> CurveChoice:
    stable = set(STABLE_CURRENCIES)
    coins = {*coins_of(book.account_rows, book.market_rows), *(set(book.account_rows.balances) - stable)}
    try:
        coin, axis = curve_choice({name: query[name] for name in _CURVE_FIELDS if query.get(name)})
        curve = curve_of(book, coin, axis, _MOVES[axis])
    except DocumentError as error:
        return CurveChoice(
            tuple(sorted(coins)), query.get("coin", ""), query.get("axis", ""), None, str(error)
        )
    return CurveChoice(tuple(sorted(coins)), curve.coin, str(axis), curve_view(curve, thresholds), "")
