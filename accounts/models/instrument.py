from django.db import models
from django.db.models import Q

from accounts.choices import ContractStyle, InstrumentKind, InstrumentState, OptionType
from pmplatform.common.fields import AmountField

_SPOT = Q(kind=InstrumentKind.SPOT)
_OPTION = Q(kind=InstrumentKind.OPTION)
_EXPIRING = Q(kind__in=[InstrumentKind.FUTURE, InstrumentKind.OPTION])


class Instrument(models.Model):
    """A contract specification, in the terms of the book document; prices belong to market snapshots."""

    code = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16, choices=InstrumentKind)
    underlying = models.CharField(max_length=16)
    settle = models.CharField(max_length=16)
    style = models.CharField(max_length=16, choices=ContractStyle, null=True, blank=True)
    contract_size = AmountField()
    expiry = models.DateTimeField(null=True, blank=True)
    strike = AmountField(null=True, blank=True)
    option_type = models.CharField(max_length=8, choices=OptionType, null=True, blank=True)
    state = models.CharField(max_length=16, choices=InstrumentState, default=InstrumentState.LISTED)

    class Meta:
        ordering = ("code",)
        indexes = (
            models.Index(fields=["underlying", "code"], name="instrument_by_underlying"),
            models.Index(fields=["state", "expiry"], name="instrument_by_expiry"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=InstrumentKind.values), name="instrument_kind_known"),
            models.CheckConstraint(
                condition=Q(state__in=InstrumentState.values), name="instrument_state_known"
            ),
            models.CheckConstraint(
                condition=Q(contract_size__gt=0), name="instrument_contract_size_positive"
            ),
            models.CheckConstraint(
                condition=(_SPOT & Q(style__isnull=True, contract_size=1))
                | (~_SPOT & Q(style__isnull=False, style__in=ContractStyle.values)),
                name="instrument_style_of_derivatives_only",
            ),
            models.CheckConstraint(
                condition=Q(style__isnull=True)
                | Q(style=ContractStyle.LINEAR, settle__in=["USDT", "USDC"])
                | Q(style=ContractStyle.INVERSE, settle=models.F("underlying")),
                name="instrument_settle_fits_style",
            ),
            models.CheckConstraint(
                condition=(_EXPIRING & Q(expiry__isnull=False)) | (~_EXPIRING & Q(expiry__isnull=True)),
                name="instrument_expiry_of_dated_only",
            ),
            models.CheckConstraint(
                condition=(
                    _OPTION
                    & Q(strike__isnull=False, strike__gt=0, option_type__isnull=False)
                    & Q(option_type__in=OptionType.values)
                )
                | (~_OPTION & Q(strike__isnull=True, option_type__isnull=True)),
                name="instrument_strike_of_options_only",
            ),
            models.CheckConstraint(
                condition=Q(state=InstrumentState.LISTED) | Q(expiry__isnull=False),
                name="instrument_undated_never_expires",
            ),
        )

    def __str__(self) -> str:
        return self.code
