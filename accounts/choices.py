"""The closed vocabularies of this app; other apps may import them (they may not import its models)."""

from django.db.models import TextChoices


class InstrumentKind(TextChoices):
    SPOT = "spot"
    PERPETUAL = "perpetual"
    FUTURE = "future"
    OPTION = "option"


class ContractStyle(TextChoices):
    LINEAR = "linear"
    INVERSE = "inverse"


class OptionType(TextChoices):
    CALL = "call"
    PUT = "put"


class InstrumentState(TextChoices):
    LISTED = "listed"
    EXPIRED = "expired"


class Methodology(TextChoices):
    OKX_2025 = "okx-2025", "OKX 2025"
    OKX_CLASSIC = "okx-classic", "OKX classic"
    BYBIT_UTA = "bybit-uta", "Bybit UTA"
    STANDARD = "standard", "Standard"


class HedgeMode(TextChoices):
    SPOT_HEDGE = "spot_hedge"
    DERIVATIVES_ONLY = "derivatives_only"
    SPOT_USDT = "spot_usdt", "Spot USDT"
    SPOT_USDC = "spot_usdc", "Spot USDC"
    SPOT_CRYPTO = "spot_crypto"


HEDGE_MODES: dict[Methodology, frozenset[HedgeMode]] = {
    Methodology.OKX_2025: frozenset({HedgeMode.SPOT_HEDGE}),
    Methodology.OKX_CLASSIC: frozenset(set(HedgeMode) - {HedgeMode.SPOT_HEDGE}),
    Methodology.BYBIT_UTA: frozenset({HedgeMode.SPOT_HEDGE, HedgeMode.DERIVATIVES_ONLY}),
    # ``standard`` has no hedge modes and ignores whichever is kept for a later change of methodology.
    Methodology.STANDARD: frozenset(HedgeMode),
}


class EligibilityState(TextChoices):
    STANDARD = "standard"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class BelowMinimum(TextChoices):
    """What a methodology does with an account whose net equity stays below its minimum."""

    SUSPEND = "suspend"
    REVERT = "revert"
    KEEP_IF_POSITIONS = "keep_if_positions"


class TransitionKind(TextChoices):
    """Why an account's eligibility, or the methodology in force for it, has changed."""

    LOADED = "loaded"
    ENROLLED = "enrolled"
    LEFT = "left"
    CHANGED = "changed"
    SUSPENDED = "suspended"
    REVERTED = "reverted"
    RESTORED = "restored"
    GRACE_ENDED = "grace_ended"
    RETIRED = "retired"


class LedgerKind(TextChoices):
    """Why a row of the ledger was written."""

    OPENING = "opening"
    TRANSFER = "transfer"
    FILL = "fill"
    ORDER = "order"
    SETTLEMENT = "settlement"
    SETTING = "setting"
    LIQUIDATION = "liquidation"


class OrderSide(TextChoices):
    BUY = "buy"
    SELL = "sell"


class OrderState(TextChoices):
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"


class DeliveryState(TextChoices):
    """A webhook's delivery is pending until it is answered, or given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
