"""The engine against the tests' own scalar calculation, on random books."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin.engine.methodologies.registry import OFFERED
from margin.engine.simulation import margin_report
from margin.parameter_files import shipped_library
from tests.margin.engine.support import CI
from tests.reference import margin_report as reference_report
from tests.reference.compare import assert_reports_agree
from tests.reference.strategies import books, parameters_of


@pytest.mark.parametrize("methodology", OFFERED)
@settings(CI, max_examples=150)
@given(st.data())
def test_engine_and_reference_agree(methodology: str, data: st.DataObject) -> None:
    document = data.draw(books(methodology))
    assert_reports_agree(
        margin_report(document, shipped_library()), reference_report(document, parameters_of(document))
    )
