"""The closed vocabularies of this app."""

from django.db.models import TextChoices


class CaseTrigger(TextChoices):
    LIQUIDATION = "liquidation"
    REPAY = "repay"


class CaseState(TextChoices):
    """Every state but `closed` is live; a worker takes cases that are `working` only."""

    WORKING = "working"
    AWAITING_APPROVAL = "awaiting_approval", "awaiting approval"
    PAUSED = "paused"
    ADL_REQUIRED = "adl_required", "ADL required"
    QUARANTINED = "quarantined"
    CLOSED = "closed"


class CaseOutcome(TextChoices):
    SAFE = "safe"
    TAKEOVER = "takeover"
    NOTHING_TO_DO = "nothing_to_do", "nothing to do"


class StepState(TextChoices):
    """A step is `planned` while its orders are at the venue, and never changes once it is `done`."""

    PLANNED = "planned"
    DONE = "done"


class OrderStatus(TextChoices):
    """The life of an order at the venue: written, sent (its fate unknown until answered), ended."""

    NEW = "new"
    SENT = "sent"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


#: States in which an order trades no more.
ENDED = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED)


class FundEntryKind(TextChoices):
    """Why the insurance fund's holdings have changed."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TAKEOVER = "takeover"
    REFUND = "refund"
    SETTLEMENT = "settlement"
