"""A small declarative reader: plain JSON values in, checked Python values out, every fault with its path.

A `Spec` reads one value. It never raises: what is wrong goes to the `Faults` collector and the reader
returns None, so that one pass over a document reports all that is wrong with it.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol

from margin.engine.errors import DocumentError, Fault

_DECIMAL: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
MISSING: Final = object()


class Faults:
    """Collects faults while a document is read."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, path: str, message: str) -> None:
        self._faults.append(Fault(path, message))

    def __bool__(self) -> bool:
        return bool(self._faults)

    def __len__(self) -> int:
        return len(self._faults)

    @property
    def found(self) -> tuple[Fault, ...]:
        """The faults collected so far."""
        return tuple(self._faults)

    def raise_if_any(self) -> None:
        """Raise `DocumentError` with all faults collected so far."""
        if self._faults:
            raise DocumentError(self._faults)


class Spec(Protocol):
    """Reads one JSON value at `path`; returns None after recording a fault."""

    def read(self, value: Any, path: str, faults: Faults) -> Any: ...


def child(path: str, key: str) -> str:
    """The path of a key inside the object at `path`."""
    return f"{path}.{key}" if path else key


def exact(value: object) -> Decimal | None:
    """A JSON number or decimal string as Decimal; None where it is neither or not finite in float64."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    if isinstance(value, str) and _DECIMAL.fullmatch(value) is None:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    number = _decimal(value)
    return number if fits_float64(number) else None


def _decimal(value: float | Decimal | str) -> Decimal:
    """The exact value; by way of float64 where the exponent is beyond Decimal, which leaves 0 or infinity."""
    try:
        return Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return Decimal(float(value))


def fits_float64(number: Decimal) -> bool:
    """Whether the value stays finite as a float64 (1e400 and 400-digit integers do not)."""
    return number.is_finite() and math.isfinite(float(number))


def describe_number_fault(value: object) -> str:
    """Why `exact` refused the value."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return "must be a number or a decimal string"
    if isinstance(value, str) and _DECIMAL.fullmatch(value) is None:
        return "must be a decimal number such as 12.5, without spaces or other characters"
    return "must be finite"


@dataclass(frozen=True, slots=True)
class Number:
    """A finite float64 within bounds; open bounds are written `above` and `below`."""

    at_least: float = -math.inf
    at_most: float = math.inf
    above: float = -math.inf
    below: float = math.inf

    def read(self, value: Any, path: str, faults: Faults) -> float | None:
        # What is a finite float64 already, as nearly every number of a document, needs no exact reading.
        if type(value) is float and math.isfinite(value):
            return check_bounds(self, value, path, faults)
        number = exact(value)
        if number is None:
            faults.add(path, describe_number_fault(value))
            return None
        return check_bounds(self, float(number), path, faults)

    def holds(self, number: float) -> bool:
        """Whether a finite number lies within the bounds."""
        return (
            self.at_least <= number <= self.at_most
            and (number > self.above or self.above == -math.inf)
            and (number < self.below or self.below == math.inf)
        )


def check_bounds(spec: Number, number: float, path: str, faults: Faults) -> float | None:
    """`number` when it lies within the bounds of `spec`; else a fault."""
    if spec.holds(number):
        return number
    checks = (
        (number >= spec.at_least, f"must be at least {spec.at_least:g}"),
        (number <= spec.at_most, f"must be at most {spec.at_most:g}"),
        (number > spec.above or spec.above == -math.inf, f"must be above {spec.above:g}"),
        (number < spec.below or spec.below == math.inf, f"must be below {spec.below:g}"),
    )
    faults.add(path, next(message for passed, message in checks if not passed))
    return None


@dataclass(frozen=True, slots=True)
class Exact:
    """Like `Number`, but keeps the Decimal: for amounts that are added up before they become floats."""

    bounds: Number = field(default_factory=Number)

    def read(self, value: Any, path: str, faults: Faults) -> Decimal | None:
        number = exact(value)
        if number is None:
            faults.add(path, describe_number_fault(value))
            return None
        return number if check_bounds(self.bounds, float(number), path, faults) is not None else None


@dataclass(frozen=True, slots=True)
class Text:
    """A non-empty string, optionally one of `choices`."""

    choices: tuple[str, ...] = ()

    def read(self, value: Any, path: str, faults: Faults) -> str | None:
        if not isinstance(value, str) or not value:
            faults.add(path, "must be a non-empty string")
            return None
        if self.choices and value not in self.choices:
            faults.add(path, f"must be one of {', '.join(self.choices)}")
            return None
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def read(self, value: Any, path: str, faults: Faults) -> bool | None:
        if not isinstance(value, bool):
            faults.add(path, "must be true or false")
            return None
        return value


@dataclass(frozen=True, slots=True)
class Instant:
    """An ISO 8601 time with a zone, read into UTC."""

    def read(self, value: Any, path: str, faults: Faults) -> datetime | None:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None:
            faults.add(path, "must be an ISO 8601 time such as 2025-01-15T10:26:41Z")
            return None
        if moment.tzinfo is None:
            faults.add(path, "must carry a time zone: Z or an offset")
            return None
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            faults.add(path, "is out of range")
            return None


@dataclass(frozen=True, slots=True)
class Nullable:
    """null, or what `spec` reads; `empty` stands for null."""

    spec: Spec
    empty: Any = None

    def read(self, value: Any, path: str, faults: Faults) -> Any:
        return self.empty if value is None else self.spec.read(value, path, faults)


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array whose items all read by one spec, with a least length."""

    item: Spec
    at_least: int = 0

    def read(self, value: Any, path: str, faults: Faults) -> tuple[Any, ...] | None:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            faults.add(path, "must be an array")
            return None
        if len(value) < self.at_least:
            faults.add(path, f"must have at least {self.at_least} entries")
            return None
        return tuple(self.item.read(entry, f"{path}[{i}]", faults) for i, entry in enumerate(value))


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with free keys, whose values all read by one spec."""

    item: Spec
    required: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def read(self, value: Any, path: str, faults: Faults) -> dict[str, Any] | None:
        if not isinstance(value, Mapping):
            faults.add(path, "must be an object")
            return None
        for key in self.required:
            if key not in value:
                faults.add(child(path, key), "is required")
        entries: dict[str, Any] = {}
        for key, entry in value.items():
            if self.keys and key not in self.keys:
                faults.add(child(path, key), "unknown field")
            else:
                entries[key] = self.item.read(entry, child(path, key), faults)
        return entries


@dataclass(frozen=True, slots=True)
class Record:
    """An object with named fields. `optional` maps a field to the value that stands for its absence.

    `check` looks at fields that were each read without fault, for the rules that span several of them.
    """

    required: Mapping[str, Spec]
    optional: Mapping[str, tuple[Spec, Any]] = field(default_factory=dict)
    build: Callable[..., Any] = dict
    check: Callable[[Mapping[str, Any], str, Faults], None] | None = None

    def read(self, value: Any, path: str, faults: Faults) -> Any:
        if not isinstance(value, Mapping):
            faults.add(path, "must be an object")
            return None
        before = len(faults)
        fields: dict[str, Any] = {}
        for key in value:
            if key not in self.required and key not in self.optional:
                faults.add(child(path, str(key)), "unknown field")
        for key, spec in self.required.items():
            entry = value.get(key, MISSING)
            if entry is MISSING:
                faults.add(child(path, key), "is required")
            else:
                fields[key] = spec.read(entry, child(path, key), faults)
        for key, (spec, absent) in self.optional.items():
            entry = value.get(key, MISSING)
            fields[key] = absent if entry is MISSING else spec.read(entry, child(path, key), faults)
        if self.check is not None and len(faults) == before:
            self.check(fields, path, faults)
        return self.build(**fields) if len(faults) == before else None
