"""The benchmark's own arithmetic, and that its comparisons compute what the engine computes."""

import numpy as np
import pytest

from margin.engine import pipeline
from pmplatform.benchmark.comparisons import Broadcast, quantities
from pmplatform.benchmark.engine_rows import Setting
from pmplatform.benchmark.holdings import BLOCK, book
from pmplatform.benchmark.market import market
from pmplatform.benchmark.measures import Quantity, as_table, at_most, times_faster, within
from pmplatform.benchmark.plot import growth_plot
from pmplatform.benchmark.timing import quantile
from pmplatform.benchmark.topics import topics_by_servers


def test_a_row_passes_on_the_right_side_of_its_goal() -> None:
    slow, fast = Quantity(12.0, "ms"), Quantity(2.0, "ms")
    assert at_most("cost", slow, fast, 6.0).passed
    assert not at_most("cost", slow, fast, 5.9).passed
    assert times_faster("speed", fast, slow, 6.0).passed
    assert not times_faster("speed", fast, slow, 6.1).passed
    assert within("latency", fast, 2.0, slow).passed
    assert not within("latency", slow, 2.0, fast).passed


def test_a_missed_goal_stands_in_the_table_with_its_figure() -> None:
    table = as_table([at_most("cost", Quantity(12.0, "ms"), Quantity(2.0, "ms", "bare"), 5.0, "why")])
    row = table.splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["cost", "12 ms", "2 ms (bare)", "6 x", "<= 5 x", "NO", "why"]


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 3.0
    assert quantile([1.0], 0.99) == 1.0


def test_the_book_is_the_same_each_time_and_of_the_size_it_says() -> None:
    first, again = book(BLOCK + 500, market()), book(BLOCK + 500, market())
    assert np.array_equal(first.positions.quantity, again.positions.quantity)
    counts = np.bincount(first.positions.account, minlength=len(first))
    assert 8 <= np.median(counts) <= 10
    assert counts.min() >= 1
    assert quantities(first, market()).nnz == len(first.positions.account)


def test_the_broadcast_repricing_finds_losses_of_the_engines_size() -> None:
    """It has no venue's exact rules, but the same order of magnitude: it does the same work."""
    held, setting = book(200, market()), Setting.of("okx-2025", market())
    shard = pipeline.margin_prepared(setting.prepare(held), market(), setting.parameters, setting.arrays)
    mr1 = np.zeros(len(held))
    for unit in shard.units:
        mr1[unit.account] += unit.components["mr1"]
    broadcast = np.array(Broadcast.of(market()).run(held, len(held)))
    assert np.median(broadcast) == pytest.approx(np.median(mr1), rel=0.5)


def test_the_plot_names_every_size_and_series() -> None:
    sizes = (10_000.0, 100_000.0, 1_000_000.0)
    drawn = growth_plot(
        {
            "engine": list(zip(sizes, (5.0, 5.1, 5.2), strict=True)),
            "runs": list(zip(sizes, (60.0, 50.0, 51.0), strict=True)),
        }
    )
    words = ("10,000", "100,000", "1,000,000", "5.1 us", "60.0 us", "engine", "runs")
    assert all(word in drawn for word in words)
    assert drawn.count("<polyline") == 2


def test_a_million_accounts_are_measured_on_servers_of_their_own_and_not_quickly() -> None:
    assert topics_by_servers("", quick=False) == [["engine", "growth", "runs", "api"], ["million"]]
    assert topics_by_servers("", quick=True) == [["engine", "growth", "runs", "api"]]
    assert topics_by_servers("million,engine", quick=True) == [["engine"], ["million"]]
