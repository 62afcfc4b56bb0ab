"""The Celery application; every option is in `pmplatform.settings` under the prefix `CELERY_`."""

import gc
import os

from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_process_init
from django.db import close_old_connections
from django_structlog.celery.steps import DjangoStructLogInitStep

from pmplatform.broker_check import RefuseEviction
from pmplatform.lost_acks import RecoverLostAcks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmplatform.settings")

app = Celery("pmplatform")
# Celery makes an application current for the importing thread only; web servers serve from others.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)
app.steps["consumer"].update((RefuseEviction, RecoverLostAcks))


@worker_process_init.connect
def programs_freeze(**_: object) -> None:
    """Have the collector leave alone what was imported: it stays, and to look through it takes long."""
    gc.collect()
    gc.freeze()


@task_prerun.connect
@task_postrun.connect
def connections_check(**_: object) -> None:
    """Keep the database's connections from task to task, but for those that are worn out or broken."""
    close_old_connections()
