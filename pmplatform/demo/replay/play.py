"""A replay through the platform itself: each step of the market is published, margined, reviewed, acted upon.

One worker does here, by the clock of the replay, what the workers do by that of the wall: the same services,
the same queue in PostgreSQL, execution on paper.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from accounts import selectors as accounts
from accounts.choices import Methodology
from liquidation import selectors as liquidation
from liquidation.execution.paper import PaperPort
from liquidation.services.cases import WORKER
from liquidation.services.fund import fund_settle, fund_transfer
from liquidation.services.reviews import run_review
from liquidation.services.work import case_work, cases_quarantine
from margin import selectors as margin
from margin.choices import PartKind, RunReason
from margin.market_states import market_state
from margin.services import parts
from margin.services.eligibility import eligibility_review
from margin.services.publishing import SnapshotDocument, snapshot_publish
from margin.services.retention import runs_prune
from margin.services.runs import run_start
from margin.services.settlement import settlements_run
from pmplatform.demo.market import DemoMarket
from pmplatform.demo.replay import books
from pmplatform.demo.replay.course import Move
from pmplatform.demo.replay.toll import Toll, WarningsSeen, toll_taken
from pmplatform.demo.stage import ACTOR, SOURCE, market_standing, stage

#: The bars give returns, not dates: every replay begins here, so that the same file gives the same figures.
START: Final = datetime(2025, 2, 3, 10, tzinfo=UTC)
_PRUNE_EVERY: Final = 25


@dataclass(frozen=True)
class World:
    """Who is in a replay."""

    accounts: int
    seed: int
    methodologies: Sequence[Methodology]
    fund_usdt: Decimal


@dataclass(frozen=True)
class Tick:
    """How things stand after a step of the market.

    Attributes
    ----------
    equity_usd, fund_usd : of all accounts and of the insurance fund, at mark.
    unexplained_usd : the most that any holding of all together has changed by, in a step of liquidation,
        beyond fills, fees and conversions; 0 where cash and positions are conserved.
    is_held : whether the guards hold this market, so that it moves nobody.
    """

    move: Move
    as_of: datetime
    toll: Toll
    equity_usd: Decimal
    fund_usd: Decimal
    unexplained_usd: Decimal
    is_held: bool


def world_stage(world: World) -> DemoMarket:
    """Load the demo world and the fund's money into an empty database; returns its market.

    Raises
    ------
    ValueError
        When the database is not empty.
    """
    fresh = stage(
        accounts=world.accounts, seed=world.seed, now=START, methodologies=tuple(world.methodologies)
    )
    if not fresh:
        raise ValueError("the database is not empty: a replay takes one of its own")
    if world.fund_usdt:
        fund_transfer(
            currency="USDT", amount=world.fund_usdt, reason="capital of the replay", actor=ACTOR, now=START
        )
    return market_standing(seed=world.seed)


def replay(market: DemoMarket, moves: Iterable[Move]) -> Iterator[Tick]:
    """Play the moves from the market's time on; one tick for each."""
    warnings = WarningsSeen()
    for number, move in enumerate(moves, start=1):
        yield _tick(market, move, warnings)
        if number % _PRUNE_EVERY == 0:
            runs_prune()


def _tick(market: DemoMarket, move: Move, warnings: WarningsSeen) -> Tick:
    document = market.step(move.seconds, move.factors, move.iv_rises)
    now = market.as_of
    published = SnapshotDocument(now, document, market.settlement or None)
    snapshot = snapshot_publish(document=published, source=SOURCE, actor=ACTOR)
    _settle(now)
    _margin_and_review(now)
    prices = books.Prices(margin.snapshot_market(snapshot.pk))
    unexplained = _liquidate(now, prices)
    state = market_state(now)
    return Tick(
        move=move,
        as_of=now,
        toll=toll_taken(warnings.count()),
        equity_usd=books.worth_usd(books.accounts_hold(_everybody(), prices), prices),
        fund_usd=books.worth_usd(books.fund_holds(prices), prices),
        unexplained_usd=unexplained,
        is_held=state is None or not state.standing.is_fresh,
    )


def _settle(now: datetime) -> None:
    """Turn what has expired into cash, with accounts and fund."""
    while settlements_run(now=now):
        pass
    fund_settle(actor=WORKER, now=now)


def _margin_and_review(now: datetime) -> None:
    """A run over everybody, and what follows it: eligibility, warnings, cases."""
    waiting = run_start(reason=RunReason.MANUAL)
    run = margin.run_of_parts(waiting)
    kinds: dict[int, str] = {}
    while waiting:
        part = waiting.pop(0)
        if part not in kinds:
            kinds = dict(margin.run_parts(run.pk).values_list("pk", "kind"))
        kind = PartKind(kinds[part])
        claim = parts.part_claim(part_id=part, kind=kind)
        if claim is not None:
            waiting += _ACTS[kind](claim=claim)
    eligibility_review(run_id=run.pk, now=now)
    run_review(run_id=run.pk, now=now)


_ACTS: Final = {PartKind.STRESS: parts.stress, PartKind.MARGIN: parts.margin}


def _liquidate(now: datetime, prices: books.Prices) -> Decimal:
    """Work on the queue until nothing is left to be done now, looking at everything after each step.

    Returns the most that a step has changed any holding by without a reason, USD.
    """
    everybody, worst = _everybody(), Decimal(0)

    def held() -> books.Amounts:
        return books.added(books.accounts_hold(everybody, prices), books.fund_holds(prices))

    before, last = held(), _newest_step()
    while case_work(port=PaperPort(), clock=lambda: now, steps=1):
        steps = list(liquidation.steps_done_after(last))
        after = held()
        moved = books.moved_by(steps, prices)
        worst = max(worst, books.unexplained_usd(before, after, moved, prices))
        before, last = after, steps[-1].pk if steps else last
    cases_quarantine(clock=lambda: now)
    return worst


def _newest_step() -> int:
    newest = liquidation.steps_done_after(0).last()
    return newest.pk if newest else 0


def _everybody() -> list[int]:
    """The ids of all accounts."""
    return [account for ids in accounts.account_ids_by_methodology().values() for account in ids]
