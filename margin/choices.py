"""The closed vocabularies of this app."""

from django.db.models import TextChoices


class RunState(TextChoices):
    """A run stresses every risk unit, then margins every shard."""

    STRESS = "stress"
    MARGIN = "margin"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @classmethod
    def ended(cls) -> list["RunState"]:
        """States that a run never leaves."""
        return [cls.COMPLETED, cls.FAILED, cls.CANCELLED]


class RunReason(TextChoices):
    MANUAL = "manual"
    SNAPSHOT = "snapshot"
    HOURLY = "hourly"
    CHANGE = "change"
    IMPACT = "impact"


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


class VersionState(TextChoices):
    """The life of a parameter version, and its two early ends."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class VersionOrigin(TextChoices):
    """How a version came to be: loaded at first, proposed and approved, or rolled back to."""

    INITIAL = "initial"
    PROPOSAL = "proposal"
    ROLLBACK = "rollback"


class ImpactState(TextChoices):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class GuardKind(TextChoices):
    """What the guards of the market do."""

    REFUSED = "refused"
    HELD = "held"
    RELEASED = "released"
    STUCK = "stuck"
    MOVING = "moving"


class RiskMode(TextChoices):
    """What may be done in an underlying: all; no liquidation and no new risk; no new risk; nothing."""

    ENABLED = "enabled"
    HOLD = "hold"
    REDUCE_ONLY = "reduce_only"
    HALT = "halt"
