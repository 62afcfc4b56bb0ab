"""The what-if form of an account: trades, a transfer and a move of the market, before and after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.safestring import SafeString

from margin.console.report import FigureRow, figure_rows, status_mark
from margin.engine.documents.book import BookDocument
from margin.engine.errors import DocumentError
from margin.engine.what_if import what_if_of
from margin.services.books import stored_book
from pmplatform.common.console import money
from pmplatform.common.errors import Refused

_LEGS: Final = (1, 2)
_SECONDS_PER_HOUR: Final = 3_600


class WhatIfForm(forms.Form):
    """Everything may be left out; an empty form changes nothing. Its fields are the query of a link."""

    instrument_1 = forms.CharField(label="Trade", required=False, max_length=64)
    quantity_1 = forms.DecimalField(label="Quantity, signed", required=False)
    instrument_2 = forms.CharField(label="And trade", required=False, max_length=64)
    quantity_2 = forms.DecimalField(label="Quantity, signed", required=False)
    currency = forms.CharField(label="Transfer of", required=False, max_length=16)
    amount = forms.DecimalField(label="Amount, signed", required=False)
    coin = forms.CharField(label="Price of", required=False, max_length=16)
    move = forms.FloatField(label="Move, %", required=False)
    vol = forms.FloatField(label="Volatility, points", required=False)
    hours = forms.FloatField(label="Time, hours", required=False, min_value=0)

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or {}
        pairs = [(f"instrument_{leg}", f"quantity_{leg}") for leg in _LEGS]
        for first, second in [*pairs, ("currency", "amount"), ("coin", "move")]:
            if bool(fields.get(first)) != (fields.get(second) is not None):
                missing = second if fields.get(first) else first
                self.add_error(missing, "goes with the field beside it")
        return fields

    @property
    def has_changes(self) -> bool:
        """Whether a valid form asks for anything."""
        return any(value not in (None, "", 0, 0.0) for value in self.cleaned_data.values())


@dataclass(frozen=True, slots=True)
class UnitRow:
    unit: str
    mmr: SafeString
    imr: SafeString


@dataclass(frozen=True)
class WhatIfView:
    """The form and, once something is asked, the answer; ``fault`` says why there is none."""

    form: WhatIfForm
    before: SafeString
    after: SafeString
    figures: tuple[FigureRow, ...]
    units: tuple[UnitRow, ...]
    fault: str
    instruments: tuple[str, ...]


def what_if_view(*, account_id: int, query: Mapping[str, str]) -> WhatIfView:
    """The what-if of an account at the newest snapshot; nothing is stored."""
    form = WhatIfForm(query)
    try:
        book, sha256 = stored_book(account_id=account_id)
        if not form.is_valid() or not form.has_changes:
            return _view(form, book)
        return _answered(form, book, what_if_of(book, dict(_changes(form.cleaned_data, book)), sha256))
    except Refused as refusal:
        return _view(form, None, " ".join(refusal.reasons))
    except DocumentError as error:
        return _view(form, book, str(error))


def _changes(fields: Mapping[str, Any], book: BookDocument) -> Iterator[tuple[str, Any]]:
    """The changes object: what is traded is traded at mark."""
    legs = [(fields[f"instrument_{leg}"], fields[f"quantity_{leg}"]) for leg in _LEGS]
    yield "positions", [_position(book, name, quantity) for name, quantity in legs if name and quantity]
    if fields["currency"] and fields["amount"]:
        yield "balances", {fields["currency"]: str(fields["amount"])}
    shifts: dict[str, Any] = {"price": {fields["coin"]: fields["move"] / 100}} if fields["coin"] else {}
    shifts |= {"vol_points": fields["vol"]} if fields["vol"] else {}
    shifts |= {"seconds": fields["hours"] * _SECONDS_PER_HOUR} if fields["hours"] else {}
    yield "shifts", shifts


def _position(book: BookDocument, name: str, quantity: Decimal) -> dict[str, Any]:
    place = book.market_rows.places.get(name)
    mark = 1.0 if place is None else book.market_rows.instruments[place].mark
    return {"instrument": name, "quantity": str(quantity), "entry_price": mark}


def _view(form: WhatIfForm, book: BookDocument | None, fault: str = "") -> WhatIfView:
    names = () if book is None else tuple(row.id for row in book.market_rows.instruments)
    return WhatIfView(form, SafeString(), SafeString(), (), (), fault, names)


def _answered(form: WhatIfForm, book: BookDocument, answer: Mapping[str, Any]) -> WhatIfView:
    before, after = answer["before"]["account"], answer["after"]["account"]
    return WhatIfView(
        form=form,
        before=status_mark(before["status"]),
        after=status_mark(after["status"]),
        figures=tuple(figure_rows(before, after)),
        units=tuple(
            UnitRow(unit["unit"], money(unit["mmr"], signed=True), money(unit["imr"], signed=True))
            for unit in answer["difference"]["risk_units"]
        ),
        fault="",
        instruments=_view(form, book).instruments,
    )
