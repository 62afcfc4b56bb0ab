"""Query parameters of this app's lists."""

import django_filters

from accounts.choices import Methodology
from margin.choices import GuardKind, VersionState
from margin.models import MarketGuardEvent, MarketSnapshot, ParameterVersion


class VersionFilters(django_filters.FilterSet):
    methodology = django_filters.ChoiceFilter(choices=Methodology.choices)
    state = django_filters.ChoiceFilter(choices=VersionState.choices)

    class Meta:
        model = ParameterVersion
        fields = ()


class SnapshotFilters(django_filters.FilterSet):
    source = django_filters.CharFilter()
    as_of_from = django_filters.IsoDateTimeFilter(field_name="as_of", lookup_expr="gte")
    as_of_to = django_filters.IsoDateTimeFilter(field_name="as_of", lookup_expr="lte")

    class Meta:
        model = MarketSnapshot
        fields = ()


class GuardEventFilters(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=GuardKind.choices)

    class Meta:
        model = MarketGuardEvent
        fields = ()
