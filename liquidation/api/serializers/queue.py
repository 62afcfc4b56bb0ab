"""Cases, controls and the insurance fund, as the API shows and takes them."""

from rest_framework import serializers

from accounts.choices import OrderSide
from liquidation.choices import CaseOutcome, CaseState, CaseTrigger, FundEntryKind, OrderStatus, StepState
from margin.choices import RiskMode
from pmplatform.common.serializers import AmountSerializerField, StrictSerializer


class CaseSerializer(StrictSerializer):
    id = serializers.IntegerField()
    account = serializers.IntegerField(source="account_id")
    tenant = serializers.CharField(source="account.tenant.slug")
    trigger = serializers.ChoiceField(CaseTrigger.choices)
    state = serializers.ChoiceField(CaseState.choices)
    outcome = serializers.ChoiceField(CaseOutcome.choices, allow_null=True)
    deficit_usd = serializers.FloatField(help_text="What was missing to the target when it was opened")
    steps_done = serializers.IntegerField()
    approved_step = serializers.IntegerField(help_text="The last step that a person has approved")
    attempts = serializers.IntegerField(help_text="Since the last step")
    blocked = serializers.CharField(help_text="Why the last attempt was not allowed to act")
    failure = serializers.CharField(help_text="Why the last attempt failed")
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class CaseDetailSerializer(CaseSerializer):
    evidence = serializers.JSONField(help_text="The run and figures that opened it")
    proposal = serializers.JSONField(allow_null=True, help_text="The step that waits for approval")
    residuals = serializers.JSONField(allow_null=True, help_text="What did not add up; empty if all is well")


class StepSerializer(StrictSerializer):
    number = serializers.IntegerField()
    state = serializers.ChoiceField(StepState.choices)
    kind = serializers.CharField()
    unit = serializers.CharField(allow_null=True)
    component = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    cost_usd = serializers.FloatField()
    trades = serializers.JSONField()
    before = serializers.JSONField()
    after = serializers.JSONField(help_text="As planned")
    reached = serializers.JSONField(allow_null=True, help_text="As it came")
    snapshot = serializers.IntegerField(source="snapshot_id")
    parameters = serializers.CharField()
    engine = serializers.CharField()
    at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)


class LiquidationOrderSerializer(StrictSerializer):
    id = serializers.IntegerField()
    step = serializers.IntegerField(source="step.number")
    key = serializers.CharField(help_text="The same for the same order, however often it is sent")
    instrument = serializers.CharField(source="instrument.code")
    side = serializers.ChoiceField(OrderSide.choices)
    quantity = AmountSerializerField()
    mark = AmountSerializerField()
    limit_price = AmountSerializerField()
    status = serializers.ChoiceField(OrderStatus.choices)
    failure = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class DecisionSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=2_000)


class ApprovalSerializer(DecisionSerializer):
    step = serializers.IntegerField(min_value=1, max_value=1_000_000, help_text="The number of the next step")


class ControlsSerializer(StrictSerializer):
    kill_switch = serializers.BooleanField(help_text="On: no step is taken")
    approve_mode = serializers.BooleanField(help_text="On: every step waits for a person")
    reason = serializers.CharField()
    changed_by = serializers.CharField()
    changed_at = serializers.DateTimeField()


class ControlsChangeSerializer(DecisionSerializer):
    kill_switch = serializers.BooleanField(required=False)
    approve_mode = serializers.BooleanField(required=False)


class RiskStateSerializer(StrictSerializer):
    underlying = serializers.SerializerMethodField(help_text="`all`: the whole platform")
    mode = serializers.ChoiceField(RiskMode.choices)
    reason = serializers.CharField()
    changed_by = serializers.CharField()
    changed_at = serializers.DateTimeField()

    def get_underlying(self, state: object) -> str:
        return getattr(state, "underlying", "") or "all"


class RiskStateChangeSerializer(DecisionSerializer):
    mode = serializers.ChoiceField(RiskMode.choices)


class FundPositionSerializer(StrictSerializer):
    instrument = serializers.CharField(source="instrument.code")
    quantity = AmountSerializerField()
    entry_price = AmountSerializerField()


class FundSerializer(StrictSerializer):
    balances = serializers.DictField(child=AmountSerializerField(), help_text="By currency")
    positions = FundPositionSerializer(many=True)


class FundEntrySerializer(StrictSerializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(FundEntryKind.choices)
    subject = serializers.CharField()
    amount = AmountSerializerField()
    price = AmountSerializerField(allow_null=True)
    case = serializers.IntegerField(source="case_id", allow_null=True)
    by = serializers.CharField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class FundTransferSerializer(DecisionSerializer):
    currency = serializers.CharField(max_length=16)
    amount = AmountSerializerField(help_text="Negative to withdraw")


class FundBalanceSerializer(StrictSerializer):
    currency = serializers.CharField()
    amount = AmountSerializerField()
