"""How much of what is meant one step trades (spec 50, section 3)."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final, Self

from liquidation.planner.amounts import decimal_of
from margin.engine.parameters.common import LiquidationRules

_ONE: Final = Decimal(1)
#: Quantities this close to each other, relative, are the same: one of them was computed in floats.
_CLOSE: Final = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Sizing:
    """`step_fraction` of what is meant, in whole contracts, and the whole rest where dust would be left."""

    step_fraction: Decimal
    min_order_usd: Decimal

    @classmethod
    def of(cls, rules: LiquidationRules) -> Self:
        return cls(decimal_of(rules.step_fraction), decimal_of(rules.min_order_usd))

    def contracts(self, meant: Decimal, worth_usd: Decimal, held: Decimal | None = None) -> Decimal:
        """Contracts of one step, 0 where not even one fits.

        Parameters
        ----------
        meant : contracts that would do all of it.
        worth_usd : of one contract.
        held : contracts of the position that is reduced; None where a position may open or grow. A
            fraction of a contract is traded only to close a position that has one.
        """
        closes = held is not None and held <= meant * (1 + _CLOSE)
        limit = held if held is not None and closes else meant.quantize(_ONE, ROUND_FLOOR)
        part = min((meant * self.step_fraction).quantize(_ONE, ROUND_CEILING), limit)
        smallest = min(part, limit - part) * worth_usd
        return limit if smallest < self.min_order_usd else part


def nearest(contracts: Decimal) -> Decimal:
    """The nearest whole number of contracts."""
    return contracts.quantize(_ONE, ROUND_HALF_EVEN)
