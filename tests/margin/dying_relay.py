"""A relay that is killed at the worst moment: its message is out, and its rows are not marked yet."""

import os
import signal
import sys

import django
from django.utils import timezone

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmplatform.settings")
    django.setup()

from pmplatform.common.relay import outbox_publish  # needs the apps
from pmplatform.routes import ROUTES


def published_and_killed(payloads: object) -> None:
    ROUTES["account.changed"](payloads)  # type: ignore[arg-type]  # passed on as they came
    sys.stdout.write("published\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    outbox_publish(routes={"account.changed": published_and_killed}, now=timezone.now())
