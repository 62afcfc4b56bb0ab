"""Asset classes of coins, and factors whose values differ between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

CLASSES: Final = ("tier1", "tier2", "other")


@dataclass(frozen=True)
class AssetClasses:
    """Which coins are tier1 and tier2; every other coin is `other`."""

    tier1: tuple[str, ...]
    tier2: tuple[str, ...]

    def of(self, coin: str) -> str:
        """The class of a coin."""
        if coin in self.tier1:
            return "tier1"
        return "tier2" if coin in self.tier2 else "other"


@dataclass(frozen=True)
class ByClass:
    """A factor's values by asset class, with the class lists that hold for this factor."""

    classes: AssetClasses
    values: Mapping[str, Any]

    def of(self, coin: str) -> Any:
        """The value for a coin."""
        return self.values[self.classes.of(coin)]
