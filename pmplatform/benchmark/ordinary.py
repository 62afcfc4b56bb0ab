"""The same run as a good Django developer would ship it: ORM rows in, an account at a time, ORM rows out."""

from collections.abc import Iterator
from typing import Final

from accounts.models import Account
from margin.assembly import AccountInput, equity, requirement
from margin.engine.documents.book import book_of
from margin.engine.results import STATUSES, ShardMargin
from margin.models import MarginResult, MarginRun, MarginRunPart, UnitResult
from margin.services.margining import Margining

_BATCH: Final = 1_000


def ordinary_run(*, run: MarginRun, part: MarginRunPart, desk: Margining, accounts: int) -> None:
    """Margin the first accounts of the book; risk arrays are shared by all, which is generous."""
    results: list[MarginResult] = []
    units: list[UnitResult] = []
    for account in _accounts(accounts):
        book = book_of([_input(account).to_rows()], desk.rows, desk.market)
        shard = desk.margin_book(book)
        results.append(_result(run, part, account, shard))
        units += _units(run, account, shard)
    MarginResult.objects.bulk_create(results, batch_size=_BATCH)
    UnitResult.objects.bulk_create(units, batch_size=_BATCH)


def _accounts(count: int) -> Iterator[Account]:
    chosen = Account.objects.select_related("tenant").order_by("pk")[:count]
    held = ("balances", "positions__instrument", "orders__instrument", "hedge_limits")
    return chosen.prefetch_related(*held).iterator(chunk_size=_BATCH)


def _input(account: Account) -> AccountInput:
    return AccountInput(
        id=account.pk,
        code=account.code,
        methodology=account.margin_methodology,
        hedge_mode=account.hedge_mode,
        ledger_position=account.ledger_position,
        balances=[(row.currency, row.amount) for row in account.balances.all()],
        positions=[(row.instrument.code, row.quantity, row.entry_price) for row in account.positions.all()],
        orders=[
            (row.instrument.code, row.side, row.open_quantity, row.price)
            for row in account.orders.all()
            if row.state == "open"
        ],
        hedge_limits=[(row.coin, row.ratio, row.max_amount) for row in account.hedge_limits.all()],
    )


def _result(run: MarginRun, part: MarginRunPart, account: Account, shard: ShardMargin) -> MarginResult:
    figures = shard.accounts
    return MarginResult(
        run=run,
        account=account,
        part=part,
        snapshot=run.snapshot,
        ledger_position=account.ledger_position,
        status=str(STATUSES[int(figures.status[0])]),
        net_equity=equity(figures.net_equity[0]),
        adjusted_equity=equity(figures.adjusted_equity[0]),
        mmr=requirement(figures.mmr[0]),
        imr=requirement(figures.imr[0]),
        margin_ratio=float(figures.margin_ratio[0]),
        imr_rate=float(figures.imr_rate[0]),
        leverage=float(figures.leverage[0]),
        input_sha256="0" * 64,
    )


def _units(run: MarginRun, account: Account, shard: ShardMargin) -> Iterator[UnitResult]:
    for unit in shard.units:
        yield UnitResult(
            run=run,
            account=account,
            unit=unit.unit,
            binding=unit.binding[0],
            mmr=requirement(unit.mmr[0]),
            imr=requirement(unit.imr[0]),
            spot_in_use=float(unit.spot_in_use[0]),
            delta=float(unit.delta[0]),
            cash_delta=float(unit.cash_delta[0]),
        )
