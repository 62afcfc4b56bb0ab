"""What is measured, topic by topic, and on how much."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from pmplatform.benchmark.engine_rows import engine_measures
from pmplatform.benchmark.holdings import book
from pmplatform.benchmark.market import market
from pmplatform.benchmark.measures import Measure
from pmplatform.benchmark.run_rows import run_measures


@dataclass(frozen=True, slots=True)
class Extent:
    """How many accounts, and how many pairs of work and comparison."""

    accounts: int
    pairs: int

    @classmethod
    def of(cls, *, quick: bool) -> Self:
        """That of a benchmark, or of a quick one."""
        return cls(accounts=10_000, pairs=3) if quick else cls(accounts=100_000, pairs=9)


def _engine(extent: Extent) -> Iterator[Measure]:
    return engine_measures(book(extent.accounts, market()), market(), extent.pairs)


def _runs(extent: Extent) -> Iterator[Measure]:
    return run_measures(extent.accounts, extent.pairs)


TOPICS: Final[Mapping[str, Callable[[Extent], Iterator[Measure]]]] = {"engine": _engine, "runs": _runs}


def measures(topics: Sequence[str], extent: Extent) -> Iterator[Measure]:
    """The rows of the topics, in the order of `TOPICS`."""
    for name, topic in TOPICS.items():
        if name in topics:
            yield from topic(extent)
