"""A plan as values: why an account is acted upon, each step with its figures, and how it ends (spec 50)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from margin.engine.documents.account import AccountRows, Side
from margin.engine.parameters.common import Header
from margin.engine.results import Status


class Trigger(StrEnum):
    """Why there is a plan; NONE where there is nothing to plan."""

    LIQUIDATION = "liquidation"
    REPAY = "repay"
    NONE = "none"


class StepKind(StrEnum):
    CANCEL_ORDERS = "cancel_orders"
    REPAY = "repay"
    DDH1 = "ddh1"
    DDH2 = "ddh2"
    DELTA_HEDGE = "delta_hedge"
    BASIS = "basis"
    CLOSE = "close"


class Outcome(StrEnum):
    """SAFE: the goal is reached; TAKEOVER: the insurance fund takes the account; UNFINISHED: plan anew."""

    SAFE = "safe"
    TAKEOVER = "takeover"
    UNFINISHED = "unfinished"
    NOTHING_TO_DO = "nothing_to_do"


@dataclass(frozen=True, slots=True)
class Figures:
    """An account's margin before or after a step, USD; a rate is None where a report says null.

    `deficit` is what is missing to the target: positive until the account is safe.
    """

    adjusted_equity: float
    mmr: float
    imr: float
    margin_ratio: float | None
    mmr_rate: float | None
    status: Status
    deficit: float


@dataclass(frozen=True, slots=True)
class Trade:
    """Contracts bought or sold at mark; the cost is paid as a fee in the settlement currency."""

    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal
    cost_usd: Decimal
    fee: Decimal
    fee_currency: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """One currency sold for another at USD prices; `received` is what is left after the fee."""

    sell: str
    amount: Decimal
    buy: str
    received: Decimal


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `unit` and `component` say which risk decided it, `reason` says it in words."""

    number: int
    kind: StepKind
    unit: str | None
    component: str | None
    reason: str
    cost_usd: Decimal
    trades: tuple[Trade, ...]
    conversions: tuple[Conversion, ...]
    cancelled: int
    before: Figures
    after: Figures


@dataclass(frozen=True)
class Takeover:
    """On which terms the insurance fund takes an account.

    Attributes
    ----------
    prices : by instrument. Perpetuals and futures at their bankruptcy price, which uses up the net equity
        (of a holder who is long with more equity than notional, a price that is not positive); options at
        mark.
    shortfall_usd : what the account lacks, at least 0.
    cost_usd : what it costs the fund to trade all of the positions away.
    """

    prices: Mapping[str, Decimal]
    net_equity_usd: float
    shortfall_usd: float
    cost_usd: Decimal


@dataclass(frozen=True)
class Plan:
    """What is to be done with an account; `account` is what it holds after the last step."""

    methodology: str
    parameters: Header
    trigger: Trigger
    initial: Figures
    steps: tuple[Step, ...]
    outcome: Outcome
    account: AccountRows
    takeover: Takeover | None = None

    @property
    def shortfall_usd(self) -> float:
        """What the insurance fund would have to add; 0 unless it takes the account."""
        return self.takeover.shortfall_usd if self.takeover else 0.0
