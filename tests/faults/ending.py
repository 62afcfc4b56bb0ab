"""How a fault ends: what was lost is found after a minute, and nothing but time was lost."""

from tests.faults.crew import Crew
from tests.faults.stage import Stage, a_minute_passes, wait_until


def finish(staff: Crew, on_stage: Stage) -> None:
    """Let a minute pass for what was lost, wait for the end, and compare it with the undisturbed one."""
    staff.heal()
    a_minute_passes()
    try:
        wait_until(on_stage.is_over, meanwhile=staff.supervise)
    except AssertionError as error:
        raise AssertionError(staff.outputs()) from error
    on_stage.assert_as_if_nothing_had_happened()
