"""The one model field for money, quantities and prices."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from pmplatform.common.decimals import DECIMAL_PLACES, MAX_DIGITS, amount_fault


class AmountField(models.DecimalField):  # type: ignore[type-arg]  # generic in the stubs only
    """numeric(38, 18). PostgreSQL would round further digits in silence; this field refuses them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = MAX_DIGITS
        kwargs["decimal_places"] = DECIMAL_PLACES
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return str(name), path, list(args), dict(kwargs)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """Raise ValueError for a decimal that numeric(38, 18) cannot hold exactly."""
        if isinstance(value, Decimal) and (fault := amount_fault(value)):
            raise ValueError(f"{self.name} {fault}")
        return super().get_db_prep_save(value, connection)
