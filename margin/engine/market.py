"""One moment of the market: indices, stable-currency rates and the derivatives with their marks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from margin.engine.instruments import DAYS_PER_YEAR, SECONDS_PER_DAY, Group, Instruments, microseconds

STABLE_CURRENCIES: Final = ("USD", "USDT", "USDC")


@dataclass(frozen=True)
class Market:
    """An immutable market snapshot (spec 01, section 2).

    Attributes
    ----------
    as_of : the valuation time, UTC.
    index : price of one coin by pair, `"BTC-USD"`; every underlying in use has its USD pair.
    fx : USD per unit of a stable currency.
    instruments : the derivatives, columnar.
    """

    as_of: datetime
    index: Mapping[str, float]
    fx: Mapping[str, float]
    instruments: Instruments

    def fx_rate(self, currency: str) -> float:
        """USD per unit of USD, USDT or USDC. A currency nobody uses may lack a rate and counts as 1."""
        return 1.0 if currency == "USD" else self.fx.get(currency, 1.0)

    def usd_price(self, currency: str) -> float:
        """USD price of one unit of a currency: fx for a stable one, the USD index for a coin."""
        return self.fx_rate(currency) if currency in STABLE_CURRENCIES else self.index[f"{currency}-USD"]

    def pair_index(self, coin: str, group: Group) -> float:
        """`S_p`: the coin's index in the group's currency; from the USD index where it is not quoted."""
        quoted = self.index.get(f"{coin}-{group.name}")
        return self.index[f"{coin}-USD"] / self.fx_rate(group.name) if quoted is None else quoted

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Index of every derivative by its name."""
        return {name: i for i, name in enumerate(self.instruments.ids)}

    @cached_property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Seconds to expiry of every instrument, 0 for perpetuals; shape (I,)."""
        return self.instruments.seconds_to_expiry(microseconds(self.as_of))

    @cached_property
    def days(self) -> npt.NDArray[np.float64]:
        """Fractional days to expiry; shape (I,)."""
        return self.seconds / SECONDS_PER_DAY

    @cached_property
    def years(self) -> npt.NDArray[np.float64]:
        """`T` of every instrument in years of 365 days; shape (I,)."""
        return self.seconds / (DAYS_PER_YEAR * SECONDS_PER_DAY)

    @cached_property
    def group_fx(self) -> npt.NDArray[np.float64]:
        """`fx_g` of every instrument; shape (I,)."""
        rates = np.array([self.fx_rate(group.name) for group in Group])
        return rates[self.instruments.group]

    @cached_property
    def spot(self) -> npt.NDArray[np.float64]:
        """`S`, the USD index of every instrument's underlying; shape (I,)."""
        prices = np.array([self.index[f"{coin}-USD"] for coin in self.instruments.underlyings])
        return prices[self.instruments.underlying] if len(self.instruments) else np.zeros(0)

    @cached_property
    def pair_spot(self) -> npt.NDArray[np.float64]:
        """`S_p`, the pair index of every instrument; shape (I,)."""
        coins = self.instruments.underlyings
        prices = np.array([[self.pair_index(coin, group) for group in Group] for coin in coins])
        table = prices.reshape(len(coins), len(Group))
        return np.asarray(table[self.instruments.underlying, self.instruments.group], dtype=np.float64)

    @cached_property
    def settle_usd(self) -> npt.NDArray[np.float64]:
        """USD price of every instrument's settlement currency; shape (I,)."""
        return np.array([self.usd_price(currency) for currency in self.instruments.settle], dtype=np.float64)

    @cached_property
    def settle_codes(self) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
        """The settlement currencies, and (I,) which of them is each instrument's."""
        names = tuple(sorted(set(self.instruments.settle)))
        code = {name: i for i, name in enumerate(names)}
        return names, np.array([code[name] for name in self.instruments.settle], dtype=np.int32)

    @cached_property
    def future_price(self) -> npt.NDArray[np.float64]:
        """Marks in which a future's P&L is linear: of an inverse one, one over it; shape (I,)."""
        table = self.instruments
        mark = np.where(table.option, 1.0, table.mark)
        return np.where(table.inverse, 1.0 / mark, mark)

    @cached_property
    def option_mark(self) -> npt.NDArray[np.float64]:
        """Marks of options, 0 for everything else; shape (I,)."""
        return np.where(self.instruments.option, self.instruments.mark, 0.0)

    @cached_property
    def index_notional(self) -> npt.NDArray[np.float64]:
        """USD notional at the index of one contract: size * S, of inverse futures size / mark * S; (I,)."""
        table = self.instruments
        coins = np.where(table.inverse & ~table.option, 1.0 / table.mark_or_one, 1.0)
        return table.contract_size * coins * self.spot
