"""The engine against the tests' own scalar calculation, on random books."""

from hypothesis import given, settings

from margin.engine.simulation import margin_report
from margin.parameter_files import shipped_library
from tests.margin.engine.support import CI, Document
from tests.reference import margin_report as reference_report
from tests.reference.compare import assert_reports_agree
from tests.reference.strategies import books, parameters_of


@settings(CI, max_examples=150)
@given(books("okx-2025"))
def test_okx_2025(document: Document) -> None:
    assert_reports_agree(
        margin_report(document, shipped_library()), reference_report(document, parameters_of(document))
    )
