"""Columnar values to bytes and back, deterministically: equal values give equal bytes and equal keys."""

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from typing import cast

import numpy as np
import numpy.typing as npt

from margin.engine.book import Balances, Book, HedgeLimits, Lots, Orders, Positions, SpotOrders
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import RiskUnit
from pmplatform.common.packing import Array, columns_pack, columns_unpack

_TABLES = {
    "balances": Balances,
    "positions": Positions,
    "lots": Lots,
    "orders": Orders,
    "spot_orders": SpotOrders,
    "hedge_limits": HedgeLimits,
}


def content_key(content: bytes) -> str:
    """The key of bytes that are stored under their own hash."""
    return hashlib.sha256(content).hexdigest()


def encode_book(book: Book, positions: Sequence[int]) -> bytes:
    """A shard's bytes: the columnar book, and the ledger position of each account."""
    arrays: dict[str, Array] = {"hedge_mode": book.hedge_mode}
    for table in _TABLES:
        rows = getattr(book, table)
        arrays |= {f"{table}.{column.name}": getattr(rows, column.name) for column in fields(rows)}
    header = {
        "ids": book.ids,
        "currencies": book.currencies,
        "ledger_positions": list(positions),
    }
    return columns_pack(header, arrays)


def decode_book(content: bytes | memoryview) -> tuple[Book, list[int]]:
    """The columnar book of a shard, and the ledger position of each account."""
    header, arrays = columns_unpack(content)
    tables = {
        table: kind(**{column.name: arrays[f"{table}.{column.name}"] for column in fields(kind)})
        for table, kind in _TABLES.items()
    }
    book = Book(
        ids=tuple(header["ids"]),
        hedge_mode=cast(npt.NDArray[np.int8], arrays["hedge_mode"]),
        currencies=tuple(header["currencies"]),
        **tables,
    )
    return book, list(header["ledger_positions"])


def encode_arrays(arrays: RiskArrays) -> bytes:
    """The bytes of a unit's risk arrays; the unit itself follows from the market and is not stored."""
    names = ("price_moves", "buckets", "sums", "delta_sign")
    return columns_pack({"unit": arrays.unit.name}, {name: getattr(arrays, name) for name in names})


def decode_arrays(content: bytes | memoryview, unit: RiskUnit) -> RiskArrays:
    """The risk arrays of a unit of the same market."""
    header, arrays = columns_unpack(content)
    if header["unit"] != unit.name:
        raise ValueError(f"risk arrays of {header['unit']} were asked for as those of {unit.name}")
    return RiskArrays(unit=unit, **arrays)
