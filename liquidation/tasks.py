"""Celery tasks: they wake who works on the queue. A lost message costs time, nothing else."""

from celery import shared_task
from django.utils import timezone

from liquidation.execution.venue import execution_port
from liquidation.queue import cases_wait
from liquidation.services.cases import WORKER
from liquidation.services.fund import fund_settle
from liquidation.services.reviews import run_review
from liquidation.services.work import case_work, cases_quarantine
from margin.selectors import run_latest_completed


@shared_task
def work() -> None:
    """Work on the most urgent case, and have somebody work on the next."""
    if case_work(port=execution_port(), clock=timezone.now) and cases_wait(now=timezone.now()):
        work.delay()


@shared_task
def review(run_id: int) -> None:
    """Warn the accounts of a completed run, and open cases for those past a threshold."""
    run_review(run_id=run_id, now=timezone.now())


@shared_task
def sweep() -> None:
    """Do what nobody was woken for: the newest run's review, cases that wait, cases out of attempts."""
    cases_quarantine(clock=timezone.now)
    run = run_latest_completed()
    if run is not None:
        run_review(run_id=run.pk, now=timezone.now())
    if cases_wait(now=timezone.now()):
        work.delay()


@shared_task
def settle_fund() -> None:
    """Settle what has expired in the insurance fund."""
    fund_settle(actor=WORKER, now=timezone.now())
