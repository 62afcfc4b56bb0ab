"""Runs and their parts, as the API shows them."""

from rest_framework import serializers

from margin.choices import PartKind, PartState, RunReason, RunState
from pmplatform.common.serializers import StrictSerializer


class RunSerializer(StrictSerializer):
    id = serializers.IntegerField()
    snapshot = serializers.IntegerField(source="snapshot_id", help_text="Sequence of the market snapshot")
    as_of = serializers.DateTimeField(source="snapshot.as_of", help_text="Moment of the market")
    engine = serializers.CharField(help_text="Version of the engine")
    ledger_position = serializers.IntegerField(help_text="Newest ledger row the run has read")
    reason = serializers.ChoiceField(RunReason.choices)
    state = serializers.ChoiceField(RunState.choices)
    accounts = serializers.IntegerField()
    accounts_done = serializers.IntegerField()
    parts_total = serializers.IntegerField()
    parts_done = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    result_sha256 = serializers.CharField(help_text="Hash over every report; empty until completed")
    failure = serializers.CharField(help_text="Why it failed or was cancelled; else empty")


class RunPartSerializer(StrictSerializer):
    kind = serializers.ChoiceField(PartKind.choices)
    name = serializers.CharField(help_text="Methodology and risk unit, or methodology and shard")
    state = serializers.ChoiceField(PartState.choices)
    attempts = serializers.IntegerField()
    accounts = serializers.IntegerField(help_text="Zero for the stress of a unit")
    failure = serializers.CharField(help_text="Why the last attempt failed; empty when none did")


class RunDetailSerializer(RunSerializer):
    blocked = serializers.DictField(
        child=serializers.CharField(), help_text="Why an account could not be margined, by account id"
    )
    parts = RunPartSerializer(many=True)
