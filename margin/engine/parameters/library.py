"""Reading parameter documents, and choosing the version that a book asks for."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Self

from margin.engine.documents.schema import Faults, Spec, Text, child
from margin.engine.errors import DocumentError, Fault
from margin.engine.hashing import sha256_of
from margin.engine.parameters.bybit import BYBIT_UTA, BybitParameters
from margin.engine.parameters.okx import OKX_2025, OKX_CLASSIC, OkxParameters
from margin.engine.parameters.standard import STANDARD, StandardParameters

Parameters = OkxParameters | BybitParameters | StandardParameters

_SPECS: Final[dict[str, Spec]] = {
    "okx-2025": OKX_2025,
    "okx-classic": OKX_CLASSIC,
    "bybit-uta": BYBIT_UTA,
    "standard": STANDARD,
}
METHODOLOGIES: Final = tuple(_SPECS)


def read_version(document: Any, path: str = "parameters", methodology: str | None = None) -> Parameters:
    """One version of a methodology's parameters, validated as a whole.

    Raises
    ------
    DocumentError
        With every fault and its path; also where the document's methodology is not the one asked for.
    """
    faults = Faults()
    name = document.get("methodology") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping):
        faults.add(path, "must be an object")
    elif Text(METHODOLOGIES).read(name, child(path, "methodology"), faults) and methodology not in (
        None,
        name,
    ):
        faults.add(child(path, "methodology"), f"must be {methodology}")
    faults.raise_if_any()
    parameters: Parameters = _SPECS[str(name)].read(document, path, faults)
    faults.raise_if_any()
    return replace(parameters, header=replace(parameters.header, sha256=sha256_of(document)))


@dataclass(frozen=True)
class Library:
    """Stored versions by methodology, each history ascending by effective date."""

    histories: Mapping[str, tuple[Parameters, ...]]

    @classmethod
    def of(cls, versions: Iterable[Parameters]) -> Self:
        """A library of the given versions."""
        histories: dict[str, list[Parameters]] = {}
        for version in sorted(versions, key=lambda entry: entry.header.effective_from):
            histories.setdefault(version.header.methodology, []).append(version)
        return cls({name: tuple(history) for name, history in histories.items()})

    def in_force(self, methodology: str, as_of: datetime) -> Parameters:
        """The last version effective at or before `as_of`; DocumentError where there is none."""
        history = self.histories.get(methodology, ())
        count = bisect_right([version.header.effective_from for version in history], as_of)
        if count == 0:
            raise DocumentError(
                [Fault("parameters", f"no version of {methodology} is in force at {as_of.isoformat()}")]
            )
        return history[count - 1]

    def named(self, methodology: str, version: str) -> Parameters:
        """The version of that name; DocumentError at `parameters` where there is none."""
        for entry in self.histories.get(methodology, ()):
            if entry.header.version == version:
                return entry
        raise DocumentError([Fault("parameters", f"{methodology} has no version {version}")])

    def select(self, choice: Any, methodology: str, as_of: datetime) -> Parameters:
        """The version a book names: null is the one in force, a string a stored one, an object itself."""
        if choice is None:
            return self.in_force(methodology, as_of)
        if isinstance(choice, str):
            return self.named(methodology, choice)
        return read_version(choice, "parameters", methodology)
