"""The parameter histories that ship with the product, for commands that run without a database."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from margin.engine.parameters.library import Library, read_version

PARAMETER_DIRECTORY: Final = Path(__file__).resolve().parent / "parameters"


def shipped_documents() -> list[Any]:
    """The shipped histories as JSON values, one per methodology."""
    return [
        json.loads(file.read_text(encoding="utf-8")) for file in sorted(PARAMETER_DIRECTORY.glob("*.json"))
    ]


@lru_cache(maxsize=1)
def shipped_library() -> Library:
    """Every version in `margin/parameters`, read and validated once per process.

    Raises
    ------
    DocumentError
        Where a shipped version breaks a rule; its path names the file and the place in the history.
    """
    return Library.of(
        read_version(version, f"{file.name}.versions[{i}]", methodology=file.stem)
        for file in sorted(PARAMETER_DIRECTORY.glob("*.json"))
        for i, version in enumerate(json.loads(file.read_text(encoding="utf-8"))["versions"])
    )
