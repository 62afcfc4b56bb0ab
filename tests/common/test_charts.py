"""Geometry of the console's charts."""

import pytest

from pmplatform.common.charts import Scale, gauge, line_path, nice_ticks, stacked_bars


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 97.0, (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)),
        (-30.0, 60.0, (-40.0, -20.0, 0.0, 20.0, 40.0, 60.0)),
        (0.0, 0.0, (0.0, 0.1)),
    ],
)
def test_ticks_are_round_and_enclose_the_values(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert nice_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize("exponent", range(-6, 12))
@pytest.mark.parametrize("mantissa", [1.0, 1.3, 2.6, 5.1, 9.9])
def test_there_are_never_too_many_ticks(exponent: int, mantissa: float) -> None:
    high = mantissa * 10.0**exponent
    ticks = nice_ticks(-high / 3.0, high)
    assert 2 <= len(ticks) <= 6
    assert ticks[0] <= -high / 3.0
    assert ticks[-1] >= high


def test_a_line_runs_upwards_and_is_broken_where_a_value_is_missing() -> None:
    path = line_path([0.0, 1.0, 2.0, 4.0], [0.0, 10.0, None, 5.0], Scale(0.0, 4.0), Scale(0.0, 10.0))
    assert path == "M0 100 L25 0 M100 50"


def test_bars_share_one_scale_and_one_shade_for_each_name() -> None:
    long, short = stacked_bars({"BTC": {"MR1": 30.0, "MR4": 10.0, "MR7": 0.0}, "ETH": {"MR4": 20.0}})
    assert [(piece.name, piece.width, piece.share) for piece in long.segments] == [
        ("MR1", 75.0, 0.75),
        ("MR4", 25.0, 0.25),
    ]
    assert (short.segments[0].width, short.segments[0].shade) == (50.0, long.segments[1].shade)


def test_a_gauge_has_its_highest_bound_in_the_middle_and_takes_any_value() -> None:
    bounds = [(1.0, "danger", "100 %"), (3.0, "warning", "300 %")]
    drawn = gauge(3.0, bounds, "safe")
    assert [zone.tone for zone in drawn.zones] == ["danger", "warning", "safe"]
    assert drawn.needle == "M100.0 100.0 L100.0 34.0"
    assert [label.anchor for label in drawn.labels] == ["end", "middle"]
    assert gauge(-2.0, bounds, "safe").needle == gauge(0.0, bounds, "safe").needle
    assert gauge(1e300, bounds, "safe").needle.endswith("L166.0 100.0")
    assert gauge(None, bounds, "safe").needle == ""
