"""The closed vocabularies of this app."""

from django.db.models import TextChoices


class RunState(TextChoices):
    """A run stresses every risk unit, then margins every shard."""

    STRESS = "stress"
    MARGIN = "margin"
    COMPLETED = "completed"
    FAILED = "failed"


class RunReason(TextChoices):
    MANUAL = "manual"
    SNAPSHOT = "snapshot"
    HOURLY = "hourly"


class PartKind(TextChoices):
    STRESS = "stress"
    MARGIN = "margin"


class PartState(TextChoices):
    PENDING = "pending"
    CLAIMED = "claimed"
    DONE = "done"
    QUARANTINED = "quarantined"


class MarginStatus(TextChoices):
    """How an account stands, safest first."""

    NORMAL = "normal"
    WARNING = "warning"
    REPAY = "repay"
    LIQUIDATION = "liquidation"


class SettlementSource(TextChoices):
    """Where a settlement price comes from."""

    VENUE = "venue"
    INDEX = "index"
