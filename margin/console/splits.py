"""What a margin figure is made of: by risk unit and component, or by currency."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.safestring import SafeString

from margin.console.words import component_label
from pmplatform.common.console import money, percent

#: Figures of the account that are sums over its currencies, with the field that is summed.
_BY_CURRENCY: Final = {"net_equity": "usd_value", "adjusted_equity": "discounted_usd"}
_RATIOS: Final = {"margin_ratio": ("adjusted_equity", "mmr")}
_NAMES: Final = {"adjusted_equity": "Adjusted equity", "mmr": "divided by MMR"}


@dataclass(frozen=True, slots=True)
class SplitRow:
    """A part of a figure, and how large a part it is; a component stands below its unit."""

    name: str
    text: SafeString
    part: SafeString
    is_component: bool = False


def split_of(figure: str, report: Mapping[str, Any]) -> tuple[SplitRow, ...]:
    """The parts of an account's figure in a margin report; empty where there are none to tell."""
    return tuple(_rows(figure, report))


def _rows(figure: str, report: Mapping[str, Any]) -> Iterator[SplitRow]:
    account = report["account"]
    if figure in ("mmr", "derivatives_mmr", "imr"):
        yield from _units(figure, report)
    elif field := _BY_CURRENCY.get(figure):
        for row in report["currencies"]:
            if row[field]:
                yield _row(row["currency"], row[field], account[figure])
    elif names := _RATIOS.get(figure):
        for name in names:
            yield SplitRow(_NAMES[name], money(account[name]), SafeString())


def _units(figure: str, report: Mapping[str, Any]) -> Iterator[SplitRow]:
    account = report["account"]
    requirement = "imr" if figure == "imr" else "mmr"
    for unit in sorted(report["risk_units"], key=lambda item: (-item[requirement], item["unit"])):
        yield _row(unit["unit"], unit[requirement], account[figure])
        if requirement == "mmr":
            for name, value in unit["components"].items():
                if value:
                    yield SplitRow(component_label(name), money(value), SafeString(), is_component=True)
    if figure == "mmr" and account["borrow_mmr"]:
        yield _row("Borrowing", account["borrow_mmr"], account[figure])


def _row(name: str, value: float, whole: float) -> SplitRow:
    return SplitRow(name, money(value), percent(value / whole) if whole else SafeString())
