"""A venue's report of an order, and what it is answered."""

from rest_framework import serializers

from liquidation.choices import OrderStatus
from liquidation.execution.port import ReportStatus
from pmplatform.common.serializers import AmountSerializerField, StrictSerializer


class ExecutionSerializer(StrictSerializer):
    id = serializers.CharField(max_length=128, help_text="The venue's name of the fill, of this order alone")
    quantity = AmountSerializerField()
    price = AmountSerializerField()
    fee = AmountSerializerField()
    fee_currency = serializers.CharField(max_length=16)


class ExecutionReportSerializer(StrictSerializer):
    key = serializers.CharField(max_length=64, help_text="The order's key, as it was sent")
    status = serializers.ChoiceField([status.value for status in ReportStatus])
    fills = ExecutionSerializer(many=True)


class ReceiptSerializer(StrictSerializer):
    key = serializers.CharField()
    status = serializers.ChoiceField(OrderStatus.choices)
    filled = AmountSerializerField(help_text="All that is booked of the order")
    booked = serializers.IntegerField(help_text="Fills of this report that were not booked before")
