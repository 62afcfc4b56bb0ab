"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import Final

#: Only bounds how long a failure takes, so it suits the slowest machine.
PATIENCE_SECONDS: Final = 180.0
_POLL_SECONDS: Final = 0.05


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(_POLL_SECONDS)
