"""An account in a market of a few instruments, for the tests of what changes accounts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.choices import Methodology
from accounts.documents import FillDocument, OrderDocument, TransferDocument
from accounts.models import Account, Balance, Position
from margin.models import MarketSnapshot
from margin.services.market import snapshot_accept
from pmplatform.common.principals import Actor
from tests.margin.world import world

AS_OF = datetime(2025, 2, 3, 10, tzinfo=UTC)
EXPIRY = datetime(2025, 2, 7, 8, tzinfo=UTC)
ACTOR = Actor(name="user:trader", request_id="r-1")
SWAP, FUTURE, CALL, SPOT = "BTC-USDT-SWAP", "BTC-USD-250207", "BTC-USD-250207-100000-C", "BTC-USDT"


def market(index: Mapping[str, float] | None = None) -> dict[str, Any]:
    """A BTC market with a perpetual, a coin-settled future and option, and spot."""
    dated = {"underlying": "BTC", "style": "inverse", "settle": "BTC", "expiry": "2025-02-07T08:00:00Z"}
    option = {"strike": 100_000, "option_type": "call", "mark_iv": 0.6, "forward": 100_100.0}
    swap = {"underlying": "BTC", "style": "linear", "settle": "USDT", "contract_size": 0.01}
    return {
        "index": {"BTC-USD": 100_000.0, "BTC-USDT": 100_000.0, **(index or {})},
        "fx": {"USDT": 1.0, "USDC": 1.0},
        "instruments": [
            {"id": SWAP, "kind": "perpetual", "mark": 100_000.0, **swap},
            {"id": FUTURE, "kind": "future", "mark": 100_000.0, "contract_size": 100, **dated},
            {"id": CALL, "kind": "option", "mark": 0.025, "contract_size": 0.01, **dated, **option},
            {"id": SPOT, "kind": "spot", "underlying": "BTC", "settle": "USDT"},
        ],
    }


def account_of(
    balances: Mapping[str, str] | None = None,
    positions: Sequence[tuple[str, str, str]] = (),
    orders: Sequence[tuple[str, str, str, str]] = (),
    methodology: str = Methodology.OKX_2025,
) -> int:
    """One account (id) in a world of its own at `AS_OF`."""
    document = {
        "id": "A-1",
        "methodology": methodology,
        "balances": balances or {},
        "positions": [
            {"instrument": code, "quantity": quantity, "entry_price": entry}
            for code, quantity, entry in positions
        ],
        "orders": [
            {"instrument": code, "side": side, "quantity": quantity, "price": price}
            for code, side, quantity, price in orders
        ],
    }
    world(market(), AS_OF, [document])
    return Account.objects.get().pk


def after_expiry(
    *, minutes: int = 1, settlement: Any = None, index: Mapping[str, float] | None = None
) -> MarketSnapshot:
    """The next snapshot, once the dated instruments have expired; they are listed no more."""
    later = market(index)
    later["instruments"] = [row for row in later["instruments"] if "expiry" not in row]
    as_of = EXPIRY + timedelta(minutes=minutes)
    return snapshot_accept(market=later, as_of=as_of, source="tests", actor=ACTOR, settlement=settlement)


def order(instrument: str, side: str, quantity: str, price: str) -> OrderDocument:
    return OrderDocument(instrument, side, Decimal(quantity), Decimal(price))


def fill(instrument: str, side: str, quantity: str, price: str, fee: str = "0", **terms: Any) -> FillDocument:
    given = {"fee_currency": "USDT", **terms}
    return FillDocument(instrument, side, Decimal(quantity), Decimal(price), Decimal(fee), **given)


def transfer(currency: str, amount: str, client_id: str = "") -> TransferDocument:
    return TransferDocument(currency, Decimal(amount), client_id)


def cash(account_id: int) -> dict[str, Decimal]:
    return dict(Balance.objects.filter(account_id=account_id).values_list("currency", "amount"))


def positions(account_id: int) -> dict[str, tuple[Decimal, Decimal]]:
    rows = Position.objects.filter(account_id=account_id)
    return {row.instrument.code: (row.quantity, row.entry_price) for row in rows.select_related("instrument")}
