"""Parameter versions, their differences and impact reports, as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from accounts.choices import Methodology
from margin.choices import ImpactState, MarginStatus, VersionOrigin, VersionState
from pmplatform.common.serializers import AmountSerializerField, StrictSerializer


class DraftSerializer(StrictSerializer):
    document = serializers.JSONField(help_text="The whole document; its header names methodology and version")


class NothingSerializer(StrictSerializer):
    """No field has to be given."""


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(help_text="Goes into the audit")


class RollbackSerializer(ReasonSerializer):
    methodology = serializers.ChoiceField(Methodology.choices)
    version = serializers.CharField(help_text="The earlier version whose content is to be in force again")


class ImpactRequestSerializer(StrictSerializer):
    base = serializers.CharField(
        required=False, help_text="Version to compare with; the one in force if absent"
    )


class VersionSerializer(StrictSerializer):
    id = serializers.IntegerField()
    methodology = serializers.ChoiceField(Methodology.choices)
    version = serializers.CharField()
    effective_from = serializers.DateTimeField()
    sha256 = serializers.CharField(help_text="Of the canonical document")
    origin = serializers.ChoiceField(VersionOrigin.choices)
    state = serializers.ChoiceField(VersionState.choices)
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(allow_null=True)
    proposer = serializers.CharField(allow_null=True)
    proposed_at = serializers.DateTimeField(allow_null=True)
    approver = serializers.CharField(allow_null=True)
    second_approver = serializers.CharField(allow_null=True)
    approvals_needed = serializers.IntegerField()
    approved_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.CharField(allow_null=True, help_text="Who rejected or withdrew it")
    closed_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(help_text="Of a rollback")
    replaces = serializers.IntegerField(source="replaces_id", allow_null=True, help_text="By a rollback")
    restores = serializers.IntegerField(source="restores_id", allow_null=True, help_text="By a rollback")


class HoldSerializer(StrictSerializer):
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Why it cannot be approved now")
    cautions = serializers.ListField(
        child=serializers.CharField(), help_text="Why it takes a second approver"
    )
    approvals_needed = serializers.IntegerField()


class VersionDetailSerializer(VersionSerializer):
    document = serializers.JSONField()
    approval = HoldSerializer(allow_null=True, help_text="Null unless the version is proposed")


class ChangeSerializer(StrictSerializer):
    path = serializers.CharField(help_text="By meaning: `mr7.tiers.tier1[up_to 250000].multiplier`")
    old = serializers.JSONField(allow_null=True, help_text="Null for what is new")
    new = serializers.JSONField(allow_null=True, help_text="Null for what is gone")
    relative = serializers.FloatField(allow_null=True, help_text="0.2 for a fifth more; null unless numbers")


class DiffSerializer(StrictSerializer):
    base = serializers.CharField()
    proposed = serializers.CharField()
    changes = ChangeSerializer(many=True)


class InForceSerializer(StrictSerializer):
    methodology = serializers.ChoiceField(Methodology.choices)
    version = serializers.CharField()
    effective_from = serializers.DateTimeField()
    sha256 = serializers.CharField()
    document = serializers.JSONField()


class ImpactSerializer(StrictSerializer):
    id = serializers.IntegerField()
    base = serializers.CharField(source="base.version")
    proposed = serializers.CharField(source="proposed.version")
    document_sha256 = serializers.CharField(help_text="Of the proposed document")
    snapshot = serializers.IntegerField(source="snapshot_id")
    as_of = serializers.DateTimeField(source="snapshot.as_of", help_text="Moment of the market")
    base_run = serializers.IntegerField(source="base_run_id")
    proposed_run = serializers.IntegerField(source="proposed_run_id")
    state = serializers.ChoiceField(ImpactState.choices)
    newly_liquidatable = serializers.IntegerField(allow_null=True)
    newly_blocked = serializers.IntegerField(allow_null=True, help_text="Accounts it could not margin")
    report = serializers.JSONField(
        allow_null=True, help_text="Totals, histogram, lists and the twenty largest; null until completed"
    )
    failure = serializers.CharField(help_text="Empty unless failed")
    requested_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ImpactAccountSerializer(StrictSerializer):
    account = serializers.IntegerField(source="account_id")
    code = serializers.CharField(source="account.code")
    before: Any = serializers.SerializerMethodField()
    after: Any = serializers.SerializerMethodField()

    def get_before(self, result: Any) -> "dict[str, str]":
        return _figures(result.before_status, result.before_mmr, result.before_imr)

    def get_after(self, result: Any) -> "dict[str, str]":
        return _figures(result.status, result.mmr, result.imr)


def _figures(status: str, mmr: Any, imr: Any) -> dict[str, str]:
    amount = AmountSerializerField()
    return {
        "status": str(MarginStatus(status)),
        "mmr": amount.to_representation(mmr),
        "imr": amount.to_representation(imr),
    }
