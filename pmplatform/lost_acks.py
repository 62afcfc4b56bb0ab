"""A worker's recovery from an acknowledgement that the broker did not answer.

When an acknowledgement times out, Celery logs it and goes on, and the transport counts the message as being
worked on for ever: with as many of them as the worker has slots it takes no further task and looks alive. A
new connection counts afresh, and the message that was not acknowledged comes again, which does no harm.
"""

from typing import Any, Final

from celery import bootsteps
from celery.worker import state

LOOK_SECONDS: Final = 2.0


class AcknowledgementLost(ConnectionError):
    """What ends the connection; the worker connects again, as after any error of its connection."""


class RecoverLostAcks(bootsteps.StartStopStep):
    """Compares, every few seconds, what the transport thinks is worked on with what is."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None
        self._missing = 0

    def start(self, parent: Any) -> None:
        self._missing = 0
        self._timer = parent.timer.call_repeatedly(LOOK_SECONDS, self._look, (parent,))

    def stop(self, parent: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, parent: Any) -> None:
        """Raise AcknowledgementLost if slots have been missing at two looks one after the other."""
        before, self._missing = self._missing, missing_slots(parent.task_consumer.channel.qos)
        if before and self._missing:
            raise AcknowledgementLost(f"{self._missing} acknowledgements were lost; connecting again")


def missing_slots(qos: Any) -> int:
    """How many of a channel's slots are taken by no task of this worker; a channel without limit has none."""
    if not qos.prefetch_count:
        return 0
    taken: int = qos.prefetch_count - qos.can_consume_max_estimate()
    return max(taken - len(state.reserved_requests), 0)
