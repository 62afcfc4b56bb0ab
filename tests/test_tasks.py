"""What messages to workers may carry: whoever forges one can wake a worker, and tell it nothing."""

import gc
import inspect

import pytest
from celery.signals import worker_process_init
from django.conf import settings

from pmplatform.celery import app

app.loader.import_default_modules()
OURS = sorted(name for name in app.tasks if not name.startswith("celery."))


def test_messages_are_json_alone() -> None:
    assert app.conf.accept_content == ["json"]
    assert (app.conf.task_serializer, app.conf.event_serializer) == ("json", "json")
    assert OURS, "which the next test is about"
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_a_message_carries_ids_of_rows_and_nothing_else(name: str) -> None:
    task = app.tasks[name]
    parameters = inspect.signature(task.run).parameters.values()
    assert {parameter.annotation for parameter in parameters} <= {int, list[int]}
    assert task.ignore_result


def test_a_worker_has_its_programs_left_alone_by_the_collector() -> None:
    try:
        worker_process_init.send(sender=None)
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
