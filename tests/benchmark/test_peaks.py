"""Peak memory is that of the largest process, even after it has given the memory back or has ended."""

import subprocess
import sys

from pmplatform.benchmark.peaks import Peaks

_HOLDS_AND_FREES = "held = bytearray(300 * 2**20); del held; print('freed', flush=True); input()"


def test_the_peak_of_a_started_process_is_kept_when_it_is_gone() -> None:
    peaks = Peaks()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS_AND_FREES], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"freed\n"
        peaks.look()
        process.communicate(b"\n")
    peaks.look()
    assert 0.29 < peaks.started < 0.4


def test_what_this_process_once_held_does_not_count() -> None:
    held = bytearray(200 * 2**20)
    del held
    peaks = Peaks()
    peaks.look()
    before = peaks.own
    held = bytearray(200 * 2**20)
    peaks.look()
    del held
    assert 0.15 < peaks.own - before < 0.25
