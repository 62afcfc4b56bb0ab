"""Lists as CSV for spreadsheets, whose programs run what looks like a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import BinaryField, Model
from django.http import StreamingHttpResponse

#: What makes a spreadsheet take a cell for a formula; in East Asian locales the full-width signs do, too.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: Rows of others are named as people know them.
_NAMES: Final = {"account": "account__code", "instrument": "instrument__code", "tenant": "tenant__slug"}


class _Echo:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text


def neutralised(value: Any) -> str:
    """A value as the text of a cell: numbers and times as they are, text never as a formula."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case int() | float():
            return str(value)
        case datetime():
            return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def export_fields(model: type[Model], left_out: Iterable[str] = ()) -> tuple[str, ...]:
    """What an export has of a model: every column that a cell can hold."""
    hidden = set(left_out)
    return tuple(
        _NAMES.get(field.name, field.name)
        for field in model._meta.concrete_fields
        if field.name not in hidden and not isinstance(field, BinaryField)
    )


def csv_response(name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A file of rows, written while it is sent."""
    return StreamingHttpResponse(
        _lines(headings, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _lines(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield str(writer.writerow(headings))
    for row in rows:
        yield str(writer.writerow([neutralised(value) for value in row]))
