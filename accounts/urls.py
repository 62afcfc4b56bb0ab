"""Routes of this app, below ``/api/v1/``."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("accounts", api.AccountsView.as_view(), name="accounts"),
    path("accounts/<int:account_id>", api.AccountView.as_view(), name="account"),
    path("accounts/<int:account_id>/balances", api.BalancesView.as_view(), name="account-balances"),
    path("accounts/<int:account_id>/positions", api.PositionsView.as_view(), name="account-positions"),
    path("accounts/<int:account_id>/ledger", api.LedgerView.as_view(), name="account-ledger"),
    path(
        "accounts/<int:account_id>/hedge-limits", api.HedgeLimitsView.as_view(), name="account-hedge-limits"
    ),
    path("instruments", api.InstrumentsView.as_view(), name="instruments"),
]
