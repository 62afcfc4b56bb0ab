"""What has expired settles once for each account, at one price for all of them."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Account, Instrument, LedgerEntry, Order, Position, Settlement
from accounts.services.loading import accounts_load
from accounts.verification import ledger_mismatches
from margin.choices import RunReason, SettlementSource
from margin.engine.errors import DocumentError
from margin.models import SettlementPrice
from margin.services.fills import fill_record
from margin.services.runs import run_start
from margin.services.settlement import settlements_run
from margin.tasks import settle_expired
from pmplatform.common.errors import Conflict
from tests.margin.desks import (
    ACTOR,
    CALL,
    FUTURE,
    SWAP,
    account_of,
    after_expiry,
    cash,
    fill,
    positions,
)
from tests.margin.world import newest_run

pytestmark = pytest.mark.django_db(transaction=True)

HELD = [(FUTURE, "200", "80000"), (CALL, "-10", "0.03"), (SWAP, "1", "100000")]
ORDERS = [(FUTURE, "sell", "5", "110000"), (SWAP, "buy", "1", "90000")]


def _run() -> int:
    return settlements_run(now=timezone.now())


def test_before_expiry_nothing_settles() -> None:
    account_of({"BTC": "1"}, HELD)
    assert _run() == 0
    assert not SettlementPrice.objects.exists()


def test_futures_settle_by_profit_and_options_by_intrinsic_value_at_the_venues_price() -> None:
    account_id = account_of({"BTC": "1"}, HELD, ORDERS)
    after_expiry(settlement={FUTURE: "100000", CALL: "125000"})
    assert _run() == 1
    # 200 * 100 * (1/80000 - 1/100000) for the future, 10 * 0.01 * 25000/125000 paid for the call.
    assert cash(account_id) == {"BTC": Decimal("1") + Decimal("0.05") - Decimal("0.02")}
    assert positions(account_id) == {SWAP: (Decimal(1), Decimal(100_000))}
    states = dict(Order.objects.values_list("instrument__code", "state"))
    assert states == {FUTURE: "cancelled", SWAP: "open"}
    expired = Instrument.objects.filter(state="expired").values_list("code", flat=True)
    assert set(expired) == {FUTURE, CALL}
    settled = Settlement.objects.get(instrument__code=CALL)
    assert (settled.quantity, settled.price, settled.cash) == (-10, 125_000, Decimal("-0.02"))
    kinds = set(LedgerEntry.objects.filter(by="settlement").values_list("kind", flat=True))
    assert kinds == {"settlement"}
    assert list(ledger_mismatches()) == []


def test_without_the_venues_price_the_index_of_the_first_snapshot_after_expiry_decides() -> None:
    account_of({"BTC": "1"}, HELD)
    first = after_expiry(index={"BTC-USD": 99_000.5})
    after_expiry(minutes=5, index={"BTC-USD": 50_000.0})
    _run()
    prices = set(SettlementPrice.objects.values_list("price", "source", "snapshot"))
    assert prices == {(Decimal("99000.5"), SettlementSource.INDEX, first.pk)}


def test_nothing_settles_at_an_index_that_has_jumped_until_the_next_snapshot_says_what_it_is() -> None:
    account_id = account_of({"BTC": "1"}, HELD)
    after_expiry(index={"BTC-USD": 1_000_000.0})
    assert _run() == 0
    assert not SettlementPrice.objects.exists()
    trusted = after_expiry(minutes=2, index={"BTC-USD": 101_000.0})
    assert _run() == 1
    prices = set(SettlementPrice.objects.values_list("price", "snapshot"))
    assert prices == {(Decimal("101000"), trusted.pk)}
    assert set(positions(account_id)) == {SWAP}


def test_a_venues_settlement_price_stands_whatever_the_index_does() -> None:
    account_of({"BTC": "1"}, HELD)
    after_expiry(index={"BTC-USD": 1_000_000.0}, settlement={FUTURE: 100_000, CALL: 100_000})
    assert _run() == 1


def test_a_worthless_option_leaves_without_cash() -> None:
    account_id = account_of({"BTC": "1"}, [(CALL, "10", "0.03")])
    after_expiry(settlement={CALL: 99_999})
    assert _run() == 1
    assert (cash(account_id), positions(account_id)) == ({"BTC": Decimal(1)}, {})


def test_until_it_has_settled_an_account_is_left_out_of_runs_with_the_reason() -> None:
    account_id = account_of({"BTC": "1"}, HELD)
    after_expiry()
    run_start(reason=RunReason.MANUAL)
    assert FUTURE in newest_run().blocked[str(account_id)]
    _run()
    run_start(reason=RunReason.MANUAL)
    assert newest_run().blocked == {}
    assert newest_run().accounts == 1


def test_a_fill_that_comes_after_settlement_is_a_conflict() -> None:
    account_id = account_of({"BTC": "1"}, HELD)
    after_expiry()
    _run()
    with pytest.raises(Conflict, match="settled"):
        fill_record(
            account_id=account_id, fill=fill(FUTURE, "buy", "1", "1"), actor=ACTOR, now=timezone.now()
        )


def test_the_database_refuses_a_second_settlement() -> None:
    account_of({"BTC": "1"}, HELD)
    after_expiry()
    _run()
    settled = Settlement.objects.first()
    assert settled is not None
    settled.pk = None
    with pytest.raises(IntegrityError, match="settlement_once"), transaction.atomic():
        settled.save(force_insert=True)


def test_a_call_settles_no_more_accounts_than_it_may_and_the_next_goes_on() -> None:
    account_of({"BTC": "1"}, HELD)
    _copies(4)
    after_expiry()
    now = timezone.now()
    assert [settlements_run(now=now, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_concurrent_workers_settle_every_account_once() -> None:
    account_of({"BTC": "1"}, HELD, ORDERS)
    _copies(9)
    after_expiry(settlement={FUTURE: 100_000, CALL: 125_000})
    together = Barrier(4)

    def work(_: int) -> int:
        together.wait()
        try:
            return _run()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(work, range(4)))
    # A worker that met a lock for too long leaves the account to the next call.
    assert sum(counts) + _run() == 10
    assert Settlement.objects.count() == 20
    assert SettlementPrice.objects.count() == 2
    assert {cash(pk)["BTC"] for pk in Account.objects.values_list("pk", flat=True)} == {Decimal("1.03")}
    assert list(ledger_mismatches()) == []


def test_the_task_settles_what_is_due() -> None:
    account_of({"BTC": "1"}, HELD)
    after_expiry()
    settle_expired()
    assert set(Position.objects.values_list("instrument__code", flat=True)) == {SWAP}


def test_a_settlement_price_that_cannot_be_is_refused_with_its_path() -> None:
    account_of()
    with pytest.raises(DocumentError) as refusal:
        after_expiry(settlement={FUTURE: -1, CALL: "1e-19", "NONE": 1})
    assert {fault.path for fault in refusal.value.faults} == {
        f"settlement.{FUTURE}",
        f"settlement.{CALL}",
        "settlement.NONE",
    }


def _copies(count: int) -> None:
    """More accounts that hold what the first does, by the writers it was made with."""
    first = Account.objects.earliest("pk")
    held = Position.objects.filter(account=first).select_related("instrument").order_by("pk")
    document = {
        "methodology": first.methodology,
        "balances": {"BTC": "1"},
        "positions": [
            {"instrument": row.instrument.code, "quantity": row.quantity, "entry_price": row.entry_price}
            for row in held
        ],
    }
    accounts_load(
        tenant_id=first.tenant_id,
        documents=[{"id": f"B-{number}", **document} for number in range(count)],
        actor=ACTOR,
        now=timezone.now(),
    )
