from collections.abc import Iterator

import pytest

from margin.services import cutting
from tests.faults.crew import Crew, crew
from tests.faults.stage import Stage, stage


@pytest.fixture(scope="package")
def hired(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Crew]:
    """The processes of all these tests, each of which replaces those that it kills."""
    with crew(tmp_path_factory.mktemp("broker")) as staff:
        yield staff


@pytest.fixture
def on_stage(transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: object) -> Stage:
    """A run of several shards, and cases, that nobody has begun to work on."""
    monkeypatch.setattr(cutting, "SHARD_ACCOUNTS", 8)
    return stage()


@pytest.fixture
def staff(hired: Crew, on_stage: Stage) -> Iterator[Crew]:
    """Everybody at work on servers that are well; afterwards nobody has anything to do."""
    hired.everybody()
    yield hired
    hired.heal()
    hired.rest()
