"""A misbehaving venue for a test, and what has to hold whatever it does."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from accounts.models import LedgerEntry
from accounts.verification import ledger_mismatches
from liquidation.execution.webhook import WebhookPort
from liquidation.models import LiquidationCase, LiquidationFill, LiquidationStep
from pmplatform.invariants.view import violations
from tests.support.processes import CHECKOUT

SECRET: Final = "between-you-and-me"


@dataclass(frozen=True)
class RunningVenue:
    """A venue process on loopback."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/orders"

    @property
    def execution(self) -> WebhookPort:
        return WebhookPort(self.url, SECRET, read_seconds=0.5)

    def executions(self) -> dict[str, Decimal]:
        """What was really traded, by order key."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/executions") as answer:  # loopback
            return {key: Decimal(text) for key, text in json.load(answer).items() if Decimal(text)}


@contextmanager
def venue(manner: str) -> Iterator[RunningVenue]:
    """A venue process that behaves in a manner of `venue_process`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.liquidation.queue.venue_process", SECRET, manner],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield RunningVenue(int(process.stdout.readline()))
        finally:
            process.kill()


def check_effects_equal_steps(traded: dict[str, Decimal] | None = None) -> None:
    """Whatever went wrong: each step has had its effect once, and the books say the same as the venue.

    `traded` is what a venue has really traded, by order key.
    """
    booked = _booked()
    if traded is not None:
        assert booked == traded
    for case in LiquidationCase.objects.all():
        numbers = list(case.steps.filter(state="done").order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, case.steps_done + 1))
        _check_positions(case)
        assert case.state != "closed" or case.residuals == {}
    assert list(ledger_mismatches()) == []
    assert violations() == []


def _booked() -> dict[str, Decimal]:
    booked: dict[str, Decimal] = {}
    for row in LiquidationFill.objects.select_related("fill", "order"):
        booked[row.order.key] = booked.get(row.order.key, Decimal(0)) + row.fill.quantity
    return booked


def _check_positions(case: LiquidationCase) -> None:
    """By the ledger, the account's positions have moved by what the steps say they booked."""
    moved: dict[str, Decimal] = {}
    rows = LedgerEntry.objects.filter(
        account=case.account, kind="liquidation", subject__startswith="position:"
    )
    for row in rows:
        before, after = (Decimal((state or {"quantity": 0})["quantity"]) for state in (row.before, row.after))
        moved[row.subject] = moved.get(row.subject, Decimal(0)) + after - before
    stated: dict[str, Decimal] = {}
    for step in LiquidationStep.objects.filter(case=case):
        for subject, amount in step.effects.items():
            if subject.startswith("position:"):
                stated[subject] = stated.get(subject, Decimal(0)) + Decimal(amount)
    if case.takeover is None:
        assert moved == stated
