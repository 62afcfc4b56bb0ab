from collections.abc import Iterator

import pytest

from pmplatform.invariants.view import violations


@pytest.fixture
def invariants_hold(transactional_db: None) -> Iterator[None]:
    """Whatever a test does to the queue, in the end no invariant is violated.

    Apart from I14: by the clock of these tests, which stands in the past, a case that waits is long overdue.
    """
    yield
    assert [found for found in violations() if found.invariant != "I14"] == []
