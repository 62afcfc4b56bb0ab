"""What is measured, topic by topic, and on how much."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from pmplatform.benchmark.api_rows import api_measures
from pmplatform.benchmark.engine_rows import engine_measures
from pmplatform.benchmark.growth_rows import growth_measures
from pmplatform.benchmark.holdings import book
from pmplatform.benchmark.market import market
from pmplatform.benchmark.measures import Measure
from pmplatform.benchmark.million_rows import million_measures
from pmplatform.benchmark.run_rows import run_measures
from pmplatform.benchmark.stored import book_ensure


@dataclass(frozen=True, slots=True)
class Extent:
    """How many accounts, how many pairs of work and comparison, and the sizes over which growth is seen.

    `stored` are the sizes of books in the database, whole numbers of blocks; `load` is how many seconds
    changes come in.
    """

    accounts: int
    pairs: int
    sizes: tuple[int, ...]
    stored: tuple[int, ...]
    load: float

    @classmethod
    def of(cls, *, quick: bool) -> Self:
        """That of a benchmark, or of a quick one."""
        if quick:
            return cls(10_000, 3, (2_500, 10_000), (10_000, 20_000), 5.0)
        return cls(100_000, 9, (10_000, 100_000, 1_000_000), (10_000, 100_000, 1_000_000), 10.0)


def _engine(extent: Extent) -> Iterator[Measure]:
    return engine_measures(book(extent.accounts, market()), market(), extent.pairs)


def _runs(extent: Extent) -> Iterator[Measure]:
    return run_measures(extent.accounts, extent.pairs)


def _api(extent: Extent) -> Iterator[Measure]:
    book_ensure(extent.accounts)
    return api_measures(extent.load)


#: Too much for a quick benchmark, unless it is asked for; and it fills a database of its own.
MILLION: Final = "million"

TOPICS: Final[Mapping[str, Callable[[Extent], Iterator[Measure]]]] = {
    "engine": _engine,
    "growth": lambda extent: growth_measures(extent.sizes),
    "runs": _runs,
    "api": _api,
    MILLION: lambda extent: million_measures(extent.stored),
}


def topics_by_servers(only: str, *, quick: bool) -> list[list[str]]:
    """The topics to be measured, all without a comma-separated choice, by the servers they share."""
    chosen = [name for name in TOPICS if name in only.split(",")]
    if not only:
        chosen = [name for name in TOPICS if not (quick and name == MILLION)]
    groups = [[name for name in chosen if name != MILLION], [name for name in chosen if name == MILLION]]
    return [group for group in groups if group]


def measures(topics: Sequence[str], extent: Extent) -> Iterator[Measure]:
    """The rows of the topics, in the order of `TOPICS`."""
    for name, topic in TOPICS.items():
        if name in topics:
            yield from topic(extent)
