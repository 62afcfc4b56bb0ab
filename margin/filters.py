"""Query parameters of this app's lists."""

import django_filters

from accounts.choices import Methodology
from margin.choices import VersionState
from margin.models import ParameterVersion


class VersionFilters(django_filters.FilterSet):
    methodology = django_filters.ChoiceFilter(choices=Methodology.choices)
    state = django_filters.ChoiceFilter(choices=VersionState.choices)

    class Meta:
        model = ParameterVersion
        fields = ()
