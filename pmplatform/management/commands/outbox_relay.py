import signal
from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings

from pmplatform.common.commands import PlatformCommand
from pmplatform.common.relay import outbox_relay
from pmplatform.routes import ROUTES

#: Touched while all is well: what a health check looks at.
ALIVE = "outbox-relay"


class Command(PlatformCommand):
    help = "Publish the outbox to the workers until stopped; any number of relays may run."
    serves = True

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        alive = Path(settings.PM_DATA_DIR) / ALIVE
        alive.parent.mkdir(parents=True, exist_ok=True)
        self.stdout.write("The outbox is relayed.")
        self.stdout.flush()
        outbox_relay(routes=ROUTES, stopping=stopped.is_set, alive=alive.touch)
