"""Prometheus's own reading of the alarms, by the promtool of whoever has it; CI installs it."""

import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.docker.composition import DOCKER

MONITORING: Final = DOCKER / "monitoring"
#: What a platform tells of itself that is well; its parameters were rolled back long ago.
WELL: Final[dict[str, float]] = {
    "pm_market_fresh": 1,
    "pm_snapshot_age_seconds": 120,
    "pm_hourly_run_failed": 0,
    "pm_hourly_run_age_seconds": 4_500,
    "pm_parts_quarantined": 0,
    'pm_liquidation_cases{state="quarantined"}': 0,
    'pm_liquidation_cases{state="adl_required"}': 0,
    'pm_risk_restricted{underlying="BTC"}': 0,
    "pm_parameters_rollback_age_seconds": 3_600,
    'pm_insurance_fund{currency="USDT"}': 100_000,
    "pm_outbox_oldest_seconds": 60,
    'pm_outbox{state="dead"}': 0,
    "pm_audit_unsealed_seconds": 60,
    'pm_invariant_violations{invariant="I3"}': 0,
}
#: Minutes for which all is well before a cause.
_BEFORE: Final = 30
#: How long it lasts, which is longer than any alarm waits.
_AFTER: Final = timedelta(minutes=30)
_SCRAPE: Final = timedelta(seconds=15)


def promtool(*words: str | Path) -> str:
    """What it says, having found nothing wrong; without it the test is skipped, but fails in CI."""
    program = shutil.which("promtool")
    if program is None:
        why = "promtool is missing; it comes with Debian's package `prometheus`"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    outcome = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def alarms() -> list[dict[str, Any]]:
    """The rules, as they are written."""
    document = yaml.safe_load((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def rehearsal(name: str, cause: dict[str, float | None]) -> dict[str, Any]:
    """A unit test of promtool's: before the cause nothing fires; from its time on the alarm does, alone.

    `cause` has the figures that change, None for those that are missing from then on.
    """
    [alarm] = [rule for rule in alarms() if rule["alert"] == name]
    pending = timedelta(minutes=int(alarm.get("for", "0m").removesuffix("m")))
    start = timedelta(minutes=_BEFORE)
    fired = [_expected(alarm, cause)]
    firing = {start - _SCRAPE: [], start + pending: fired, start + _AFTER: fired}
    if pending:
        firing[start + pending - _SCRAPE] = []
    return {
        "rule_files": [str(MONITORING / "alerts.yaml")],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": series, "values": _values(value, cause.get(series, value))}
                    for series, value in WELL.items()
                ],
                "alert_rule_test": [
                    {
                        "eval_time": f"{at.total_seconds():.0f}s",
                        "alertname": rule["alert"],
                        "exp_alerts": alerts if rule["alert"] == name else [],
                    }
                    for at, alerts in firing.items()
                    for rule in alarms()
                ],
            }
        ],
    }


def _values(before: float, after: float | None) -> str:
    """A value a minute, as promtool wants them; the last scrape without a figure says that it is gone."""
    end = "stale" if after is None else f"{after}x{_AFTER // timedelta(minutes=1)}"
    return f"{before}x{_BEFORE - 1} {end}"


def _expected(alarm: dict[str, Any], cause: dict[str, float | None]) -> dict[str, Any]:
    """The alert with the labels of its cause; a figure that is missing has those that were asked for."""
    asked = alarm["expr"] if None in cause.values() else next(iter(cause))
    labels = dict(re.findall(r'(\w+)="(\w+)"', asked))
    words = {
        key: re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], text)
        for key, text in alarm["annotations"].items()
    }
    return {"exp_labels": labels | alarm["labels"], "exp_annotations": words}
