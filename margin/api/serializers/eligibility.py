"""Eligibility as the API shows it, and what it takes: decimals as strings."""

from rest_framework import serializers

from accounts.choices import EligibilityState, HedgeMode, Methodology, TransitionKind
from pmplatform.common.serializers import AmountSerializerField, StrictSerializer


class DeclarationSerializer(StrictSerializer):
    version = serializers.CharField()
    text = serializers.CharField()
    accepted_at = serializers.DateTimeField(allow_null=True, help_text="Null until it is accepted")


class TransitionSerializer(StrictSerializer):
    kind = serializers.ChoiceField(TransitionKind.choices)
    from_state = serializers.ChoiceField(EligibilityState.choices)
    to_state = serializers.ChoiceField(EligibilityState.choices)
    methodology = serializers.ChoiceField(Methodology.choices)
    from_margin = serializers.ChoiceField(Methodology.choices, help_text="In force before")
    to_margin = serializers.ChoiceField(Methodology.choices, help_text="In force after")
    reasons = serializers.ListField(child=serializers.CharField())
    snapshot = serializers.IntegerField(allow_null=True, help_text="Market snapshot of the equity")
    net_equity = AmountSerializerField(allow_null=True)
    min_net_equity = AmountSerializerField(allow_null=True)
    declaration = serializers.CharField(
        source="acceptance.declaration.version", allow_null=True, default=None
    )
    evidence = serializers.DictField()
    by = serializers.CharField()
    at = serializers.DateTimeField()


class EligibilitySerializer(StrictSerializer):
    state = serializers.ChoiceField(EligibilityState.choices)
    methodology = serializers.ChoiceField(Methodology.choices, help_text="The holder's choice")
    margin_methodology = serializers.ChoiceField(Methodology.choices, help_text="In force now")
    is_restricted = serializers.BooleanField(help_text="Orders that raise risk are refused")
    margin_due_at = serializers.DateTimeField(
        allow_null=True, help_text="End of a grace period, when `standard` takes over"
    )
    confirmations = serializers.IntegerField(help_text="Snapshots so far that speak for another state")
    confirmations_needed = serializers.IntegerField(allow_null=True)
    net_equity = AmountSerializerField(allow_null=True, help_text="USD, at the newest snapshot")
    min_net_equity = AmountSerializerField(allow_null=True, help_text="USD")
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="Against enrolling now; or why the account is where it is"
    )
    declaration = DeclarationSerializer(allow_null=True, help_text="The current text")
    history = TransitionSerializer(many=True, help_text="The newest moves, newest first")


class AcceptSerializer(StrictSerializer):
    version = serializers.CharField(max_length=32, help_text="That of the current declaration")


class AcceptanceSerializer(StrictSerializer):
    version = serializers.CharField(source="declaration.version")
    by = serializers.CharField()
    at = serializers.DateTimeField()
    address = serializers.CharField(allow_null=True, help_text="From where")


class EnrolSerializer(StrictSerializer):
    methodology = serializers.ChoiceField(
        Methodology.choices, required=False, help_text="The account's choice unless given"
    )


class LeaveSerializer(StrictSerializer):
    """Nothing has to be said to leave."""


class AccountTermsSerializer(StrictSerializer):
    methodology = serializers.ChoiceField(Methodology.choices, required=False)
    hedge_mode = serializers.ChoiceField(
        HedgeMode.choices, required=False, allow_null=True, help_text="Null for the methodology's own"
    )
