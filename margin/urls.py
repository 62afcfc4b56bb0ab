"""Routes of this app, below ``/api/v1/``."""

from django.urls import path

from margin import api

urlpatterns = [
    path("accounts/<int:account_id>/margin", api.AccountMarginView.as_view(), name="account-margin"),
    path("simulations", api.SimulationsView.as_view(), name="simulations"),
    path("simulations/explain", api.ExplainView.as_view(), name="simulation-explain"),
    path("runs", api.RunsView.as_view(), name="runs"),
    path("runs/<int:run_id>", api.RunView.as_view(), name="run"),
]
