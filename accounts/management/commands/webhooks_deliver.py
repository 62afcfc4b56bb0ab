import signal
from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings

from accounts.services.delivering import webhooks_deliver
from pmplatform.common.commands import PlatformCommand

#: Touched while all is well: what a health check looks at.
ALIVE = "webhooks-deliver"


class Command(PlatformCommand):
    help = "Call webhooks with what they are owed until stopped; any number of these may run."
    serves = True

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        alive = Path(settings.PM_DATA_DIR) / ALIVE
        alive.parent.mkdir(parents=True, exist_ok=True)
        self.stdout.write("Webhooks are delivered.")
        self.stdout.flush()
        webhooks_deliver(stopping=stopped.is_set, alive=alive.touch)
