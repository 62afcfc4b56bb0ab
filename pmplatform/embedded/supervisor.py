"""Run one server for as long as the launcher lives: `supervisor.py SIGNAL PROGRAM ARGUMENT...`

Standard input is a pipe whose other end only the launcher holds. Its end, however the launcher died,
means: send SIGNAL to the server, wait for it, and kill what it left behind. Should this process be killed
instead, the kernel delivers SIGNAL. It is run as a script, by path, and so imports nothing of this project.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from functools import partial

STOP_SECONDS = 30
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run the server to its end or the launcher's; the exit status is the server's."""
    stop_signal = signal.Signals[arguments[0]]
    libc = ctypes.CDLL(None, use_errno=True)
    server = subprocess.Popen(
        arguments[1:],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=partial(libc.prctl, PR_SET_PDEATHSIG, int(stop_signal)),  # noqa: PLW1509 there is one thread
    )
    exited = os.pidfd_open(server.pid)
    select.select([sys.stdin.fileno(), exited], [], [])
    server.send_signal(stop_signal)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    return server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
