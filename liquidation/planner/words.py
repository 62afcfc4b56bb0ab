"""Pieces of the reasons that steps give."""

from decimal import Decimal

from liquidation.planner.amounts import plain
from liquidation.planner.assessment import UnitView


def usd(amount: float | Decimal) -> str:
    """An amount as a person reads it."""
    return f"USD {amount:,.2f}"


def leads(unit: UnitView) -> str:
    """Which component leads a unit, and by what it asks for."""
    name = unit.leading
    return (
        f"{name.replace('_', ' ')} ({usd(unit.components[name])}) leads {unit.name}, "
        f"which requires {usd(unit.mmr)}"
    )


def coins(amount: float | Decimal, coin: str) -> str:
    """An amount of a coin, to what matters of it."""
    return f"{amount:.8g} {coin}"


def contracts(quantity: Decimal) -> str:
    return f"{plain(abs(quantity))} contract{'' if abs(quantity) == 1 else 's'}"
