"""What an explanation consists of, and its document (spec 60, section 1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin.engine.errors import NonFiniteError
from margin.engine.explain.players import Player

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Component:
    """One component of a unit's requirement, divided.

    Attributes
    ----------
    value : USD.
    shares : (P,) USD by player; they sum to `value`.
    cell : the scenario, tier, curve or pair that decided; None where nothing had to be chosen.
    words : what happens, as the subject of "costs".
    """

    value: float
    shares: Floats
    words: str
    cell: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was chosen among `alternatives`, by how many USD, and what stands next."""

    alternatives: str
    chosen: str
    by: float
    next: str


def decide(alternatives: str, values: Mapping[str, float], *, least: bool = False) -> list[Decision]:
    """The decision for the greatest (or least) value, first of ties; none where there is no alternative."""
    if len(values) < 2:
        return []
    choose = min if least else max
    chosen = choose(values, key=values.__getitem__)
    others = {name: value for name, value in values.items() if name != chosen}
    following = choose(others, key=others.__getitem__)
    return [Decision(alternatives, chosen, abs(values[chosen] - values[following]), following)]


@dataclass(frozen=True, eq=False)
class UnitExplanation:
    """One risk unit of one account.

    Attributes
    ----------
    mmr : the unit's requirement, USD.
    counted : names of the components that add up to it; the others lost a `max` or are no maintenance.
    """

    unit: str
    binding: str
    mmr: float
    players: tuple[Player, ...]
    components: Mapping[str, Component]
    counted: tuple[str, ...]
    decisions: Sequence[Decision]
    words: str

    def shares(self) -> Floats:
        """(P,) shares of the requirement: those of the counted components added up."""
        return np.asarray(np.sum([self.components[name].shares for name in self.counted], axis=0))

    def require_finite(self, account: str) -> None:
        """Raise `NonFiniteError` where a share is not finite."""
        for name, component in self.components.items():
            if not np.isfinite(component.shares).all():
                raise NonFiniteError(f"share of {name} of {self.unit}", account)

    def document(self) -> dict[str, Any]:
        """The explanation as plain values, ready for JSON."""
        return {
            "mmr": {"value": self.mmr, "binding": self.binding, "shares": self._shares(self.shares())},
            "components": {
                name: {
                    "value": component.value,
                    "counted": name in self.counted,
                    "cell": component.cell,
                    "shares": self._shares(component.shares),
                }
                for name, component in self.components.items()
            },
            "decisions": [
                {"max": item.alternatives, "chosen": item.chosen, "by": item.by, "next": item.next}
                for item in self.decisions
            ],
            "words": self.words,
        }

    def _shares(self, shares: Floats) -> list[dict[str, Any]]:
        return [
            {
                "kind": str(player.kind),
                "instrument": player.instrument,
                "quantity": player.quantity,
                "share": float(share) + 0.0,
            }
            for player, share in zip(self.players, shares, strict=True)
        ]
