"""Columns in and out of PostgreSQL, without a Python object for any value.

Rows go in by COPY in the binary format, and come out as one byte string of records of equal length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, LiteralString

import numpy as np
import numpy.typing as npt
import psycopg
from django.db import connection
from psycopg import sql

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_NULL: Final = -1
#: Decimal places of money at rest, as two digits to base 10,000.
_PLACES: Final = 10**8
_SPLITTER: Final = 2.0**27 + 1.0
#: Beyond this a float64 has no decimal places, and its digits no room in an int64.
_WIDE: Final = 1e16
_NEGATIVE: Final = 0x4000


class Rounding(IntEnum):
    """Which way money is rounded when it leaves float64."""

    DOWN = 0
    UP = 1


@dataclass(frozen=True, eq=False)
class Field:
    """One column of n values as the wire has them.

    Attributes
    ----------
    payload : (n,) void of the widest value.
    length : (n,) bytes of each value, -1 for NULL; None where all are as wide as the payload.
    """

    payload: Array
    length: Ints | None = None


def bigints(values: Array) -> Field:
    """bigint; (n,) of any integer kind."""
    return Field(_void(values.astype(">i8")))


def floats(values: Floats) -> Field:
    """double precision, NaN as NULL; (n,)."""
    null = np.isnan(values)
    length = np.where(null, _NULL, 8) if null.any() else None
    return Field(_void(values.astype(">f8")), length)


def texts(values: Array) -> Field:
    """Text out of (n,) ASCII byte strings."""
    return Field(_void(values), np.char.str_len(values).astype(np.int64))


def same(value: int, count: int) -> Field:
    """One bigint, `count` times."""
    return bigints(np.full(count, value))


def absent(count: int) -> Field:
    """NULL, `count` times."""
    return Field(np.zeros(count, dtype="V1"), np.full(count, _NULL))


def money(values: Floats, rounding: Rounding) -> Field:
    """numeric with eight decimal places, rounded up or down exactly; (n,) finite, and below 1e32."""
    if not (np.abs(values) < 1e32).all():
        raise ValueError("money must be finite and below 1e32")
    whole, parts = scaled(np.where(np.abs(values) < _WIDE, values, np.fmod(values, _WIDE)), rounding)
    # Ten digits to base 10,000: eight before the point, two after it; leading zeros are the server's to drop.
    digits = np.zeros((len(values), 14), dtype=">i2")
    digits[:, 0], digits[:, 1], digits[:, 3] = 10, 7, 8
    digits[:, 2] = np.where(values < 0.0, _NEGATIVE, 0)
    whole, parts = np.abs(whole), np.abs(parts)
    for place, unit in enumerate((10**12, 10**8, 10**4, 1)):
        digits[:, 8 + place] = whole // unit % 10_000
    digits[:, 12], digits[:, 13] = parts // 10_000, parts % 10_000
    for row in np.flatnonzero(np.abs(values) >= _WIDE).tolist():
        high = abs(int(values[row])) // int(_WIDE)
        digits[row, 4:8] = [high // unit % 10_000 for unit in (10**12, 10**8, 10**4, 1)]
    return Field(_void(digits.view("V28")[:, 0]))


def scaled(values: Floats, rounding: Rounding) -> tuple[Ints, Ints]:
    """Whole units and hundred-millionths of values rounded exactly to them; both with the value's sign."""
    whole = np.trunc(values)
    product, error = _exact_product(values - whole, float(_PLACES))
    if rounding is Rounding.UP:
        parts = np.ceil(product) + ((product == np.ceil(product)) & (error > 0.0))
    else:
        parts = np.floor(product) - ((product == np.floor(product)) & (error < 0.0))
    carried = np.trunc(parts / _PLACES)
    return (whole + carried).astype(np.int64), (parts - carried * _PLACES).astype(np.int64)


def _exact_product(values: Floats, factor: float) -> tuple[Floats, Floats]:
    """The product as float64, and what it lacks (Dekker)."""
    product = values * factor
    big = values * _SPLITTER
    high = big - (big - values)
    low = values - high
    factor_high = factor * _SPLITTER - (factor * _SPLITTER - factor)
    factor_low = factor - factor_high
    return product, (
        (high * factor_high - product) + high * factor_low + low * factor_high
    ) + low * factor_low


def _void(values: Array) -> Array:
    packed = np.ascontiguousarray(values)
    return packed.view(f"V{packed.dtype.itemsize}")


def columns_copy(*, table: str, columns: Mapping[str, Field]) -> None:
    """COPY equally long columns into a table; constraints hold as ever, model defaults do not apply."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(copy_bytes(list(columns.values())))


def copy_bytes(fields: Sequence[Field]) -> bytes:
    """The bytes of a binary COPY; rows are grouped by the lengths of their values."""
    varying = [field for field in fields if field.length is not None]
    count = len(fields[0].payload)
    blocks = [_HEADER]
    if not varying:
        blocks.append(_records(fields, np.arange(count)))
    elif count:
        lengths = np.stack([field.length for field in varying if field.length is not None], axis=1)
        _, group = np.unique(lengths, axis=0, return_inverse=True)
        blocks += [_records(fields, np.flatnonzero(group == g)) for g in range(int(group.max()) + 1)]
    return b"".join([*blocks, _TRAILER])


def _records(fields: Sequence[Field], rows: Ints) -> bytes:
    """Rows whose values are of equal lengths, as records of one type."""
    if not len(rows):
        return b""
    widths = [_width(field, int(rows[0])) for field in fields]
    kinds: list[tuple[str, str]] = [("fields", ">i2")]
    for place, width in enumerate(widths):
        kinds.append((f"length{place}", ">i4"))
        if width > 0:
            kinds.append((f"value{place}", f"V{width}"))
    records = np.empty(len(rows), dtype=np.dtype(kinds))
    records["fields"] = len(fields)
    for place, (field, width) in enumerate(zip(fields, widths, strict=True)):
        records[f"length{place}"] = width
        if width > 0:
            payload = field.payload[rows]
            whole = payload.dtype.itemsize
            records[f"value{place}"] = (
                payload
                if whole == width
                else np.ascontiguousarray(payload.view("u1").reshape(-1, whole)[:, :width]).view(f"V{width}")[
                    :, 0
                ]
            )
    return records.tobytes()


def _width(field: Field, row: int) -> int:
    return field.payload.dtype.itemsize if field.length is None else int(field.length[row])


def records_read(*, query: LiteralString, parameters: Mapping[str, object], kind: np.dtype[Any]) -> Array:
    """Records out of a query whose one value is their bytes, or NULL for none; in no order.

    The query puts them together by `string_agg` of what the `send` functions of its columns give.
    """
    content = plain_value(query=query, parameters=parameters)
    return np.frombuffer(content or b"", dtype=kind)


def plain_row(*, query: LiteralString, parameters: Mapping[str, object]) -> tuple[Any, ...] | None:
    """The first row, None without any; bytes as they are."""
    with _plain_cursor() as plain, connection.wrap_database_errors:
        plain.execute(query, parameters, binary=True)
        return plain.fetchone()


def plain_rows(*, query: LiteralString, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Every row, likewise."""
    with _plain_cursor() as plain, connection.wrap_database_errors:
        plain.execute(query, parameters, binary=True)
        return plain.fetchall()


def plain_value(*, query: LiteralString, parameters: Mapping[str, object]) -> Any:
    """The one value of the first row, None without any row; bytes as they are."""
    row = plain_row(query=query, parameters=parameters)
    return None if row is None else row[0]


def plain_execute(*, query: LiteralString, parameters: Mapping[str, object]) -> None:
    """Execute a statement without a result; parameters, among them bytes, go to the server as they are."""
    with _plain_cursor() as plain, connection.wrap_database_errors:
        plain.execute(query, parameters)


def _plain_cursor() -> psycopg.Cursor[tuple[Any, ...]]:
    """A cursor whose parameters the server binds, so that it plans a statement once for a connection.

    Django's binds them itself, and has bytes written out in hexadecimal.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)
