"""A stored margin report as the figures and tables of its console page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.safestring import SafeString

from margin.choices import MarginStatus
from margin.console.splits import SplitRow, split_of
from margin.console.words import component_label
from margin.models import MarginResult
from pmplatform.common.console import (
    HeatRow,
    Mark,
    amount,
    heatmap,
    marked,
    money,
    multiple,
    percent,
    percent_move,
    points,
)

#: How a margin status looks.
STATUS_MARKS: Final = {
    MarginStatus.NORMAL: Mark("safe", "●"),
    MarginStatus.WARNING: Mark("warning", "▲"),
    MarginStatus.REPAY: Mark("warning", "◆"),
    MarginStatus.LIQUIDATION: Mark("danger", "■"),
}
_MONEY: Final = {
    "net_equity": "Net equity, USD",
    "adjusted_equity": "Adjusted equity, USD",
    "mmr": "MMR, USD",
    "imr": "IMR, USD",
    "derivatives_mmr": "MMR of derivatives, USD",
    "borrow_mmr": "MMR of borrowing, USD",
    "upl": "Unrealised profit, USD",
}
_COMPARED: Final = ("adjusted_equity", "mmr", "imr")
_RATES: Final = {"margin_ratio": "Margin ratio", "mmr_rate": "MMR rate", "imr_rate": "IMR rate"}
_CENT: Final = 0.01
_QUANTITIES: Final = {"cash": "Cash", "upl": "Unrealised profit", "equity": "Equity"}
_CURRENCY_MONEY: Final = {
    "usd_value": "Value, USD",
    "discounted_usd": "Discounted, USD",
    "liability_usd": "Liability, USD",
    "borrow_mmr": "Borrow MMR, USD",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and, where it can be told, what it is made of."""

    label: str
    text: SafeString
    split: tuple[SplitRow, ...] = ()


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure of an account before and after something, and what has changed."""

    name: str
    before: SafeString
    after: SafeString
    change: SafeString


@dataclass(frozen=True, slots=True)
class UnitView:
    """A risk unit; ``components`` in the order of the page's headings, ``rows`` empty without scenarios."""

    name: str
    binding: str
    mmr: SafeString
    imr: SafeString
    delta: SafeString
    components: tuple[SafeString, ...]
    vol_shifts: tuple[str, ...]
    rows: tuple[HeatRow, ...]


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One position, order or spot hedge: its share of each component, then of the unit's MMR."""

    kind: str
    instrument: str
    quantity: SafeString
    shares: tuple[SafeString, ...]


@dataclass(frozen=True, slots=True)
class DecisionView:
    """What was chosen among ``alternatives``, by how much (empty: level), and what stands next."""

    alternatives: str
    chosen: str
    by: SafeString
    next: str


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """Where a unit's MMR comes from; ``components`` are the headings of the shares, last the MMR."""

    unit: str
    words: str
    components: tuple[str, ...]
    rows: tuple[ShareRow, ...]
    decisions: tuple[DecisionView, ...]


@dataclass(frozen=True, slots=True)
class CurrencyView:
    name: str
    values: tuple[SafeString, ...]


@dataclass(frozen=True, slots=True)
class ResultPage:
    report: Mapping[str, Any]
    status: SafeString
    figures: tuple[Figure, ...]
    threshold_words: str
    components: tuple[str, ...]
    units: tuple[UnitView, ...]
    currency_headings: tuple[str, ...]
    currencies: tuple[CurrencyView, ...]


def status_mark(status: str) -> SafeString:
    """A margin status as word, shape and colour."""
    known = MarginStatus(status)
    return marked(str(known.label), STATUS_MARKS[known])


def result_page(report: Mapping[str, Any], thresholds: Mapping[str, float]) -> ResultPage:
    """The page of a margin report, whose parameters have these thresholds; the largest unit comes first."""
    units = sorted(report["risk_units"], key=lambda unit: (-unit["mmr"], unit["unit"]))
    names = tuple(sorted({name for unit in units for name in unit["components"]}))
    return ResultPage(
        report=report,
        status=status_mark(report["account"]["status"]),
        figures=tuple(_figures(report)),
        threshold_words=_threshold_words(thresholds),
        components=tuple(map(component_label, names)),
        units=tuple(_unit(unit, names) for unit in units),
        currency_headings=(*_QUANTITIES.values(), *_CURRENCY_MONEY.values()),
        currencies=tuple(_currency(currency) for currency in report["currencies"]),
    )


def explanation_views(explanation: Mapping[str, Any] | None) -> tuple[ExplanationView, ...]:
    """The tables of an explanation, the largest unit first; none where there is no explanation."""
    ordered = sorted((explanation or {}).items(), key=lambda item: (-item[1]["mmr"]["value"], item[0]))
    return tuple(_explanation(name, unit) for name, unit in ordered)


def _explanation(name: str, unit: Mapping[str, Any]) -> ExplanationView:
    """One column for each component that is not zero; one that does not count stands in brackets."""
    shown = {name: item for name, item in unit["components"].items() if item["value"]}
    columns = [item["shares"] for item in (*shown.values(), unit["mmr"])]
    return ExplanationView(
        unit=name,
        words=unit["words"],
        components=(*(_heading(name, item) for name, item in shown.items()), "MMR"),
        rows=tuple(
            ShareRow(
                kind=row[-1]["kind"],
                instrument=row[-1]["instrument"],
                quantity=amount(row[-1]["quantity"]),
                shares=tuple(money(cell["share"], signed=True) for cell in row),
            )
            for row in zip(*columns, strict=True)
        ),
        decisions=tuple(_decision(decision) for decision in unit["decisions"]),
    )


def _heading(name: str, component: Mapping[str, Any]) -> str:
    return component_label(name) if component["counted"] else f"({component_label(name)})"


def _decision(decision: Mapping[str, Any]) -> DecisionView:
    return DecisionView(
        alternatives=component_label(decision["max"]),
        chosen=component_label(decision["chosen"]),
        by=money(decision["by"]) if decision["by"] >= _CENT else SafeString(),
        next=component_label(decision["next"]),
    )


def _figures(report: Mapping[str, Any]) -> Iterator[Figure]:
    account = report["account"]
    for name, label in _RATES.items():
        yield Figure(label, percent(account[name]), split_of(name, report))
    for name, label in _MONEY.items():
        yield Figure(label, money(account[name]), split_of(name, report))
    yield Figure("Leverage", multiple(account["leverage"]))


def standard_figures(result: MarginResult) -> tuple[Figure, ...]:
    """What `standard` would ask for at the same moment, and what is saved; empty where it is not known."""
    if result.standard_mmr is None or result.standard_imr is None:
        return ()
    return (
        Figure("MMR under standard, USD", money(result.standard_mmr)),
        Figure("IMR under standard, USD", money(result.standard_imr)),
        Figure("Margin ratio under standard", percent(result.standard_ratio)),
        Figure("IMR saved, USD", money(result.standard_imr - result.imr)),
    )


def figure_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FigureRow]:
    """Ratio, equity and requirements of an account before and after."""
    ratios = before["margin_ratio"], after["margin_ratio"]
    change = None if None in ratios else ratios[1] - ratios[0]
    return [
        FigureRow("Margin ratio", percent(ratios[0]), percent(ratios[1]), points(change)),
        *(
            FigureRow(
                _MONEY[name],
                money(before[name]),
                money(after[name]),
                money(after[name] - before[name], signed=True),
            )
            for name in _COMPARED
        ),
    ]


def _threshold_words(thresholds: Mapping[str, float]) -> str:
    """The thresholds by name, in per cent, in the order of the parameters."""
    words = (f"{name.replace('_', ' ')} {value * 100:,.1f} %" for name, value in thresholds.items())
    return f"Thresholds: {', '.join(words)}."


def _unit(unit: Mapping[str, Any], components: tuple[str, ...]) -> UnitView:
    scenarios = unit["scenarios"] or {"price_moves": [], "vol_shifts": [], "pnl": []}
    moves = [percent_move(move) for move in scenarios["price_moves"]]
    return UnitView(
        name=unit["unit"],
        binding=unit["binding"],
        mmr=money(unit["mmr"]),
        imr=money(unit["imr"]),
        delta=amount(unit["delta"]),
        components=tuple(money(unit["components"].get(name)) for name in components),
        vol_shifts=tuple(str(shift) for shift in scenarios["vol_shifts"]),
        rows=heatmap(moves, scenarios["pnl"]),
    )


def _currency(currency: Mapping[str, Any]) -> CurrencyView:
    quantities = [amount(currency[name]) for name in _QUANTITIES]
    return CurrencyView(
        currency["currency"], (*quantities, *(money(currency[name]) for name in _CURRENCY_MONEY))
    )
