"""Query parameters of the account lists."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.choices import EligibilityState, Methodology, OrderState
from accounts.models import Account, Instrument, LedgerEntry, Order
from pmplatform.common.errors import ValidationFailed


class StrictFilters(django_filters.rest_framework.DjangoFilterBackend):
    """Refuses a parameter nobody reads: a misspelt filter would otherwise answer with everything."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filterset = getattr(view, "filterset_class", None)
        known = {"limit", "cursor", "ordering", *(filterset.base_filters if filterset else ())}
        if unknown := sorted(set(request.query_params) - known):
            raise ValidationFailed.at(unknown[0], "is not a known parameter")
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class AccountFilters(django_filters.FilterSet):
    tenant = django_filters.CharFilter(field_name="tenant__slug")
    code = django_filters.CharFilter()
    methodology = django_filters.ChoiceFilter(choices=Methodology.choices)
    margin_methodology = django_filters.ChoiceFilter(choices=Methodology.choices)
    eligibility_state = django_filters.ChoiceFilter(choices=EligibilityState.choices)
    in_liquidation = django_filters.BooleanFilter()

    class Meta:
        model = Account
        fields = ()


class OrderFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=OrderState.choices)

    class Meta:
        model = Order
        fields = ()


class LedgerFilters(django_filters.FilterSet):
    subject = django_filters.CharFilter()

    class Meta:
        model = LedgerEntry
        fields = ()


class InstrumentFilters(django_filters.FilterSet):
    underlying = django_filters.CharFilter()
    kind = django_filters.CharFilter()
    state = django_filters.CharFilter()

    class Meta:
        model = Instrument
        fields = ()
