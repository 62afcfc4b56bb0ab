"""Random faults under load, one after another: `make soak` for ten minutes, a few seconds otherwise.

The seed is printed; with SOAK_SEED the same faults come in the same order.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest

from tests.faults.crew import RELAY, WORKERS, Crew
from tests.faults.ending import finish
from tests.faults.stage import Stage, a_minute_passes, stage_again, wait_until
from tests.faults.test_messages import send_reversed
from tests.faults.test_servers import FAULTS
from tests.faults.test_switches import kill_switch_set
from tests.margin.world import newest_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

SHORT_SECONDS: Final = 5.0


def killed(name: str) -> Callable[[Crew], None]:
    def kill(staff: Crew) -> None:
        staff.process(name).signal_tree(signal.SIGKILL)
        staff.process(name).process.wait()

    return kill


def stopped(name: str) -> Callable[[Crew], None]:
    def stop(staff: Crew) -> None:
        staff.process(name).signal_tree(signal.SIGSTOP)
        a_minute_passes()
        time.sleep(2)
        staff.process(name).signal_tree(signal.SIGCONT)

    return stop


def repeated(staff: Crew) -> None:
    """Every message of the run that is under way comes again, and again."""
    send_reversed(staff, newest_run())


def switched(staff: Crew) -> None:
    """Somebody stops liquidation for a moment."""
    for on in (True, False):
        wait_until(lambda on=on: kill_switch_set(on=on))  # type: ignore[misc]
        staff.sweep()
        time.sleep(1)


ALL: Final = {
    **FAULTS,
    "messages come ten times, in reversed order": repeated,
    "the kill switch is turned on and off": switched,
    **{f"{name} is killed": killed(name) for name in (RELAY, *WORKERS)},
    **{f"{name} is stopped past its lease": stopped(name) for name in (RELAY, *WORKERS)},
}


def test_random_faults_lose_nothing_but_time(
    staff: Crew, on_stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = float(os.environ.get("SOAK_SECONDS", SHORT_SECONDS))
    seed = int(os.environ.get("SOAK_SEED", "7"))
    chance, injected, survived = random.Random(seed), Counter[str](), Counter[str]()
    deadline = time.monotonic() + seconds
    try:
        while True:
            on_stage.announce()
            name = chance.choice(sorted(ALL))
            wait_until(on_stage.is_under_way, meanwhile=staff.supervise)
            injected[name] += 1
            ALL[name](staff)
            finish(staff, on_stage)
            survived[name] += 1
            if time.monotonic() > deadline:
                break
            on_stage = stage_again()
    finally:
        with capsys.disabled():
            tell(seed, injected, survived)


def tell(seed: int, injected: Counter[str], survived: Counter[str]) -> None:
    """Print what was injected and survived, for who soaks."""
    print(f"\nseed {seed}: {injected.total()} faults injected, {survived.total()} survived")  # noqa: T201
    for name, count in sorted(injected.items()):
        print(f"  {count:3d}  {name}{'' if survived[name] == count else ': NOT survived'}")  # noqa: T201
