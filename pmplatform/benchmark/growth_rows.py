"""Rows of growth: the engine over more and more accounts, streamed a shard at a time through one process."""

import multiprocessing
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from margin.engine import pipeline
from pmplatform.benchmark.engine_rows import Setting
from pmplatform.benchmark.holdings import BLOCK, block_book
from pmplatform.benchmark.market import market
from pmplatform.benchmark.measures import Goal, Measure, Quantity, Sense

_MOST_GIB: Final = 1.25
_MOST_RISE: Final = 1.15


@dataclass(frozen=True, slots=True)
class Grown:
    """So many accounts margined: the seconds of it, and the peak memory in GiB of a process."""

    accounts: int
    seconds: float
    peak: float

    @property
    def microseconds_each(self) -> float:
        return 1e6 * self.seconds / self.accounts


def growth_measures(sizes: Sequence[int]) -> Iterator[Measure]:
    """Time for each account from the smallest size to the largest, and memory at the largest."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        grown = pool.map(margin_streamed, sizes, chunksize=1)
    yield from grown_measures(
        grown, "engine alone", f"cut, prepared and margined in shards of {BLOCK:,}, no database", ""
    )


def grown_measures(grown: Sequence[Grown], what: str, how: str, memory: str) -> Iterator[Measure]:
    """The rows of `what` at ascending sizes; `how` and `memory` are notes on time and memory."""
    sizes = [size.accounts for size in grown]
    costs = [size.microseconds_each for size in grown]
    rises = [later / earlier for i, earlier in enumerate(costs) for later in costs[i + 1 :]]
    steps = ", ".join(f"{size.accounts:,}: {size.microseconds_each:.1f} us" for size in grown)
    yield Measure(
        f"growth of the time for each account, {sizes[0]:,} to {sizes[-1]:,}, {what}",
        Quantity(costs[-1], "us"),
        Quantity(min(costs), "us", "the least of all"),
        max(rises),
        Goal(Sense.AT_MOST, _MOST_RISE),
        f"{how}; {steps}",
        tuple((float(size.accounts), size.microseconds_each) for size in grown),
    )
    yield Measure(
        f"peak memory of one process over {sizes[-1]:,} accounts, {what}",
        Quantity(grown[-1].peak, "GiB"),
        None,
        None,
        Goal(Sense.AT_MOST, _MOST_GIB, "GiB"),
        memory,
    )


def margin_streamed(accounts: int) -> Grown:
    """Make, prepare and margin accounts by okx-2025; only one shard stands in memory at a time."""
    setting = Setting.of("okx-2025", market())
    seconds = 0.0
    for block, start in enumerate(range(0, accounts, BLOCK)):
        book = block_book(block, min(BLOCK, accounts - start), market())
        started = time.process_time()
        shard = setting.prepare(book)
        pipeline.margin_prepared(shard, setting.market, setting.parameters, setting.arrays)
        seconds += time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Grown(accounts, seconds, peak)
