"""What a replay reports: a line now and then as it goes on, and how it ended."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from pmplatform.demo.replay.course import RULE
from pmplatform.demo.replay.play import Tick, World

#: Lines that a whole replay prints.
LINES: Final = 24
#: Half a cent: what no holding may change by without a reason.
TOLERANCE_USD: Final = Decimal("0.005")

_COLUMNS: Final = (
    ("recorded", 16),
    ("BTC", 7),
    ("USDC", 7),
    ("warned", 7),
    ("repaid", 7),
    ("liquidated", 11),
    ("taken over", 11),
    ("open", 5),
    ("accounts, USD", 15),
    ("fund, USD", 12),
)


def opening(name: str, bars: int, world: World) -> Iterator[str]:
    """What is about to be played."""
    methodologies = ", ".join(methodology.value for methodology in world.methodologies)
    yield f"{name}: {bars:,} bars over {world.accounts:,} accounts ({methodologies}), seed {world.seed}"
    yield RULE
    yield "A coin without a series of its own moves with BTC. Prices are relative to the start."
    yield ""
    yield "".join(title.rjust(width) for title, width in _COLUMNS)


def line(tick: Tick) -> str:
    """How things stand."""
    toll, levels = tick.toll, tick.move.levels
    cells = (
        f"{tick.move.recorded:%Y-%m-%d %H:%M}",
        f"{levels['BTC']:.3f}",
        f"{levels.get('USDC', 1.0):.3f}",
        f"{toll.warned:,}",
        f"{toll.repaid:,}",
        f"{toll.liquidated:,}",
        f"{toll.taken_over:,}",
        f"{toll.live:,}",
        f"{tick.equity_usd:,.0f}",
        f"{tick.fund_usd:,.0f}",
    )
    return "".join(cell.rjust(width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True))


def lines_at(count: int) -> frozenset[int]:
    """Which of so many ticks, from 0, have a line: evenly spread, the last among them."""
    lines = min(LINES, count)
    return frozenset(count - 1 - round(place * count / lines) for place in range(lines))


def ending(ticks: Sequence[Tick], world: World) -> Iterator[str]:
    """How it ended."""
    last, toll = ticks[-1], ticks[-1].toll
    lowest = min(ticks, key=lambda tick: tick.move.levels["BTC"])
    yield ""
    low = lowest.move
    yield f"BTC at its lowest: {low.levels['BTC']:.1%} of its start, {low.recorded:%Y-%m-%d %H:%M}"
    yield (
        f"Accounts warned {toll.warned:,}, repaid {toll.repaid:,}, liquidated {toll.liquidated:,}, "
        f"taken over {toll.taken_over:,}, in {toll.steps:,} steps; cases open {toll.live:,}, "
        f"{toll.stopped:,} of them waiting for a person"
    )
    yield f"Bars that the guards held: {sum(tick.is_held for tick in ticks):,}"
    least = min(tick.fund_usd for tick in ticks)
    yield (
        f"Insurance fund: {world.fund_usdt:,.0f} USDT at first, USD {last.fund_usd:,.2f} at last, "
        f"USD {least:,.2f} at its lowest"
    )
    yield (
        f"Conservation: no holding changed by more than USD {float(worst(ticks)):.1e} beyond fills, fees and "
        f"conversions, in any step; closed cases that do not add up: {toll.unconserved:,}"
    )


def worst(ticks: Sequence[Tick]) -> Decimal:
    """The most that a step has left unexplained, USD."""
    return max(tick.unexplained_usd for tick in ticks)


def is_conserved(ticks: Sequence[Tick]) -> bool:
    """Whether everything added up, to the cent."""
    return worst(ticks) <= TOLERANCE_USD and not ticks[-1].toll.unconserved
