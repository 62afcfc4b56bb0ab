"""Whatever a service does for somebody leaves a row with their name in a table that the audit chain seals."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from accounts.choices import HedgeMode, Methodology
from accounts.models import EligibilityTransition, Tenant, User
from accounts.services import accounts, eligibility, loading, tenants, tokens, webhooks
from liquidation.choices import FundEntryKind
from liquidation.execution.paper import PaperPort
from liquidation.execution.port import Report, ReportStatus, VenueFill
from liquidation.execution.webhook import WebhookPort
from liquidation.models import LiquidationCase, LiquidationOrder
from liquidation.services import callbacks, cases, controls, fund, work
from margin.choices import RiskMode, RunReason
from margin.models import MarginRun, ParameterVersion
from margin.services import (
    approvals,
    enrolment,
    fills,
    impacts,
    market,
    orders,
    publishing,
    risk_states,
    runs,
    transfers,
    versions,
)
from margin.services.settlement import settlements_run
from margin.versions import version_named
from pmplatform.common.models import AuditRow
from pmplatform.common.principals import Actor
from pmplatform.common.tokens import Scope
from tests.liquidation.queue import support
from tests.margin import desks, proposals
from tests.margin.test_enrolment import opened

pytestmark = pytest.mark.django_db(transaction=True)

ME = Actor(name="user:me", request_id="mine")
NOW = desks.AS_OF
TICK = timedelta(seconds=5)
#: What services are made of: the row is theirs, or that of the service in the table that calls them.
PARTS = {
    "account_changing",
    "accounts_open",
    "case_tell",
    "impact_write",
    "run_write",
    "version_audit",
    "version_move",
}


def at_desk() -> dict[str, Any]:
    """The arguments of a service that changes an account, in a world with a long of ten contracts."""
    return call(desks.account_of({"USDT": "100000"}, [(desks.SWAP, "10", "100000")]))


def call(account_id: int) -> dict[str, Any]:
    return {"account_id": account_id, "actor": ME, "now": NOW}


def enrolled() -> dict[str, Any]:
    account = opened(20_000)
    enrolment.account_enrol(**call(account.pk), methodology=None)
    return call(account.pk)


def tenant() -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


def staff() -> User:
    return User.objects.create(username="officer", is_staff=True)


def token() -> str:
    row = tokens.token_create(tenant=tenant(), scopes=frozenset({Scope.READ}), days=1, actor=ME, now=NOW).row
    return row.public_id


def webhook() -> Any:
    url = "https://desk.example.org/margin"
    return webhooks.webhook_create(tenant=tenant(), url=url, events=["warning"], actor=ME, now=NOW).row


def draft() -> ParameterVersion:
    proposals.classic_world(2)
    return versions.version_draft(document=proposals.proposal(), actor=ME, now=proposals.NOW)


def with_impact() -> ParameterVersion:
    """A version proposed by somebody else, with its impact report."""
    proposals.classic_world(2)
    version = proposals.proposed()
    proposals.impact_of(version)
    return version


def approved() -> ParameterVersion:
    return approvals.version_approve(version_id=with_impact().pk, actor=proposals.BOB, now=proposals.NOW)


def of(version: ParameterVersion) -> dict[str, Any]:
    return {"version_id": version.pk, "actor": ME}


def moved(version: ParameterVersion) -> dict[str, Any]:
    return of(version) | {"now": proposals.NOW}


def stopped() -> LiquidationCase:
    """A case that waits for the approval of its first step."""
    controls.controls_set(actor=support.OFFICER, reason="a drill", now=support.at(), approve_mode=True)
    case = support.case_of(support.directional())
    assert work.case_work(port=PaperPort(), clock=support.clock())
    return case


def paused() -> LiquidationCase:
    case = support.case_of(support.directional())
    return cases.case_pause(case_id=case.pk, reason="x", actor=support.OFFICER, now=support.at())


def decided(case: LiquidationCase) -> dict[str, Any]:
    return {"case_id": case.pk, "reason": "a drill", "actor": ME, "now": support.at()}


def sent() -> LiquidationOrder:
    """An order on its way to a venue that cannot be reached."""
    support.case_of(support.directional())
    support.step_act(
        claim=support.claimed(),
        port=WebhookPort("http://127.0.0.1:9/orders", "s" * 32),
        clock=support.clock(),
    )
    return LiquidationOrder.objects.get()


def filled(order: LiquidationOrder) -> Report:
    fill = VenueFill("a", order.quantity, order.limit_price, Decimal(1), "USDT")
    return Report(order.key, ReportStatus.FILLED, (fill,))


def fund_of_an_expired_future() -> None:
    desks.account_of({"BTC": "1"}, [(desks.FUTURE, "1", "100000")])
    with transaction.atomic():
        taken = fund.FundChange(FundEntryKind.TAKEOVER, support.OFFICER, NOW)
        fund.fund_trade(taken, desks.FUTURE, Decimal(5), Decimal(90_000))
    desks.after_expiry(settlement={desks.FUTURE: "100000"})
    settlements_run(now=timezone.now())


def started() -> int:
    desks.account_of({"USDT": "1"})
    runs.run_start(reason=RunReason.MANUAL)
    return MarginRun.objects.get().pk


#: For each service what has to be there before, and the deed upon it.
DEEDS: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "account_create": (
        tenant,
        lambda desk: accounts.account_create(
            tenant_id=desk.pk, code="A", methodology=Methodology.OKX_2025, actor=ME, now=NOW
        ),
    ),
    "accounts_load": (
        tenant,
        lambda desk: loading.accounts_load(
            tenant_id=desk.pk,
            documents=[{"id": "A", "methodology": "okx-2025", "balances": {}, "positions": [], "orders": []}],
            actor=ME,
            now=NOW,
        ),
    ),
    "declaration_publish": (
        tenant,
        lambda _: eligibility.declaration_publish(version="1", text="I do.", actor=ME, now=NOW),
    ),
    "declaration_accept": (
        lambda: (at_desk(), eligibility.declaration_publish(version="1", text="I do.", actor=ME, now=NOW)),
        lambda made: eligibility.declaration_accept(**made[0], version="1", address=None),
    ),
    "tenant_create": (
        lambda: None,
        lambda _: tenants.tenant_create(slug="acme", name="Acme", actor=ME),
    ),
    "user_create": (
        tenant,
        lambda desk: tenants.user_create(
            username="ann", password="a long one indeed 7", tenant=desk, actor=ME
        ),
    ),
    "tenant_grant": (
        lambda: (staff(), tenant()),
        lambda made: tenants.tenant_grant(
            user=made[0], tenant=made[1], granted_by=made[0], reason="a case", actor=ME
        ),
    ),
    "token_create": (
        tenant,
        lambda desk: tokens.token_create(
            tenant=desk, scopes=frozenset({Scope.READ}), days=1, actor=ME, now=NOW
        ),
    ),
    "token_revoke": (token, lambda public_id: tokens.token_revoke(public_id=public_id, actor=ME)),
    "webhook_create": (
        tenant,
        lambda desk: webhooks.webhook_create(
            tenant=desk, url="https://desk.example.org/x", events=["run"], actor=ME, now=NOW
        ),
    ),
    "webhook_change": (webhook, lambda row: webhooks.webhook_change(webhook=row, enabled=False, actor=ME)),
    "webhook_rotate": (webhook, lambda row: webhooks.webhook_rotate(webhook=row, actor=ME, now=NOW)),
    "webhook_delete": (webhook, lambda row: webhooks.webhook_delete(webhook=row, actor=ME)),
    "version_draft": (
        lambda: proposals.classic_world(2),
        lambda _: versions.version_draft(document=proposals.proposal(), actor=ME, now=proposals.NOW),
    ),
    "version_redraft": (
        draft,
        lambda row: versions.version_redraft(document=proposals.proposal("other"), **of(row)),
    ),
    "version_propose": (draft, lambda row: versions.version_propose(**moved(row))),
    "version_withdraw": (draft, lambda row: versions.version_withdraw(reason="no", **moved(row))),
    "version_reject": (with_impact, lambda row: versions.version_reject(reason="no", **moved(row))),
    "version_approve": (with_impact, lambda row: approvals.version_approve(**moved(row))),
    "version_schedule": (approved, lambda row: versions.version_schedule(**of(row))),
    "version_rollback": (
        lambda: proposals.classic_world(2),
        lambda _: versions.version_rollback(
            methodology=proposals.CLASSIC, restores="2023-07-12", reason="no", actor=ME, now=proposals.NOW
        ),
    ),
    "impact_start": (
        lambda: (draft(), proposals.proposed(proposals.proposal("other"))),
        lambda made: impacts.impact_start(
            base=version_named(methodology=proposals.CLASSIC, version="2024-06-05"),
            proposed=made[1],
            actor=ME,
            now=proposals.NOW,
        ),
    ),
    "account_enrol": (
        lambda: call(opened(20_000).pk),
        lambda made: enrolment.account_enrol(**made, methodology=None),
    ),
    "account_leave": (enrolled, lambda made: enrolment.account_leave(**made)),
    "account_methodology_change": (
        enrolled,
        lambda made: enrolment.account_methodology_change(
            **made, methodology=Methodology.BYBIT_UTA, hedge_mode=None
        ),
    ),
    "hedge_mode_change": (
        enrolled,
        lambda made: enrolment.hedge_mode_change(**made, hedge_mode=HedgeMode.SPOT_HEDGE),
    ),
    "fill_record": (
        at_desk,
        lambda made: fills.fill_record(**made, fill=desks.fill(desks.SWAP, "buy", "1", "100000")),
    ),
    "order_enter": (
        at_desk,
        lambda made: orders.order_enter(**made, order=desks.order(desks.SWAP, "sell", "1", "100000")),
    ),
    "transfer_record": (
        at_desk,
        lambda made: transfers.transfer_record(**made, transfer=desks.transfer("USDT", "5")),
    ),
    "risk_state_set": (
        tenant,
        lambda _: risk_states.risk_state_set(
            underlying="BTC", mode=RiskMode.HOLD, reason="a drill", actor=ME, now=NOW
        ),
    ),
    "snapshot_accept": (
        at_desk,
        lambda _: market.snapshot_accept(market=desks.market(), as_of=NOW + TICK, source="me", actor=ME),
    ),
    "snapshot_publish": (
        at_desk,
        lambda _: publishing.snapshot_publish(
            document=publishing.SnapshotDocument(NOW + TICK, desks.market()), source="me", actor=ME
        ),
    ),
    "run_start": (at_desk, lambda _: runs.run_start(reason=RunReason.MANUAL, actor=ME)),
    "run_cancel": (started, lambda run_id: runs.run_cancel(run_id=run_id, actor=ME)),
    "case_approve": (stopped, lambda case: cases.case_approve(step=1, **decided(case))),
    "case_pause": (stopped, lambda case: cases.case_pause(**decided(case))),
    "case_resume": (paused, lambda case: cases.case_resume(**decided(case))),
    "controls_set": (
        tenant,
        lambda _: controls.controls_set(actor=ME, reason="a drill", now=NOW, kill_switch=True),
    ),
    "execution_report": (
        sent,
        lambda order: callbacks.execution_report(report=filled(order), actor=ME, now=support.at()),
    ),
    "fund_transfer": (
        tenant,
        lambda _: fund.fund_transfer(currency="USDT", amount=Decimal(5), reason="capital", actor=ME, now=NOW),
    ),
    "fund_settle": (fund_of_an_expired_future, lambda _: fund.fund_settle(actor=ME, now=timezone.now())),
}


def services() -> set[str]:
    """Every public function of the three apps' services that is told who acts."""
    modules = [
        import_module(f"{app}.services.{module.name}")
        for app in ("accounts", "margin", "liquidation")
        for module in iter_modules(import_module(f"{app}.services").__path__)
    ]
    return {
        name
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and "actor" in inspect.signature(function).parameters
    }


def audited() -> dict[str, int]:
    """How many rows each sealed table has that name the actor."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('actor', 'by')"
            " WHERE t.tgname = c.relname || '_audited'"
        )
        counts = {}
        for table, column in cursor.fetchall():
            query = sql.SQL("SELECT count(*) FROM {} WHERE {} = %s")
            cursor.execute(query.format(sql.Identifier(table), sql.Identifier(column)), [ME.name])
            counts[table] = cursor.fetchone()[0]
    return counts


def test_every_service_that_is_told_who_acts_is_in_the_table() -> None:
    assert set(DEEDS) | PARTS == services()
    assert not set(DEEDS) & PARTS


@pytest.mark.parametrize("service", DEEDS)
def test_a_service_leaves_a_row_that_says_who_acted(service: str) -> None:
    prepare, act = DEEDS[service]
    made = prepare()
    before = audited()
    act(made)
    assert sum(audited().values()) > sum(before.values())


@pytest.mark.parametrize("kind", ["enrolled", "left", "changed"])
def test_a_move_of_eligibility_is_found_in_the_audit_by_its_account(kind: str) -> None:
    made = enrolled()
    if kind == "left":
        enrolment.account_leave(**made)
    if kind == "changed":
        enrolment.account_methodology_change(**made, methodology=Methodology.BYBIT_UTA, hedge_mode=None)
    row = AuditRow.objects.get(
        object_type="account", object_id=str(made["account_id"]), action=f"eligibility.{kind}"
    )
    assert row.before is not None
    assert row.after is not None
    transition = EligibilityTransition.objects.get(pk=row.after["transition"])
    assert (transition.kind, row.actor, row.tenant) == (kind, ME.name, transition.account.tenant_id)
    assert row.before["eligibility_state"] == ("standard" if kind == "enrolled" else "active")
    assert row.after["margin_methodology"] == transition.to_margin
