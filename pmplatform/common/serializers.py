"""Serializer pieces that every resource of the API shares."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from rest_framework import serializers

from pmplatform.common.decimals import (
    DECIMAL_PLACES,
    MAX_DIGITS,
    amount_fault,
    decimal_of,
    decimal_text,
)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses a member it does not know, and writes to read-only ones, with their path."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := [key for key in data if key not in writable]:
                raise serializers.ValidationError({key: ["is not a known field"] for key in unknown})
        return super().to_internal_value(data)


class AmountSerializerField(serializers.DecimalField):
    """An amount as a decimal string without exponent; also reads JSON numbers.

    A value that numeric(38, 18) cannot hold exactly is refused, never rounded.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        value = decimal_of(data)
        if value is None:
            raise serializers.ValidationError("is not a decimal number")
        if fault := amount_fault(value):
            raise serializers.ValidationError(fault)
        return value

    def to_representation(self, value: Any) -> str:
        return decimal_text(value)


_Shared = TypeVar("_Shared", bound=StrictSerializer)


@cache
def shared(serializer: type[_Shared]) -> _Shared:
    """The one instance that every request may read by and show by: neither leaves a trace in it.

    To make an instance copies each of its fields, which takes longer than to use it.
    """
    return serializer()
