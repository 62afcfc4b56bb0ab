"""USDC loses its peg, minute by minute as in March 2023: what MR9 and the guards make of it."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from accounts.models import EligibilityTransition
from margin.choices import GuardKind, RunReason
from margin.guards import Ages, Candidate, Limits, Memory, Verdict, judge
from margin.market_states import market_state
from margin.models import MarginResult, MarginRun, MarketGuardEvent
from margin.services.eligibility import eligibility_review
from margin.services.reports import report_of
from margin.services.runs import run_start
from tests.margin.falling import margined
from tests.margin.proposals import document_of
from tests.margin.test_runs import work_through
from tests.margin.world import AS_OF, newest_run, world

RECORDED: Final = (
    Path(__file__).resolve().parents[2] / "../shared/data/usdc_depeg/usdc_depeg_1m_20230310_20230314.csv.gz"
)
pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="the recording is absent")

_SERIES: Final = {
    "fx.USDC": "kraken_usdcusd_close",
    "fx.USDT": "kraken_usdtusd_close",
    "index.BTC-USD": "kraken_btcusd_close",
    "index.BTC-USDC": "kraken_btcusdc_close",
    "index.BTC-USDT": "kraken_btcusdt_close",
}
#: Levels of the market that the returns are applied to.
_LEVELS: Final = {name: 1.0 if name.startswith("fx") else 100_000.0 for name in _SERIES}
MIDNIGHT, LOW = "2023-03-11T00:00:00Z", "2023-03-11T07:15:00Z"
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Minute:
    at: datetime
    levels: dict[str, float]


@cache
def minutes() -> list[Minute]:
    """The recorded minutes as levels that begin at `_LEVELS`; a minute without a trade keeps the last one."""
    with gzip.open(RECORDED, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    first = {name: float(rows[0][column]) for name, column in _SERIES.items()}
    levels, found = dict(_LEVELS), []
    for row in rows:
        traded = {
            name: float(row[column]) for name, column in _SERIES.items() if row[column] not in ("", "nan")
        }
        levels |= {name: _LEVELS[name] * price / first[name] for name, price in traded.items()}
        found.append(Minute(datetime.fromisoformat(row["ts_utc"]), dict(levels)))
    return found


def between(first: str, last: str) -> list[Minute]:
    start, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
    return [minute for minute in minutes() if start <= minute.at <= end]


def market_at(minute: Minute) -> dict[str, Any]:
    """A market of two perpetuals, one in USDC and an inverse one."""
    index = {name[6:]: price for name, price in minute.levels.items() if name.startswith("index.")}
    swap = {"kind": "perpetual", "underlying": "BTC"}
    return {
        "index": index,
        "fx": {name[3:]: rate for name, rate in minute.levels.items() if name.startswith("fx.")},
        "instruments": [
            {"id": "BTC-USDC-SWAP", **swap, "style": "linear", "settle": "USDC", "contract_size": 0.01,
             "mark": index["BTC-USDC"]},
            {"id": "BTC-USD-SWAP", **swap, "style": "inverse", "settle": "BTC", "contract_size": 100,
             "mark": index["BTC-USD"]},
        ],
    }  # fmt: skip


#: Five coins bought for USDC, as many sold for dollars: a hedge, but for the peg.
HEDGED: Final = {
    "id": "HEDGED",
    "methodology": "okx-2025",
    "balances": {"USDT": "2000000"},
    "positions": [
        {"instrument": "BTC-USDC-SWAP", "quantity": "500", "entry_price": "100000"},
        {"instrument": "BTC-USD-SWAP", "quantity": "-5000", "entry_price": "100000"},
    ],
}
LIMITS: Final = Limits(Ages(2 * MINUTE, 5 * MINUTE), 0.10, 0.50, {"BTC": 0.24})


def verdicts(taken: list[Minute]) -> Iterator[tuple[Minute, Verdict]]:
    last: Memory | None = None
    for minute in taken:
        decision = judge(last, Candidate(minute.at, str(minute.levels), minute.levels), LIMITS, minute.at)
        last = decision.memory
        assert last is not None, decision.faults
        yield minute, decision.verdict


def test_minute_by_minute_the_peg_is_walked_away_from_and_nothing_is_held() -> None:
    taken = minutes()
    assert len(taken) == 7_200
    assert min(minute.levels["fx.USDC"] for minute in taken) == pytest.approx(0.874, abs=1e-3)
    assert {verdict for _, verdict in verdicts(taken)} == {Verdict.ACCEPT}


def test_a_feed_that_slept_through_the_night_is_held_until_the_next_minute_confirms() -> None:
    [before, *_], night = between(MIDNIGHT, MIDNIGHT), between(LOW, "2023-03-11T07:17:00Z")
    assert [verdict for _, verdict in verdicts([before, *night])] == [
        Verdict.ACCEPT,
        Verdict.HOLD,
        Verdict.RELEASE,
        Verdict.ACCEPT,
    ]


def depeg_rate(usdc: float) -> float:
    """MR9's rate of its first size tier at a price of the pair, straight from the parameters."""
    factor = document_of("2025-01-21", "okx-2025")["mr9"]
    return float(np.interp(min(usdc, 1 / usdc), factor["price_nodes"], factor["rates"][0]))


def mr9_of(run: MarginRun) -> float:
    """The charge in a run's report of the one account."""
    [unit] = report_of(MarginResult.objects.get(run=run))["risk_units"]
    return float(unit["components"]["mr9"])


@pytest.mark.django_db(transaction=True)
def test_the_charge_for_the_peg_grows_as_it_is_lost_and_shrinks_as_it_returns() -> None:
    hours = minutes()[:: 6 * 60]
    world(market_at(hours[0]), AS_OF, [HEDGED])
    charges = []
    for number, minute in enumerate(hours, start=1):
        run = margined(market_at(minute), AS_OF + number * MINUTE)
        usdc = 500 * 0.01 * minute.levels["index.BTC-USDC"] * minute.levels["fx.USDC"]
        charge = min(usdc, 5_000 * 100.0) * depeg_rate(minute.levels["fx.USDC"])
        charges.append(mr9_of(run))
        assert charges[-1] == pytest.approx(charge, rel=1e-9)
    calm, worst = charges[0], max(charges)
    assert calm == pytest.approx(2_500, rel=0.01), "0.5 % of half a million"
    assert worst > 10 * calm
    assert charges[-1] < worst / 10, "the peg is back on the fourteenth"


@pytest.mark.django_db(transaction=True)
def test_the_lost_peg_is_held_told_and_moves_nobody_until_it_is_confirmed() -> None:
    [before, *_], [low, after, *_] = between(MIDNIGHT, MIDNIGHT), between(LOW, "2023-03-11T07:16:00Z")
    world(market_at(before), AS_OF, [HEDGED])
    work_through(run_start(reason=RunReason.MANUAL))
    calm = mr9_of(newest_run())
    held = margined(market_at(low), AS_OF + MINUTE)
    state = market_state(AS_OF + MINUTE)
    assert state is not None
    assert state.standing.word == "hold"
    assert any(reason.startswith("fx.USDC jumped from") for reason in state.reasons)
    assert eligibility_review(run_id=held.pk, now=AS_OF + MINUTE) == 0
    assert mr9_of(held) > 10 * calm, "it is served, though it moves nothing"
    margined(market_at(after), AS_OF + 2 * MINUTE)
    state = market_state(AS_OF + 2 * MINUTE)
    assert state is not None
    assert state.standing.word == "fresh"
    kinds = list(MarketGuardEvent.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == [GuardKind.HELD, GuardKind.RELEASED]
    assert not EligibilityTransition.objects.exclude(kind="loaded").exists()
