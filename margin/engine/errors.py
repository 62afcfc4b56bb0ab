"""The engine's error tree.

EngineError
├── DocumentError      a document breaks the rules; carries every fault found, each with its path
└── NonFiniteError     a computed figure is not finite; names the figure and the account
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule: `path` as in `account.positions[0].quantity`, `message` for a person."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class EngineError(Exception):
    """Anything the engine refuses."""


class DocumentError(EngineError):
    """A document is refused; `faults` holds every reason in document order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


class NonFiniteError(EngineError):
    """A result left the finite numbers, so it is refused rather than reported."""

    def __init__(self, figure: str, account: str) -> None:
        self.figure = figure
        self.account = account
        super().__init__(f"{figure} of account {account} is not finite")
