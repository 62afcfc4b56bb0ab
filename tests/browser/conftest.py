"""The stage on which the console's pages are looked at and acted on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.browser.stage import Stage, staged


@pytest.fixture
def stage(tmp_path: Path, settings: Settings) -> Iterator[Stage]:
    settings.STATIC_ROOT = tmp_path
    with staged(tmp_path) as standing:
        yield standing
