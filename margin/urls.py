"""Routes of this app, below ``/api/v1/``."""

from django.urls import path

from margin.api import eligibility, history, impact, market, parameters, results, runs, simulations, trading

urlpatterns = [
    path("accounts/<int:account_id>/orders", trading.OrdersView.as_view(), name="account-orders"),
    path(
        "accounts/<int:account_id>/orders/<int:order_id>",
        trading.OrderView.as_view(),
        name="account-order",
    ),
    path("accounts/<int:account_id>/fills", trading.FillsView.as_view(), name="account-fills"),
    path("accounts/<int:account_id>/transfers", trading.TransfersView.as_view(), name="account-transfers"),
    path(
        "accounts/<int:account_id>/withdrawable",
        trading.WithdrawableView.as_view(),
        name="account-withdrawable",
    ),
    path("accounts/<int:account_id>", eligibility.AccountTermsView.as_view(), name="account-terms"),
    path(
        "accounts/<int:account_id>/eligibility",
        eligibility.EligibilityView.as_view(),
        name="account-eligibility",
    ),
    path(
        "accounts/<int:account_id>/declarations",
        eligibility.DeclarationsView.as_view(),
        name="account-declarations",
    ),
    path("accounts/<int:account_id>/enrol", eligibility.EnrolView.as_view(), name="account-enrol"),
    path("accounts/<int:account_id>/leave", eligibility.LeaveView.as_view(), name="account-leave"),
    path("accounts/<int:account_id>/margin", results.MarginView.as_view(), name="account-margin"),
    path("accounts/<int:account_id>/scenarios", results.ScenariosView.as_view(), name="account-scenarios"),
    path("accounts/<int:account_id>/explain", results.ExplainView.as_view(), name="account-explain"),
    path(
        "accounts/<int:account_id>/comparison",
        results.ComparisonView.as_view(),
        name="account-comparison",
    ),
    path("accounts/<int:account_id>/curve", results.CurveView.as_view(), name="account-curve"),
    path("accounts/<int:account_id>/history", history.HistoryView.as_view(), name="account-history"),
    path("accounts/<int:account_id>/as-of", history.AsOfView.as_view(), name="account-as-of"),
    path("simulations", simulations.SimulationsView.as_view(), name="simulations"),
    path("simulations/explain", simulations.ExplainView.as_view(), name="simulation-explain"),
    path("simulations/compare", simulations.CompareView.as_view(), name="simulation-compare"),
    path("simulations/curve", simulations.CurveView.as_view(), name="simulation-curve"),
    path("simulations/what-if", simulations.WhatIfView.as_view(), name="simulation-what-if"),
    path("runs", runs.RunsView.as_view(), name="runs"),
    path("runs/<int:run_id>", runs.RunView.as_view(), name="run"),
    path("runs/<int:run_id>/cancel", runs.CancelView.as_view(), name="run-cancel"),
    path("market/snapshots", market.SnapshotsView.as_view(), name="snapshots"),
    path("market/snapshots/<int:sequence>", market.SnapshotView.as_view(), name="snapshot"),
    path("market/state", market.MarketStateView.as_view(), name="market-state"),
    path("market/guards", market.GuardEventsView.as_view(), name="market-guards"),
    path("parameters/in-force", impact.InForceView.as_view(), name="parameters-in-force"),
    path("parameters/rollback", parameters.RollbackView.as_view(), name="parameters-rollback"),
    path("parameters/versions", parameters.VersionsView.as_view(), name="versions"),
    path("parameters/versions/<int:version_id>", parameters.VersionView.as_view(), name="version"),
    path(
        "parameters/versions/<int:version_id>/diff",
        impact.DiffView.as_view(),
        name="version-diff",
    ),
    path(
        "parameters/versions/<int:version_id>/impact",
        impact.ImpactView.as_view(),
        name="version-impact",
    ),
    path(
        "parameters/versions/<int:version_id>/impact/accounts",
        impact.ImpactAccountsView.as_view(),
        name="version-impact-accounts",
    ),
    path(
        "parameters/versions/<int:version_id>/propose",
        parameters.ProposeView.as_view(),
        name="version-propose",
    ),
    path(
        "parameters/versions/<int:version_id>/withdraw",
        parameters.WithdrawView.as_view(),
        name="version-withdraw",
    ),
    path(
        "parameters/versions/<int:version_id>/approve",
        parameters.ApproveView.as_view(),
        name="version-approve",
    ),
    path(
        "parameters/versions/<int:version_id>/reject",
        parameters.RejectView.as_view(),
        name="version-reject",
    ),
    path(
        "parameters/versions/<int:version_id>/schedule",
        parameters.ScheduleView.as_view(),
        name="version-schedule",
    ),
]
