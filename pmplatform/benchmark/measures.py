"""What the benchmark finds: figures beside their comparisons, each held against a goal."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

_WIDTH: Final = 1_000


class Sense(StrEnum):
    AT_MOST = "<="
    AT_LEAST = ">="

    def holds(self, value: float, limit: float) -> bool:
        """Whether a value is on the right side of the limit."""
        return value <= limit if self is Sense.AT_MOST else value >= limit


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with its unit (`ms`, `MiB`, `accounts/s`) and, of a comparison, what it is of."""

    value: float
    unit: str
    what: str = ""

    def __str__(self) -> str:
        shown = f"{self.value:,.0f}" if self.value >= 1_000 else f"{self.value:.3g}"
        return f"{shown} {self.unit}" + (f" ({self.what})" if self.what else "")


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit of the judged value, in `x` where that is a ratio."""

    sense: Sense
    limit: float
    unit: str = "x"

    def __str__(self) -> str:
        return f"{self.sense} {self.limit:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table.

    Attributes
    ----------
    ratio : figure over comparison, or the other way about where the goal is to be so many times faster;
        None where the figure itself is judged, with its comparison printed beside it.
    points : of a row of growth, the cost of each account by their number.
    """

    name: str
    figure: Quantity
    comparison: Quantity | None
    ratio: float | None
    goal: Goal
    note: str = ""
    points: tuple[tuple[float, float], ...] = ()

    @property
    def passed(self) -> bool:
        judged = self.figure.value if self.ratio is None else self.ratio
        return self.goal.sense.holds(judged, self.goal.limit)

    def as_json(self) -> dict[str, Any]:
        """The row as JSON values."""
        return {**asdict(self), "passed": self.passed}


def at_most(name: str, figure: Quantity, comparison: Quantity, limit: float, note: str = "") -> Measure:
    """A figure that may cost so many times its comparison."""
    ratio = figure.value / comparison.value
    return Measure(name, figure, comparison, ratio, Goal(Sense.AT_MOST, limit), note)


def times_faster(name: str, figure: Quantity, comparison: Quantity, limit: float, note: str = "") -> Measure:
    """A figure that its comparison has to take so many times as long as."""
    ratio = comparison.value / figure.value
    return Measure(name, figure, comparison, ratio, Goal(Sense.AT_LEAST, limit), note)


def within(name: str, figure: Quantity, limit: float, comparison: Quantity | None, note: str = "") -> Measure:
    """A figure that is judged itself, with what an idle system takes beside it."""
    return Measure(name, figure, comparison, None, Goal(Sense.AT_MOST, limit, figure.unit), note)


def as_table(measures: Sequence[Measure]) -> str:
    """The rows as a table that is Markdown, too."""
    table = Table("goal of", "figure", "comparison", "ratio", "goal", "pass", "note", box=MARKDOWN)
    for row in measures:
        table.add_row(
            row.name,
            str(row.figure),
            "" if row.comparison is None else str(row.comparison),
            "" if row.ratio is None else f"{row.ratio:.3g} x",
            str(row.goal),
            "yes" if row.passed else "NO",
            row.note,
        )
    console = Console(width=_WIDTH, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines() if line.strip())
