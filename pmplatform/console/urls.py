"""The console's pages that belong to no single model, within the site's own name space."""

from django.urls import path

from liquidation.console import case, controls, queue
from margin.console import eligibility
from pmplatform.console import account, overview
from pmplatform.console.platform_settings import platform_settings
from pmplatform.console.second_factor import second_factor

urlpatterns = [
    path("", overview.page, name="index"),
    path("overview/live/", overview.live, name="overview_live"),
    path("account/<int:account_id>/", account.page, name="account"),
    path("account/<int:account_id>/plan/", account.plan, name="account_plan"),
    path("account/<int:account_id>/enrolment/", account.enrolment, name="account_enrolment"),
    path("account/<int:account_id>/enrolment/act/", eligibility.act, name="account_enrolment_act"),
    path("account/<int:account_id>/what-if/", account.what_if, name="account_what_if"),
    path("liquidation/queue/", queue.page, name="liquidation_queue"),
    path("liquidation/queue/live/", queue.live, name="liquidation_queue_live"),
    path("liquidation/case/<int:case_id>/", case.page, name="liquidation_case"),
    path("liquidation/case/<int:case_id>/live/", case.live, name="liquidation_case_live"),
    path("liquidation/case/<int:case_id>/move/", case.move, name="liquidation_case_move"),
    path("liquidation/controls/", controls.page, name="liquidation_controls"),
    path("liquidation/controls/set/", controls.switch, name="liquidation_controls_set"),
    path("liquidation/controls/mode/", controls.mode, name="liquidation_risk_mode"),
    path("second-factor/", second_factor, name="second_factor"),
    path("platform-settings/", platform_settings, name="platform_settings"),
]
