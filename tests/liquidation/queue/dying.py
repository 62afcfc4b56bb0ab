"""Workers that die, or stop, at named points of a step, as `tests.support.ending` has them.

Each claims a case and works until its point, or, at `NEVER`, until there is nothing to do.
"""

import argparse
import os
from functools import partial
from typing import Final

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
from tests.support.ending import ENDS, end_after, fork_workers, options_reader

NEVER: Final = "never"
#: Where a worker ends: right after this function has returned. The first ones are inside of a transaction.
PAPER_POINTS: Final = {
    "case claimed": "liquidation.services.work:case_claim",
    "account locked": "accounts.services.changes:account_lock",
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


def work(options: argparse.Namespace, point: str) -> None:
    """Work as a worker does, until the point."""
    if point != NEVER:
        targets = VENUE_POINTS if options.url else PAPER_POINTS
        end_after(targets[point], ENDS[options.manner])
    port = WebhookPort(options.url, SECRET, read_seconds=0.5) if options.url else PaperPort()
    while case_work(port=port, clock=clock(options.seconds)):
        pass


if __name__ == "__main__":
    reader = options_reader()
    reader.add_argument("--url", default="")
    reader.add_argument("--seconds", type=float, default=1.0)
    reader.add_argument("--without-guards", action="store_true")
    chosen = reader.parse_args()
    if chosen.without_guards:
        remove_guards()
    fork_workers(chosen.points, partial(work, chosen))
