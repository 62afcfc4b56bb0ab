"""Routes of this app, below ``/api/v1/``."""

from django.urls import path

from liquidation.api import dry_runs

urlpatterns = [
    path("simulations/liquidation", dry_runs.LiquidationView.as_view(), name="simulation-liquidation"),
    path(
        "accounts/<int:account_id>/liquidation-plan",
        dry_runs.AccountPlanView.as_view(),
        name="account-liquidation-plan",
    ),
]
