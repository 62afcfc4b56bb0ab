"""The book as columns, for margin: what `account_rows` and its like give, without an object for any value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pmplatform.common.columns import records_read

Records = npt.NDArray[Any]

#: Padded words end in NUL, as NumPy has them.
_ACCOUNTS: Final = """
    SELECT string_agg(
        int8send(id) || int8send(ledger_position)
        || convert_to(margin_methodology, 'UTF8')
        || decode(repeat('00', 16 - length(margin_methodology)), 'hex')
        || convert_to(coalesce(hedge_mode, ''), 'UTF8')
        || decode(repeat('00', 24 - length(coalesce(hedge_mode, ''))), 'hex'), ''::bytea)
    FROM accounts_account
    WHERE id BETWEEN %(first)s AND %(last)s
      AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
"""
_BALANCES: Final = """
    SELECT string_agg(
        int8send(account_id) || convert_to(currency, 'UTF8')
        || decode(repeat('00', 16 - length(currency)), 'hex') || float8send(amount::float8), ''::bytea)
    FROM accounts_balance
    WHERE account_id BETWEEN %(first)s AND %(last)s
      AND (%(ids)s::bigint[] IS NULL OR account_id = ANY(%(ids)s::bigint[]))
"""
_POSITIONS: Final = """
    SELECT string_agg(
        int8send(account_id) || int8send(instrument_id)
        || float8send(quantity::float8) || float8send(entry_price::float8) || int8send(id), ''::bytea)
    FROM accounts_position
    WHERE account_id BETWEEN %(first)s AND %(last)s
      AND (%(ids)s::bigint[] IS NULL OR account_id = ANY(%(ids)s::bigint[]))
"""
_ORDERS: Final = """
    SELECT string_agg(
        int8send(account_id) || int8send(instrument_id)
        || float8send((CASE side WHEN 'buy' THEN open_quantity ELSE -open_quantity END)::float8)
        || float8send(price::float8) || int8send(id), ''::bytea)
    FROM accounts_order
    WHERE state = 'open' AND account_id BETWEEN %(first)s AND %(last)s
      AND (%(ids)s::bigint[] IS NULL OR account_id = ANY(%(ids)s::bigint[]))
"""
_LIMITS: Final = """
    SELECT string_agg(
        int8send(account_id) || convert_to(coin, 'UTF8') || decode(repeat('00', 16 - length(coin)), 'hex')
        || float8send(ratio::float8) || float8send(coalesce(max_amount::float8, 'Infinity')), ''::bytea)
    FROM accounts_hedgelimit
    WHERE account_id BETWEEN %(first)s AND %(last)s
      AND (%(ids)s::bigint[] IS NULL OR account_id = ANY(%(ids)s::bigint[]))
"""

_ACCOUNT: Final = np.dtype([("account", ">i8"), ("position", ">i8"), ("methodology", "S16"), ("mode", "S24")])
_BALANCE: Final = np.dtype([("account", ">i8"), ("currency", "S16"), ("amount", ">f8")])
_HOLDING: Final = np.dtype(
    [("account", ">i8"), ("instrument", ">i8"), ("quantity", ">f8"), ("price", ">f8"), ("row", ">i8")]
)
_LIMIT: Final = np.dtype([("account", ">i8"), ("coin", "S16"), ("ratio", ">f8"), ("most", ">f8")])


@dataclass(frozen=True, eq=False)
class BookColumns:
    """What some accounts hold.

    Attributes
    ----------
    accounts : `account`, ledger `position`, margin `methodology` and hedge `mode` (empty for none), by id.
    balances : `account`, `currency`, `amount`, by account and currency.
    positions : `account`, `instrument` (its row id), signed `quantity`, entry `price`, by account and code.
    orders : of open orders `account`, `instrument`, signed open `quantity`, `price`, by account and code.
    limits : `account`, `coin`, `ratio`, `most` (infinity for no limit), by account and coin.
    codes : the code of every instrument there is, by row id.
    """

    accounts: Records
    balances: Records
    positions: Records
    orders: Records
    limits: Records
    codes: Mapping[int, str]

    @classmethod
    def kinds(cls) -> dict[str, np.dtype[Any]]:
        """The kind of record of each table."""
        return {
            "accounts": _ACCOUNT,
            "balances": _BALANCE,
            "positions": _HOLDING,
            "orders": _HOLDING,
            "limits": _LIMIT,
        }

    def tables(self) -> dict[str, Records]:
        """The tables by name."""
        return {name: getattr(self, name) for name in self.kinds()}


def standings_read(*, first: int, last: int) -> Records:
    """The `accounts` of a range of ids, as this transaction sees them."""
    chosen = {"first": first, "last": last, "ids": None}
    return _sorted(records_read(query=_ACCOUNTS, parameters=chosen, kind=_ACCOUNT), "account")


def book_columns(
    *, ids: Sequence[int], codes: Mapping[int, str], accounts: Records | None = None
) -> BookColumns:
    """What the given accounts (ascending, at least one) hold, as this transaction sees it.

    `codes` gives the code of every instrument by its row id, `accounts` those columns where they are known.
    """
    filled = ids[-1] - ids[0] == len(ids) - 1
    chosen = {"first": ids[0], "last": ids[-1], "ids": None if filled else list(ids)}
    rank = _ranks(codes)
    if accounts is None:
        accounts = _sorted(records_read(query=_ACCOUNTS, parameters=chosen, kind=_ACCOUNT), "account")
    return BookColumns(
        accounts=accounts,
        balances=_sorted(records_read(query=_BALANCES, parameters=chosen, kind=_BALANCE), "currency"),
        positions=_by_code(records_read(query=_POSITIONS, parameters=chosen, kind=_HOLDING), rank),
        orders=_by_code(records_read(query=_ORDERS, parameters=chosen, kind=_HOLDING), rank),
        limits=_sorted(records_read(query=_LIMITS, parameters=chosen, kind=_LIMIT), "coin"),
        codes=codes,
    )


def _ranks(codes: Mapping[int, str]) -> Records:
    """The place of every instrument in the order of codes, by row id."""
    rank = np.zeros(max(codes, default=0) + 1, dtype=np.int64)
    for place, row in enumerate(sorted(codes, key=codes.__getitem__)):
        rank[row] = place
    return rank


def _by_code(rows: Records, rank: Records) -> Records:
    """Rows by account, instrument code and row id."""
    key = rows["account"].astype(np.int64) * len(rank) + rank[rows["instrument"]]
    order = np.argsort(key)
    key = key[order]
    if (key[1:] == key[:-1]).any():
        # An account may have several orders in an instrument.
        order = order[np.lexsort((rows["row"][order], key))]
    return rows[order]


def _sorted(rows: Records, word: str) -> Records:
    """Rows by account and one more column."""
    return rows[np.lexsort((rows[word], rows["account"].astype(np.int64)))]
