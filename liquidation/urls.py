"""Routes of this app, below ``/api/v1/``."""

from django.urls import path

from liquidation.api import cases, controls, dry_runs, executions

_CASE = "liquidation/cases/<int:case_id>"

urlpatterns = [
    path("simulations/liquidation", dry_runs.LiquidationView.as_view(), name="simulation-liquidation"),
    path(
        "accounts/<int:account_id>/liquidation-plan",
        dry_runs.AccountPlanView.as_view(),
        name="account-liquidation-plan",
    ),
    path("liquidation/cases", cases.CasesView.as_view(), name="cases"),
    path(_CASE, cases.CaseView.as_view(), name="case"),
    path(f"{_CASE}/steps", cases.StepsView.as_view(), name="case-steps"),
    path(f"{_CASE}/orders", cases.CaseOrdersView.as_view(), name="case-orders"),
    path(f"{_CASE}/approve", cases.ApproveView.as_view(), name="case-approve"),
    path(f"{_CASE}/pause", cases.PauseView.as_view(), name="case-pause"),
    path(f"{_CASE}/resume", cases.ResumeView.as_view(), name="case-resume"),
    path("liquidation/executions", executions.ExecutionsView.as_view(), name="executions"),
    path("liquidation/controls", controls.ControlsView.as_view(), name="liquidation-controls"),
    path("liquidation/risk-states", controls.RiskStatesView.as_view(), name="risk-states"),
    path("liquidation/risk-states/<str:underlying>", controls.RiskStateView.as_view(), name="risk-state"),
    path("liquidation/fund", controls.FundView.as_view(), name="fund"),
    path("liquidation/fund/entries", controls.FundEntriesView.as_view(), name="fund-entries"),
    path("liquidation/fund/transfers", controls.FundTransfersView.as_view(), name="fund-transfers"),
]
