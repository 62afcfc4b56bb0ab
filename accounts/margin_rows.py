"""What margin reads of a few accounts at a time; of the whole book it reads `accounts.columns`."""

from collections.abc import Sequence
from typing import Any, Final

from pmplatform.common.columns import plain_rows

# As five statements of Django's it took three times as long: to put them together and to plan them.
# The ids come by a query of their own: the plan is then kept, as it does not depend on how many they are. A
# join in place of the inner queries would scan all instruments for each account.
_MARGIN_ROWS: Final = """
    SELECT account.id, account.code, account.margin_methodology, account.hedge_mode, account.ledger_position,
        coalesce((
            SELECT json_agg(json_build_array(currency, amount::text) ORDER BY currency, id)
            FROM accounts_balance WHERE account_id = account.id
        ), '[]')::text,
        coalesce((
            SELECT json_agg(json_build_array(code, quantity::text, entry_price::text) ORDER BY code, id)
            FROM (
                SELECT (SELECT code FROM accounts_instrument WHERE id = instrument_id), quantity,
                    entry_price, id
                FROM accounts_position WHERE account_id = account.id
                OFFSET 0
            ) AS held
        ), '[]')::text,
        coalesce((
            SELECT json_agg(json_build_array(code, side, open_quantity::text, price::text) ORDER BY code, id)
            FROM (
                SELECT (SELECT code FROM accounts_instrument WHERE id = instrument_id), side, open_quantity,
                    price, id
                FROM accounts_order WHERE account_id = account.id AND state = 'open'
                OFFSET 0
            ) AS placed
        ), '[]')::text,
        coalesce((
            SELECT json_agg(json_build_array(coin, ratio::text, max_amount::text) ORDER BY coin, id)
            FROM accounts_hedgelimit WHERE account_id = account.id
        ), '[]')::text
    FROM accounts_account AS account
    WHERE account.id = ANY(ARRAY(SELECT unnest(%(ids)s::bigint[])))
    ORDER BY account.id
"""


def margin_rows(ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """What margin reads of accounts, by id and as one moment shows them, by a single statement.

    Rows are (id, code, margin methodology, hedge mode, ledger position), then as JSON arrays of rows, with
    amounts as text: balances (currency, amount), positions (instrument code, signed quantity, entry price),
    open orders (instrument code, side, open quantity, price), hedge limits (coin, ratio, largest amount or
    null). The order of their rows does not depend on how they were written.
    """
    return plain_rows(query=_MARGIN_ROWS, parameters={"ids": list(ids)})
