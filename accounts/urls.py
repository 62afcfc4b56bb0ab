"""Routes of this app, below ``/api/v1/``."""

from django.urls import path

from accounts.api import accounts

urlpatterns = [
    path("accounts", accounts.AccountsView.as_view(), name="accounts"),
    path("accounts/<int:account_id>", accounts.AccountView.as_view(), name="account"),
    path("accounts/<int:account_id>/balances", accounts.BalancesView.as_view(), name="account-balances"),
    path("accounts/<int:account_id>/positions", accounts.PositionsView.as_view(), name="account-positions"),
    path("accounts/<int:account_id>/ledger", accounts.LedgerView.as_view(), name="account-ledger"),
    path(
        "accounts/<int:account_id>/hedge-limits",
        accounts.HedgeLimitsView.as_view(),
        name="account-hedge-limits",
    ),
    path("instruments", accounts.InstrumentsView.as_view(), name="instruments"),
]
