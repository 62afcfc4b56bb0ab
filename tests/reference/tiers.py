"""Tier tables, node curves and the entries of a parameter document."""

from collections.abc import Sequence
from typing import Any

from tests.reference.book import Json


def entry(table: Json, name: str) -> Any:
    """The entry of a coin or currency, or the one of every name without its own."""
    return table[name] if name in table else table["*"]


def asset_class(parameters: Json, factor: str, coin: str) -> str:
    """Class of a coin for one risk factor, which may bring lists of its own."""
    classes: Json = parameters[factor].get("asset_classes") or parameters["asset_classes"]
    for name, coins in classes.items():
        if coin in coins:
            return str(name)
    return "other"


def slices(amount: float, bounds: Sequence[float | None]) -> list[float]:
    """The part of ``amount`` inside each tier, ``bounds`` being the tiers' upper ends (None is open)."""
    parts, lower = [], 0.0
    for bound in bounds:
        upper = amount if bound is None else min(amount, float(bound))
        parts.append(max(0.0, upper - lower))
        lower = max(lower, upper)
    return parts


def marginal(amount: float, tiers: Sequence[Json], key: str) -> float:
    """Each slice of ``amount`` times the ``key`` of its own tier."""
    parts = slices(amount, [tier["up_to"] for tier in tiers])
    return sum(part * float(tier[key]) for part, tier in zip(parts, tiers, strict=True))


def whole(amount: float, tiers: Sequence[Json]) -> Json:
    """The one tier in which all of ``amount`` falls."""
    for tier in tiers:
        if tier["up_to"] is None or amount <= tier["up_to"]:
            return tier
    raise ValueError("the last tier is not open")


def interpolate(x: float, nodes: Sequence[float], values: Sequence[float]) -> float:
    """Linear between ascending nodes, flat outside them."""
    if x <= nodes[0]:
        return float(values[0])
    for k in range(1, len(nodes)):
        if x <= nodes[k]:
            share = (x - nodes[k - 1]) / (nodes[k] - nodes[k - 1])
            return float(values[k - 1] + share * (values[k] - values[k - 1]))
    return float(values[-1])


def symmetric(moves: Sequence[float]) -> list[float]:
    """Zero and both signs of every move, ascending."""
    return [-move for move in reversed(moves)] + [0.0, *moves]
