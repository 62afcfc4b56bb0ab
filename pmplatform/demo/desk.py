"""What an account is put together with: a look-up of the market, and a draft that trades into it."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np


class Desk:
    """The listed instruments by what one would ask a trading desk for; prices from the market document."""

    def __init__(self, market: Mapping[str, Any]) -> None:
        self._index: Mapping[str, float] = market["index"]
        self._fx: Mapping[str, float] = market["fx"]
        self._by_id: dict[str, dict[str, Any]] = {row["id"]: row for row in market["instruments"]}
        perpetuals = [row for row in market["instruments"] if row["kind"] == "perpetual"]
        self._perpetuals: dict[tuple[str, str], dict[str, Any]] = {
            (row["underlying"], row["settle"]): row for row in perpetuals
        }
        self._options: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for row in market["instruments"]:
            if row["kind"] == "option":
                self._options[row["underlying"]][row["expiry"]].append(row)

    @property
    def coins(self) -> list[str]:
        """Coins with perpetuals in every settlement, in the order of their names."""
        return sorted({coin for coin, _ in self._perpetuals})

    @property
    def option_coins(self) -> list[str]:
        """Coins with options, in the order of their names."""
        return sorted(self._options)

    def usd(self, currency: str) -> float:
        """USD price of one unit of a coin or a stable currency."""
        return self._fx[currency] if currency in self._fx else self._index[f"{currency}-USD"]

    def perpetual(self, coin: str, quote: str) -> dict[str, Any]:
        """The perpetual quoted in USDT or USDC (linear) or in USD (inverse)."""
        return self._perpetuals[coin, coin if quote == "USD" else quote]

    def futures(self, coin: str, style: str) -> list[dict[str, Any]]:
        """Dated futures of a coin, ascending by expiry."""
        rows = (row for row in self._by_id.values() if row["kind"] == "future")
        chosen = [row for row in rows if row["underlying"] == coin and row["style"] == style]
        return sorted(chosen, key=lambda row: str(row["expiry"]))

    def expiries(self, coin: str) -> list[str]:
        """Option expiries of a coin, ascending."""
        return sorted(self._options[coin])

    def option(self, coin: str, expiry: str, option_type: str, moneyness: float) -> dict[str, Any]:
        """The option whose strike is nearest to `moneyness` times its forward."""
        rows = (row for row in self._options[coin][expiry] if row["option_type"] == option_type)
        return min(rows, key=lambda row: abs(float(row["strike"]) - moneyness * float(row["forward"])))

    def contract_coins(self, row: Mapping[str, Any]) -> float:
        """Coins of underlying in one contract (an inverse future's at its mark)."""
        size = float(row["contract_size"])
        inverse = row["style"] == "inverse" and row["kind"] != "option"
        return size / float(row["mark"]) if inverse else size


class Draft:
    """An account in the making; entries are struck near the mark."""

    def __init__(self, desk: Desk, rng: np.random.Generator) -> None:
        self.desk = desk
        self.rng = rng
        self._balances: dict[str, Decimal] = {}
        self._positions: dict[str, dict[str, str]] = {}
        self._orders: list[dict[str, str]] = []

    def pick(self, options: list[str]) -> str:
        """One of the options, each as likely."""
        return options[int(self.rng.integers(len(options)))]

    def hold(self, currency: str, usd: float) -> None:
        """Add a balance worth `usd`, a debt where that is negative."""
        places = 2 if currency.startswith("USD") else 6
        amount = Decimal(f"{usd / self.desk.usd(currency):.{places}f}")
        self._balances[currency] = self._balances.get(currency, Decimal(0)) + amount

    def trade(self, row: Mapping[str, Any], coins: float) -> None:
        """Take a position of about `coins` (signed) of underlying, at least one contract.

        The first position in an instrument stands; a later one is left out.
        """
        contracts = self._contracts(row, coins)
        entry = float(row["mark"]) * float(np.exp(0.015 * self.rng.standard_normal()))
        position = {"instrument": str(row["id"]), "quantity": str(contracts), "entry_price": _price(entry)}
        self._positions.setdefault(str(row["id"]), position)

    def quote(self, row: Mapping[str, Any], coins: float, spread: float) -> None:
        """Rest a bid and an ask of about `coins` each, `spread` (relative) away from the mark."""
        for side, sign in (("buy", -1.0), ("sell", 1.0)):
            self._orders.append(
                {
                    "instrument": str(row["id"]),
                    "side": side,
                    "quantity": str(self._contracts(row, coins)),
                    "price": _price(float(row["mark"]) * (1.0 + sign * spread)),
                }
            )

    def document(self, account_id: str) -> dict[str, Any]:
        """The `account` object of a book document."""
        return {
            "id": account_id,
            "methodology": "okx-2025",
            "hedge_mode": "spot_hedge",
            "hedge_limits": {},
            "balances": {currency: str(amount) for currency, amount in sorted(self._balances.items())},
            "positions": list(self._positions.values()),
            "orders": self._orders,
        }

    def _contracts(self, row: Mapping[str, Any], coins: float) -> int:
        size = self.desk.contract_coins(row)
        return max(1, round(abs(coins) / size)) * (1 if coins >= 0.0 else -1)


#: Coins that list futures, all of them, and those that list options.


def _price(value: float) -> str:
    """A price in eight significant digits, as a plain decimal."""
    return f"{Decimal(f'{value:.8g}'):f}"
