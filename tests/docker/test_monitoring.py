"""Alarms and dashboard: well-formed, over figures that the platform has, each alarm with its run book."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.docker.composition import CHECKOUT, DOCKER

MONITORING = DOCKER / "monitoring"
COLLECTOR = CHECKOUT / "pmplatform/api/metrics.py"
FIGURES = set(re.findall(r'"(pm_[a-z_]+)"', COLLECTOR.read_text(encoding="utf-8")))


def alarms() -> list[dict[str, Any]]:
    document = yaml.safe_load((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


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
