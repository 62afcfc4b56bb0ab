"""Query parameters of this app's lists."""

import django_filters

from liquidation.choices import CaseState
from liquidation.models import LiquidationCase


class CaseFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=CaseState.choices)
    account = django_filters.NumberFilter(field_name="account_id", min_value=0, max_value=2**63 - 1)

    class Meta:
        model = LiquidationCase
        fields = ()
