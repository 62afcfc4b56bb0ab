"""Orders, fills and transfers as they are sent and shown: decimals as strings."""

from rest_framework import serializers

from accounts.choices import Methodology, OrderSide
from pmplatform.common.serializers import AmountSerializerField, StrictSerializer


class OrderEntrySerializer(StrictSerializer):
    instrument = serializers.CharField()
    side = serializers.ChoiceField(OrderSide.choices)
    quantity = AmountSerializerField(help_text="Contracts, of spot coins; positive")
    price = AmountSerializerField()
    client_id = serializers.CharField(
        max_length=64, required=False, help_text="Your own name for it, once in an account"
    )


class FillReportSerializer(StrictSerializer):
    order_id = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text="The order it fills, where it fills one"
    )
    client_id = serializers.CharField(
        max_length=64, required=False, help_text="Your own name for it: reported twice, it counts once"
    )
    instrument = serializers.CharField()
    side = serializers.ChoiceField(OrderSide.choices)
    quantity = AmountSerializerField(help_text="Contracts, of spot coins; positive")
    price = AmountSerializerField()
    fee = AmountSerializerField(help_text="Negative for a rebate")
    fee_currency = serializers.CharField()


class FillSerializer(StrictSerializer):
    id = serializers.IntegerField()
    order_id = serializers.IntegerField(allow_null=True)
    client_id = serializers.CharField(help_text="Empty when the reporter gave none")
    instrument = serializers.CharField(source="instrument.code")
    side = serializers.ChoiceField(OrderSide.choices)
    quantity = AmountSerializerField()
    price = AmountSerializerField()
    fee = AmountSerializerField()
    fee_currency = serializers.CharField()
    at = serializers.DateTimeField()


class TransferRequestSerializer(StrictSerializer):
    currency = serializers.CharField()
    amount = AmountSerializerField(help_text="Negative for a withdrawal")
    client_id = serializers.CharField(
        max_length=64, required=False, help_text="Your own name for it: sent twice, it counts once"
    )


class TransferSerializer(StrictSerializer):
    id = serializers.IntegerField()
    client_id = serializers.CharField(help_text="Empty when the sender gave none")
    currency = serializers.CharField()
    amount = AmountSerializerField(help_text="Negative for a withdrawal")
    at = serializers.DateTimeField()


class WithdrawableSerializer(StrictSerializer):
    currency = serializers.CharField()
    amount = AmountSerializerField(help_text="The most that may leave, if nothing else does")


class WithdrawablesSerializer(StrictSerializer):
    methodology = serializers.ChoiceField(Methodology.choices, help_text="In force now")
    as_of = serializers.DateTimeField(help_text="Moment of the market")
    currencies = WithdrawableSerializer(many=True)
