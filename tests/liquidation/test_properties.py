"""Whatever the book, a plan keeps the rules, ends, and does not depend on how it came about."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from margin.engine.parameters.library import METHODOLOGIES
from tests.liquidation.distressed import distressed_books
from tests.liquidation.invariants import check_every_rule

CI = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("methodology", METHODOLOGIES)
@CI
@given(data=st.data())
def test_every_plan_keeps_the_rules(methodology: str, data: st.DataObject) -> None:
    found = check_every_rule(data.draw(distressed_books(methodology)))
    # Plans end, and not because they are cut off.
    assert found["outcome"] != "unfinished"
