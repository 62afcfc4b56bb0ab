"""The kinds of account that the demo world knows, and how each is put together.

A builder fills a draft with a portfolio of about `usd` of capital.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from pmplatform.demo.desk import Draft

Builder = Callable[[Draft, float], None]

#: Leverage at which a bare position is about at its liquidation; less is safer.
_FATAL_LEVERAGE: Final[Mapping[str, float]] = {"BTC": 7.6, "ETH": 7.6, "SOL": 5.1, "DOGE": 5.1}
_MAJORS: Final = ["BTC", "ETH"]
_STABLES: Final = ["USDT", "USDC"]


class AccountKind(StrEnum):
    SPOT_HEDGER = "spot_hedger"
    COVERED_CALL = "covered_call"
    CALENDAR_SPREAD = "calendar_spread"
    VERTICAL_SPREAD = "vertical_spread"
    MARKET_MAKER = "market_maker"
    DIRECTIONAL = "directional"
    OVER_LEVERED = "over_levered"
    DISTRESSED = "distressed"
    BORROWER = "borrower"
    CASH_AND_CARRY = "cash_and_carry"


def _spot_hedger(draft: Draft, usd: float) -> None:
    coin, quote = draft.pick(draft.desk.coins), draft.pick(["USDT", "USDC", "USD"])
    draft.hold(coin, usd)
    draft.hold("USDT", 0.3 * usd)
    hedged = draft.rng.uniform(0.6, 1.0) * usd / draft.desk.usd(coin)
    draft.trade(draft.desk.perpetual(coin, quote), -hedged)


def _covered_call(draft: Draft, usd: float) -> None:
    coin = draft.pick(_MAJORS)
    draft.hold(coin, usd)
    coins = usd / draft.desk.usd(coin)
    for expiry in draft.desk.expiries(coin)[2:5]:
        option = draft.desk.option(coin, expiry, "call", draft.rng.uniform(1.05, 1.25))
        draft.trade(option, -coins * draft.rng.uniform(0.1, 0.3))


def _calendar_spread(draft: Draft, usd: float) -> None:
    coin = draft.pick(draft.desk.option_coins)
    expiries = draft.desk.expiries(coin)
    near, far = expiries[int(draft.rng.integers(2, 4))], expiries[int(draft.rng.integers(5, 8))]
    coins = draft.rng.uniform(0.4, 1.2) * usd / draft.desk.usd(coin)
    moneyness = draft.rng.uniform(0.95, 1.08)
    draft.hold("USDT", 0.4 * usd)
    draft.hold(coin, 0.6 * usd)
    draft.trade(draft.desk.option(coin, near, "call", moneyness), -coins)
    draft.trade(draft.desk.option(coin, far, "call", moneyness), coins)


def _vertical_spread(draft: Draft, usd: float) -> None:
    coin = draft.pick(draft.desk.option_coins)
    option_type, outward = [("call", 1.0), ("put", -1.0)][int(draft.rng.integers(2))]
    expiry = draft.desk.expiries(coin)[int(draft.rng.integers(3, 8))]
    coins = draft.rng.uniform(0.5, 2.0) * usd / draft.desk.usd(coin)
    draft.hold("USDT", 0.5 * usd)
    draft.hold(coin, 0.5 * usd)
    draft.trade(draft.desk.option(coin, expiry, option_type, 1.0 + 0.02 * outward), coins)
    draft.trade(draft.desk.option(coin, expiry, option_type, 1.0 + 0.2 * outward), -coins)


def _market_maker(draft: Draft, usd: float) -> None:
    draft.hold("USDT", 0.7 * usd)
    draft.hold("USDC", 0.2 * usd)
    for coin in _MAJORS:
        lot = 0.15 * usd / draft.desk.usd(coin)
        draft.hold(coin, 0.05 * usd)
        for quote in ("USDT", "USDC", "USD"):
            draft.trade(draft.desk.perpetual(coin, quote), lot * draft.rng.normal())
            draft.quote(draft.desk.perpetual(coin, quote), lot, 0.0005)
        for expiry in draft.desk.expiries(coin)[2:6]:
            _make_option_market(draft, coin, expiry, lot)


def _make_option_market(draft: Draft, coin: str, expiry: str, lot: float) -> None:
    for option_type, moneyness in (("put", 0.92), ("call", 1.0), ("call", 1.1)):
        option = draft.desk.option(coin, expiry, option_type, moneyness)
        draft.trade(option, 0.4 * lot * draft.rng.normal())
        draft.quote(option, 0.2 * lot, 0.02)


def _levered(safest: float, riskiest: float) -> Builder:
    """Bare perpetuals on stable cash, at a leverage between two shares of the fatal one."""

    def build(draft: Draft, usd: float) -> None:
        coin, quote = draft.pick(draft.desk.coins), draft.pick(_STABLES)
        draft.hold(quote, usd)
        leverage = draft.rng.uniform(safest, riskiest) * _FATAL_LEVERAGE[coin]
        side = 1.0 if draft.rng.random() < 0.65 else -1.0
        draft.trade(draft.desk.perpetual(coin, quote), side * leverage * usd / draft.desk.usd(coin))

    return build


def _borrower(draft: Draft, usd: float) -> None:
    coin = draft.pick(_MAJORS)
    debt = draft.rng.uniform(0.2, 0.5) * usd
    draft.hold(coin, usd)
    draft.hold("USDT", -debt)
    bought = draft.rng.uniform(0.1, 0.4) * usd / draft.desk.usd(coin)
    draft.trade(draft.desk.perpetual(coin, "USDT"), bought)


def _cash_and_carry(draft: Draft, usd: float) -> None:
    coin, style = draft.pick(draft.desk.coins), draft.pick(["linear", "inverse"])
    futures = draft.desk.futures(coin, style)
    draft.hold(coin, usd)
    draft.hold("USDT", 0.25 * usd)
    sold = draft.rng.uniform(0.85, 1.0) * usd / draft.desk.usd(coin)
    draft.trade(futures[int(draft.rng.integers(1, len(futures)))], -sold)


#: Builder of each kind, and its share of the accounts.
KINDS: Final[Mapping[AccountKind, tuple[Builder, float]]] = {
    AccountKind.SPOT_HEDGER: (_spot_hedger, 0.13),
    AccountKind.COVERED_CALL: (_covered_call, 0.12),
    AccountKind.CALENDAR_SPREAD: (_calendar_spread, 0.09),
    AccountKind.VERTICAL_SPREAD: (_vertical_spread, 0.09),
    AccountKind.MARKET_MAKER: (_market_maker, 0.06),
    AccountKind.DIRECTIONAL: (_levered(0.05, 0.28), 0.17),
    AccountKind.OVER_LEVERED: (_levered(0.4, 0.85), 0.17),
    AccountKind.DISTRESSED: (_levered(1.05, 1.4), 0.03),
    AccountKind.BORROWER: (_borrower, 0.06),
    AccountKind.CASH_AND_CARRY: (_cash_and_carry, 0.08),
}
