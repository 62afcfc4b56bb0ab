"""Routes of this app, below ``/api/v1/``."""

from django.urls import path

from accounts.api import access, accounts

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
    path("tokens", access.TokensView.as_view(), name="tokens"),
    path("tokens/<str:token_id>", access.TokenView.as_view(), name="token"),
    path("webhooks", access.WebhooksView.as_view(), name="webhooks"),
    path("webhooks/<int:webhook_id>", access.WebhookView.as_view(), name="webhook"),
    path("webhooks/<int:webhook_id>/rotate", access.RotateView.as_view(), name="webhook-rotate"),
    path("webhooks/<int:webhook_id>/deliveries", access.DeliveriesView.as_view(), name="webhook-deliveries"),
    path("instruments", accounts.InstrumentsView.as_view(), name="instruments"),
]
