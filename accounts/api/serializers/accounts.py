"""Accounts and what they hold, as the API shows them: decimals as strings."""

from decimal import Decimal

from rest_framework import serializers

from accounts.choices import EligibilityState, HedgeMode, LedgerKind, Methodology, OrderSide, OrderState
from pmplatform.common.serializers import AmountSerializerField, StrictSerializer


class AccountSerializer(StrictSerializer):
    id = serializers.IntegerField(help_text="The id that routes take")
    tenant = serializers.CharField(source="tenant.slug")
    code = serializers.CharField(help_text="The tenant's own name for the account")
    name = serializers.CharField()
    methodology = serializers.ChoiceField(Methodology.choices, help_text="The holder's choice")
    margin_methodology = serializers.ChoiceField(Methodology.choices, help_text="In force now")
    hedge_mode = serializers.ChoiceField(HedgeMode.choices, allow_null=True)
    eligibility_state = serializers.ChoiceField(EligibilityState.choices)
    reduce_only = serializers.BooleanField()
    in_liquidation = serializers.BooleanField()
    ledger_position = serializers.IntegerField(help_text="Id of the account's newest ledger row")
    created_at = serializers.DateTimeField()


class AccountCreateSerializer(StrictSerializer):
    tenant = serializers.CharField(required=False, help_text="Slug; your own tenant unless given")
    code = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    methodology = serializers.ChoiceField(Methodology.choices)
    hedge_mode = serializers.ChoiceField(HedgeMode.choices, required=False, allow_null=True)


class BalanceSerializer(StrictSerializer):
    currency = serializers.CharField()
    amount = AmountSerializerField(help_text="Cash; may be negative")


class PositionSerializer(StrictSerializer):
    instrument = serializers.CharField(source="instrument.code")
    quantity = AmountSerializerField(help_text="Contracts, signed")
    entry_price = AmountSerializerField()


class OrderSerializer(StrictSerializer):
    id = serializers.IntegerField()
    client_id = serializers.CharField(help_text="Empty when the holder gave none")
    instrument = serializers.CharField(source="instrument.code")
    side = serializers.ChoiceField(OrderSide.choices)
    quantity = AmountSerializerField()
    open_quantity = AmountSerializerField(help_text="What margin still counts of an open order")
    price = AmountSerializerField()
    state = serializers.ChoiceField(OrderState.choices)
    created_at = serializers.DateTimeField()


class LedgerEntrySerializer(StrictSerializer):
    id = serializers.IntegerField(help_text="The ledger position")
    kind = serializers.ChoiceField(LedgerKind.choices)
    subject = serializers.CharField(help_text="`balance:USDT`, `position:BTC-USDT-SWAP`, `order:17`, ...")
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    by = serializers.CharField()
    request_id = serializers.CharField()
    at = serializers.DateTimeField()


class HedgeLimitSerializer(StrictSerializer):
    coin = serializers.CharField()
    ratio = AmountSerializerField(help_text="The share of the coin's spot that may hedge, 0 to 1")
    max_amount = AmountSerializerField(allow_null=True, help_text="In coins; null for no limit")


class HedgeLimitValueSerializer(StrictSerializer):
    ratio = AmountSerializerField(default=Decimal(1))
    max_amount = AmountSerializerField(allow_null=True, default=None)


class HedgeLimitsSerializer(StrictSerializer):
    hedge_limits = serializers.DictField(
        child=HedgeLimitValueSerializer(), help_text="By coin, as in the book document"
    )


class InstrumentSerializer(StrictSerializer):
    id = serializers.CharField(source="code")
    kind = serializers.CharField()
    underlying = serializers.CharField()
    settle = serializers.CharField()
    style = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # a field, not the attribute
    contract_size = AmountSerializerField()
    expiry = serializers.DateTimeField(allow_null=True)
    strike = AmountSerializerField(allow_null=True)
    option_type = serializers.CharField(allow_null=True)
    state = serializers.CharField()
