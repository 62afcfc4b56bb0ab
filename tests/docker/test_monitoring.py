"""Alarms and dashboard: over figures there are, each alarm with its run book, as promtool reads them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docker.composition import CHECKOUT
from tests.docker.prometheus import MONITORING, WELL, alarms, promtool, rehearsal

COLLECTOR = CHECKOUT / "pmplatform/api/metrics.py"
FIGURES = set(re.findall(r'"(pm_[a-z_]+)"', COLLECTOR.read_text(encoding="utf-8")))


def headings() -> set[str]:
    """The anchors of the run book, as they are made of its headings."""
    text = (CHECKOUT / "docs/operations.md").read_text(encoding="utf-8")
    return {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    }


@pytest.mark.parametrize("alarm", alarms(), ids=lambda alarm: alarm["alert"])
def test_an_alarm_speaks_of_a_figure_there_is_and_has_a_run_book(alarm: dict[str, Any]) -> None:
    assert set(alarm) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[A-Z][A-Za-z]+", alarm["alert"])
    named = set(re.findall(r"\bpm_[a-z_]+", alarm["expr"]))
    assert named
    assert named <= FIGURES
    assert re.fullmatch(r"[0-9]+[smh]", alarm.get("for", "1m"))
    assert alarm["labels"]["severity"] in ("page", "ticket")
    file, anchor = alarm["annotations"]["runbook"].split("#")
    assert file == "docs/operations.md"
    assert anchor in headings()


def test_the_dashboard_draws_figures_there_are() -> None:
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    drawn = {target["expr"] for panel in dashboard["panels"] for target in panel["targets"]}
    assert drawn <= FIGURES
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_prometheus_is_sent_to_a_route_there_is() -> None:
    document = yaml.safe_load((MONITORING / "prometheus.yaml").read_text(encoding="utf-8"))
    [job] = document["scrape_configs"]
    assert job["metrics_path"] == "/api/v1/health/metrics"
    assert (MONITORING / document["rule_files"][0]).is_file()


def test_promtool_finds_nothing_in_configuration_and_rules(tmp_path: Path) -> None:
    token = tmp_path / "metrics_token"
    token.write_text("token", encoding="ascii")
    for name in ("prometheus.yaml", "alerts.yaml"):
        text = (MONITORING / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/run/secrets/metrics_token", str(token)), encoding="utf-8")
    assert f"SUCCESS: {len(alarms())} rules" in promtool(
        "check", "config", "--lint=all", "--lint-fatal", tmp_path / "prometheus.yaml"
    )


#: By alarm, each thing that sets it off: the figures that change, None for one that is missing from then on.
CAUSES: list[tuple[str, dict[str, float | None]]] = [
    ("MetricsMissing", dict.fromkeys(WELL)),
    ("MarketStale", {"pm_market_fresh": 0}),
    ("MarketStale", {"pm_snapshot_age_seconds": 121}),
    ("MarketStale", {"pm_market_fresh": None, "pm_snapshot_age_seconds": None}),
    ("HourlyRunFailed", {"pm_hourly_run_failed": 1}),
    ("HourlyRunMissing", {"pm_hourly_run_age_seconds": 4_501}),
    ("HourlyRunMissing", {"pm_hourly_run_age_seconds": None, "pm_hourly_run_failed": None}),
    ("PartQuarantined", {"pm_parts_quarantined": 1}),
    ("CaseQuarantined", {'pm_liquidation_cases{state="quarantined"}': 1}),
    ("DeleveragingRequired", {'pm_liquidation_cases{state="adl_required"}': 1}),
    ("RiskRestricted", {'pm_risk_restricted{underlying="BTC"}': 1}),
    ("ParametersRolledBack", {"pm_parameters_rollback_age_seconds": 60}),
    ("InsuranceFundLow", {'pm_insurance_fund{currency="USDT"}': 99_999}),
    ("InsuranceFundLow", {'pm_insurance_fund{currency="USDT"}': None}),
    ("OutboxOld", {"pm_outbox_oldest_seconds": 61}),
    ("OutboxDead", {'pm_outbox{state="dead"}': 1}),
    ("AuditUnsealed", {"pm_audit_unsealed_seconds": 61}),
    ("InvariantViolated", {'pm_invariant_violations{invariant="I3"}': 2}),
    ("InvariantsUnchecked", {'pm_invariant_violations{invariant="I3"}': None}),
]


def test_every_alarm_has_a_cause() -> None:
    assert {name for name, _ in CAUSES} == {alarm["alert"] for alarm in alarms()}


@pytest.mark.parametrize(
    ("name", "cause"), CAUSES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CAUSES)]
)
def test_an_alarm_fires_at_its_cause_after_its_time_and_no_other_does(
    tmp_path: Path, name: str, cause: dict[str, float | None]
) -> None:
    document = tmp_path / "rehearsal.yaml"
    document.write_text(yaml.safe_dump(rehearsal(name, cause)), encoding="utf-8")
    assert "SUCCESS" in promtool("test", "rules", document)
