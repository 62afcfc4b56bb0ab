"""OKX's position-builder request as an account: simulated positions and assets, and nothing else. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from margin.engine.documents.account import AccountRows, PositionRow, check_holdings, read_hedge_mode
from margin.engine.documents.book import check_account
from margin.engine.documents.market import PRICE_OR_ZERO, MarketRows
from margin.engine.documents.schema import Exact, Faults, Flag, ListOf, Nullable, Record, Text
from margin.engine.errors import DocumentError, Fault

#: Whose position builder it is.
METHODOLOGY: Final = "okx-2025"


@dataclass(frozen=True, slots=True)
class _Position:
    name: str
    quantity: Decimal
    entry: float | None


@dataclass(frozen=True, slots=True)
class _Asset:
    ccy: str
    amt: Decimal


_POSITION: Final = Record(
    {"instId": Text(), "pos": Exact()},
    {"avgPx": (Nullable(PRICE_OR_ZERO), None), "lever": (Nullable(Exact()), None)},
    build=lambda instId, pos, avgPx, lever: _Position(instId, pos, avgPx),  # noqa: N803 the venue's names
)
_ASSET: Final = Record({"ccy": Text(), "amt": Exact()}, build=_Asset)
_SHAPE: Final = Record(
    {},
    {
        "simPos": (ListOf(_POSITION), ()),
        "simAsset": (ListOf(_ASSET), ()),
        "inclRealPosAndEq": (Flag(), False),
        "greeksType": (Text(("CASH",)), "CASH"),
    },
)
#: The paths of an account's holdings, and of what they are in the request.
_PATHS: Final = (
    (re.compile(r"^account\.positions\[(\d+)\]\.instrument$"), r"simPos[\1].instId"),
    (re.compile(r"^account\.positions\[(\d+)\]\.quantity$"), r"simPos[\1].pos"),
    (re.compile(r"^account\.positions\[(\d+)\]\.entry_price$"), r"simPos[\1].avgPx"),
    (re.compile(r"^account\.positions(.*)$"), r"simPos\1"),
)


def read_position_builder(body: Any, market: MarketRows) -> AccountRows:
    """The account that a request simulates; a position without `avgPx` is entered at its mark.

    Leverage is read and means nothing in portfolio margin.

    Raises
    ------
    DocumentError
        With the path of every fault, in the request's own names.
    """
    faults = Faults()
    fields = _SHAPE.read(body, "", faults)
    faults.raise_if_any()
    if fields["inclRealPosAndEq"]:
        faults.add("inclRealPosAndEq", "must be false: a simulation holds nothing besides")
    account = AccountRows(
        id="simulation",
        hedge_mode=read_hedge_mode(None, METHODOLOGY, "", faults),
        balances=_balances(fields["simAsset"], faults),
        positions=tuple(_row(position, market) for position in fields["simPos"]),
        orders=(),
        hedge_limits={},
    )
    check_holdings(account.positions, (), market, "account", faults)
    try:
        faults.raise_if_any()
        check_account(account, market)
    except DocumentError as error:
        raise DocumentError(Fault(_named(fault.path), fault.message) for fault in error.faults) from error
    return account


def _named(path: str) -> str:
    """A path of the account in the request's own names."""
    for pattern, name in _PATHS:
        path = pattern.sub(name, path)
    return path


def _row(position: _Position, market: MarketRows) -> PositionRow:
    return PositionRow(position.name, position.quantity, _entry(position, market))


def _entry(position: _Position, market: MarketRows) -> float:
    if position.entry is not None:
        return position.entry
    place = market.places.get(position.name)
    return 1.0 if place is None else market.instruments[place].mark or 0.0


def _balances(assets: tuple[_Asset, ...], faults: Faults) -> Mapping[str, Decimal]:
    balances: dict[str, Decimal] = {}
    for index, asset in enumerate(assets):
        if asset.ccy in balances:
            faults.add(f"simAsset[{index}].ccy", "is given twice")
        balances[asset.ccy] = asset.amt
    return balances
