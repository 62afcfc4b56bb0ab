"""The rows of a few accounts, exactly as the database keeps them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from accounts.margin_rows import margin_rows
from margin.assembly import AccountInput

_BALANCES: Final = msgspec.json.Decoder(list[tuple[str, Decimal]])
_POSITIONS: Final = msgspec.json.Decoder(list[tuple[str, Decimal, Decimal]])
_ORDERS: Final = msgspec.json.Decoder(list[tuple[str, str, Decimal, Decimal]])
_HEDGE_LIMITS: Final = msgspec.json.Decoder(list[tuple[str, Decimal, Decimal | None]])


def account_inputs(ids: Sequence[int]) -> list[AccountInput]:
    """What margin reads of the given accounts, in the order of their ids, as one moment shows them."""
    return [
        AccountInput(
            id=pk,
            code=code,
            methodology=name,
            hedge_mode=mode,
            ledger_position=position,
            balances=_BALANCES.decode(balances),
            positions=_POSITIONS.decode(positions),
            orders=_ORDERS.decode(orders),
            hedge_limits=_HEDGE_LIMITS.decode(limits),
        )
        for pk, code, name, mode, position, balances, positions, orders, limits in margin_rows(ids)
    ]
