"""Routes of this app, below ``/api/v1/``."""

from django.urls import path

from margin import api, eligibility_api, impact_api, parameters_api, results_api, trading_api

urlpatterns = [
    path("accounts/<int:account_id>/orders", trading_api.OrdersView.as_view(), name="account-orders"),
    path(
        "accounts/<int:account_id>/orders/<int:order_id>",
        trading_api.OrderView.as_view(),
        name="account-order",
    ),
    path("accounts/<int:account_id>/fills", trading_api.FillsView.as_view(), name="account-fills"),
    path(
        "accounts/<int:account_id>/transfers", trading_api.TransfersView.as_view(), name="account-transfers"
    ),
    path(
        "accounts/<int:account_id>/withdrawable",
        trading_api.WithdrawableView.as_view(),
        name="account-withdrawable",
    ),
    path("accounts/<int:account_id>", eligibility_api.AccountTermsView.as_view(), name="account-terms"),
    path(
        "accounts/<int:account_id>/eligibility",
        eligibility_api.EligibilityView.as_view(),
        name="account-eligibility",
    ),
    path(
        "accounts/<int:account_id>/declarations",
        eligibility_api.DeclarationsView.as_view(),
        name="account-declarations",
    ),
    path("accounts/<int:account_id>/enrol", eligibility_api.EnrolView.as_view(), name="account-enrol"),
    path("accounts/<int:account_id>/leave", eligibility_api.LeaveView.as_view(), name="account-leave"),
    path("accounts/<int:account_id>/margin", results_api.MarginView.as_view(), name="account-margin"),
    path(
        "accounts/<int:account_id>/scenarios", results_api.ScenariosView.as_view(), name="account-scenarios"
    ),
    path("accounts/<int:account_id>/explain", results_api.ExplainView.as_view(), name="account-explain"),
    path(
        "accounts/<int:account_id>/comparison",
        results_api.ComparisonView.as_view(),
        name="account-comparison",
    ),
    path("accounts/<int:account_id>/curve", results_api.CurveView.as_view(), name="account-curve"),
    path("simulations", api.SimulationsView.as_view(), name="simulations"),
    path("simulations/explain", api.ExplainView.as_view(), name="simulation-explain"),
    path("simulations/compare", api.CompareView.as_view(), name="simulation-compare"),
    path("simulations/curve", api.CurveView.as_view(), name="simulation-curve"),
    path("simulations/what-if", api.WhatIfView.as_view(), name="simulation-what-if"),
    path("runs", api.RunsView.as_view(), name="runs"),
    path("runs/<int:run_id>", api.RunView.as_view(), name="run"),
    path("parameters/in-force", impact_api.InForceView.as_view(), name="parameters-in-force"),
    path("parameters/rollback", parameters_api.RollbackView.as_view(), name="parameters-rollback"),
    path("parameters/versions", parameters_api.VersionsView.as_view(), name="versions"),
    path("parameters/versions/<int:version_id>", parameters_api.VersionView.as_view(), name="version"),
    path(
        "parameters/versions/<int:version_id>/diff",
        impact_api.DiffView.as_view(),
        name="version-diff",
    ),
    path(
        "parameters/versions/<int:version_id>/impact",
        impact_api.ImpactView.as_view(),
        name="version-impact",
    ),
    path(
        "parameters/versions/<int:version_id>/impact/accounts",
        impact_api.ImpactAccountsView.as_view(),
        name="version-impact-accounts",
    ),
    path(
        "parameters/versions/<int:version_id>/propose",
        parameters_api.ProposeView.as_view(),
        name="version-propose",
    ),
    path(
        "parameters/versions/<int:version_id>/withdraw",
        parameters_api.WithdrawView.as_view(),
        name="version-withdraw",
    ),
    path(
        "parameters/versions/<int:version_id>/approve",
        parameters_api.ApproveView.as_view(),
        name="version-approve",
    ),
    path(
        "parameters/versions/<int:version_id>/reject",
        parameters_api.RejectView.as_view(),
        name="version-reject",
    ),
    path(
        "parameters/versions/<int:version_id>/schedule",
        parameters_api.ScheduleView.as_view(),
        name="version-schedule",
    ),
]
