"""Workers that die, or stop, at named points of a step: an own process, which forks a child for each point.

Each child claims a case and works until its point. A line tells its process id, another, once it has ended,
its exit status.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmplatform.settings")
    django.setup()

from liquidation.execution.paper import PaperPort  # needs the apps
from liquidation.execution.webhook import WebhookPort
from liquidation.services.work import case_work
from tests.liquidation.queue.mutants import remove_guards
from tests.liquidation.queue.support import clock
from tests.liquidation.queue.venues import SECRET

#: How a child ends that dies.
DEAD: Final = 9

#: Where a worker ends: right after this function has returned. The first ones are inside of a transaction.
PAPER_POINTS: Final = {
    "case claimed": "liquidation.services.work:case_claim",
    "account locked": "accounts.services.changes:rows_lock",
    "case held": "liquidation.services.steps:case_hold",
    "step decided": "liquidation.services.steps:_look",
    "step written": "liquidation.services.steps:_step_write",
    "orders written": "liquidation.services.steps:orders_write",
    "fill recorded": "liquidation.services.booking:fill_append",
    "position and cash moved": "liquidation.services.booking:effect_write",
    "fills linked": "liquidation.services.reporting:_fill_book",
    "step done": "liquidation.services.effects:_done",
    "step audited": "liquidation.services.cases:audit_append",
    "ledger written": "accounts.services.changes:_ledger_write",
    "event told": "liquidation.services.steps:case_event",
    "step committed": "liquidation.services.work:step_act",
}
VENUE_POINTS: Final = {
    "orders committed": "liquidation.services.work:step_act",
    "order marked": "liquidation.services.venue:_order_release",
    "order answered": "liquidation.services.venue:_order_work",
    "fill booked": "liquidation.services.reporting:_fill_book",
    "report booked": "liquidation.services.venue:report_book",
    "report committed": "liquidation.services.venue:_report_book",
    "step concluded": "liquidation.services.venue:step_conclude",
    "step committed": "liquidation.services.venue:_step_conclude",
}
_ENDS: Final[dict[str, Callable[[], None]]] = {
    "die": lambda: os._exit(DEAD),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
}


def end_after(target: str, end: Callable[[], None]) -> None:
    """Have this process end right after a function has returned for the first time."""
    module, name = target.split(":")
    owner = import_module(module)
    act = getattr(owner, name)

    def act_and_end(*args: Any, **kwargs: Any) -> Any:
        result = act(*args, **kwargs)
        # Who was only stopped goes on to the end.
        setattr(owner, name, act)
        end()
        return result

    setattr(owner, name, act_and_end)


def child(point: str, options: argparse.Namespace) -> None:
    """Work as a worker does, until the point, or until there is nothing to do."""
    if point in options.points and point != "never":
        targets = VENUE_POINTS if options.url else PAPER_POINTS
        end_after(targets[point], _ENDS[options.manner])
    port = WebhookPort(options.url, SECRET, read_seconds=0.5) if options.url else PaperPort()
    try:
        while case_work(port=port, clock=clock(options.seconds)):
            pass
    finally:
        # Nothing of the parent's is flushed or closed by its child.
        os._exit(0)


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main(options: argparse.Namespace) -> None:
    if options.without_guards:
        remove_guards()
    for point in options.points:
        process = os.fork()
        if not process:
            child(point, options)
        say(process)
        if options.manner == "die":
            say(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    if options.manner == "stop":
        for _ in options.points:
            say(os.waitstatus_to_exitcode(os.waitpid(-1, 0)[1]))


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("manner", choices=sorted(_ENDS))
    reader.add_argument("--url", default="")
    reader.add_argument("--seconds", type=float, default=1.0)
    reader.add_argument("--without-guards", action="store_true")
    reader.add_argument("points", nargs="+")
    main(reader.parse_args())
