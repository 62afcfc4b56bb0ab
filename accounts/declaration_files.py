"""The declaration of understanding that ships with the product; its file's name is its version."""

from pathlib import Path
from typing import Final

DECLARATION_DIRECTORY: Final = Path(__file__).resolve().parent / "declarations"


def shipped_declaration() -> tuple[str, str]:
    """(version, text) of the newest one."""
    newest = max(DECLARATION_DIRECTORY.glob("*.txt"))
    return newest.stem, newest.read_text(encoding="utf-8")
