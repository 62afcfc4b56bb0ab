"""Snapshots, their standing and the guards, as the API shows them."""

from rest_framework import serializers

from margin.choices import GuardKind
from pmplatform.common.serializers import StrictSerializer


class SnapshotSerializer(StrictSerializer):
    sequence = serializers.IntegerField()
    as_of = serializers.DateTimeField(help_text="Moment of the market")
    received_at = serializers.DateTimeField()
    source = serializers.CharField()  # type: ignore[assignment]
    sha256 = serializers.CharField(help_text="Hash over as_of, market and settlement")
    instruments = serializers.IntegerField(help_text="How many it lists")
    unchanged_since = serializers.DateTimeField(help_text="Since when the market has said the very same")
    held = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="Levels that have jumped and are not confirmed: [before, seen]; empty without a HOLD",
    )


class SnapshotDetailSerializer(SnapshotSerializer):
    settlement = serializers.DictField(child=serializers.CharField())
    market = serializers.DictField(help_text="The market object of a book document")


class LimitsSerializer(StrictSerializer):
    snapshot_max_age = serializers.FloatField(help_text="Seconds")
    stuck_seconds = serializers.FloatField()
    stable_jump = serializers.FloatField(help_text="Relative move of a stable currency that is a jump")
    index_jump = serializers.DictField(
        child=serializers.FloatField(allow_null=True),
        help_text="Relative move of an index that is a jump, by coin; `*` for every other, null for no limit",
    )


class MarketStateSerializer(StrictSerializer):
    snapshot = serializers.IntegerField(help_text="Sequence of the newest snapshot")
    as_of = serializers.DateTimeField()
    age_seconds = serializers.FloatField()
    status = serializers.ChoiceField(["fresh", "stale", "hold"], help_text="`hold` goes before `stale`")
    is_old = serializers.BooleanField()
    is_stuck = serializers.BooleanField()
    is_held = serializers.BooleanField()
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="Why nothing is moved by it; empty when fresh"
    )
    limits = LimitsSerializer()


class GuardEventSerializer(StrictSerializer):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(GuardKind.choices)
    source = serializers.CharField()  # type: ignore[assignment]
    as_of = serializers.DateTimeField(allow_null=True)
    snapshot = serializers.IntegerField(
        source="snapshot_id", allow_null=True, help_text="Null for a snapshot that was refused"
    )
    reasons = serializers.ListField(child=serializers.CharField())
