"""JSON read without forgiveness: every fault is refused with the path where it stands.

Python's reader accepts NaN, keeps the last of two equal keys, rounds numbers to float64 in silence and
fails with RecursionError on deep input. Here depth is checked on the raw text before anything is parsed;
the other faults are marked while the C reader runs, and only then looked up in the tree.
"""

import json
import math
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum

from pmplatform.common.errors import FieldError, ValidationFailed

MAX_DEPTH = 32

# An unterminated string runs to the end of the text, so that no input makes this quadratic.
_STRING = r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)'
_STRINGS = re.compile(_STRING, re.DOTALL)
_TOKENS = re.compile(_STRING + r"|[\[\]{},:]", re.DOTALL)
_NOT_BRACKETS = re.compile(r"[^\[\]{}]+")
# Half a surrogate pair and NUL are JSON, but no text that PostgreSQL or UTF-8 could hold.
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class NumberText(str):
    """A JSON number as it was written."""


class Numbers(Enum):
    """What becomes of a JSON number; only FLOAT may lose digits."""

    EXACT = "int for whole numbers, Decimal for the others"
    FLOAT = "int for whole numbers, float for the others"
    TEXT = "NumberText"

    @property
    def whole(self) -> Callable[[str], object]:
        return NumberText if self is Numbers.TEXT else int

    @property
    def fraction(self) -> Callable[[str], object]:
        match self:
            case Numbers.TEXT:
                return NumberText
            case Numbers.FLOAT:
                return float
            case Numbers.EXACT:
                return Decimal


@dataclass(frozen=True, slots=True)
class _Fault:
    """Stands in the parsed tree where a value was refused."""

    message: str


def strict_json_loads(raw: bytes, *, numbers: Numbers = Numbers.EXACT, max_depth: int = MAX_DEPTH) -> object:
    """Parse UTF-8 JSON.

    Raises
    ------
    ValidationFailed
        With the path of every duplicate key, NaN, infinity, number beyond float64 and unstorable string;
        or of the first syntax error or of the value that is nested too deep.
    """
    text = _decoded(raw)
    _refuse_depth(text, max_depth)
    reader = _Reader(numbers)
    try:
        tree = json.loads(
            text,
            parse_float=reader.fraction,
            parse_int=reader.whole,
            parse_constant=reader.constant,
            object_pairs_hook=reader.members,
        )
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise ValidationFailed.at(_path_at(text, error.pos), message) from None
    if reader.found_fault or _SUSPECT_ESCAPE.search(text):
        _refuse_faults(tree)
    return tree


def key_path(path: str, key: str) -> str:
    """The path of a member of the object at ``path``."""
    return f"{path}.{key}" if path else key


class _Reader:
    """Hooks for ``json.loads``; they leave a ``_Fault`` in place of what they refuse."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self.found_fault = False

    def fraction(self, text: str) -> object:
        if not math.isfinite(float(text)):
            return self._fault("is not a finite number")
        try:
            return self._numbers.fraction(text)
        except InvalidOperation:
            return self._fault("has an exponent out of range")

    def whole(self, text: str) -> object:
        if not math.isfinite(float(text)):
            return self._fault("is not a finite number")
        return self._numbers.whole(text)

    def constant(self, name: str) -> object:
        return self._fault("is not a finite number")

    def members(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        members = dict(pairs)
        if len(members) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    members[key] = self._fault("is given twice")
                seen.add(key)
        return members

    def _fault(self, message: str) -> _Fault:
        self.found_fault = True
        return _Fault(message)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        raise ValidationFailed.at(_path_at(before, len(before)), "is not valid UTF-8") from None


def _refuse_depth(text: str, max_depth: int) -> None:
    brackets = _NOT_BRACKETS.sub("", _STRINGS.sub("", text))
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            path = _path_of_depth(text, depth)
            raise ValidationFailed.at(path, f"is nested deeper than {max_depth} levels")


def _refuse_faults(tree: object) -> None:
    if errors := list(_faults(tree, "")):
        raise ValidationFailed(errors)


def _faults(value: object, path: str) -> Iterator[FieldError]:
    match value:
        case _Fault(message):
            yield FieldError(path, message)
        case dict():
            for key, member in value.items():
                if _UNSTORABLE.search(key):
                    yield FieldError(path, "has a key with characters that cannot be stored")
                yield from _faults(member, key_path(path, key))
        case list():
            for index, item in enumerate(value):
                yield from _faults(item, f"{path}[{index}]")
        case str() if _UNSTORABLE.search(value):
            yield FieldError(path, "has characters that cannot be stored")


class _Container:
    """An object or array still open at the place of interest."""

    def __init__(self, opening: str) -> None:
        self.is_array = opening == "["
        self.index = 0
        self.key: str | None = None

    def step(self, path: str) -> str:
        if self.is_array:
            return f"{path}[{self.index}]"
        return path if self.key is None else key_path(path, self.key)


def _open_containers(text: str, end: int) -> Iterator[list[_Container]]:
    """Yield the stack of open containers after each structural token before ``end``; needs no valid JSON."""
    stack: list[_Container] = []
    pending = ""
    for token in (match[0] for match in _TOKENS.finditer(text, 0, end)):
        top = stack[-1] if stack else None
        if token in ("[", "{"):
            stack.append(_Container(token))
        elif token in ("]", "}"):
            del stack[-1:]
        elif token == ",":
            if top:
                top.index, top.key = top.index + 1, None
        elif token == ":":
            if top:
                top.key = pending
        else:
            pending = _unquoted(token)
        yield stack


def _unquoted(token: str) -> str:
    try:
        return _UNSTORABLE.sub("\ufffd", json.loads(token))
    except json.JSONDecodeError:
        return token.strip('"')


def _joined(stack: list[_Container]) -> str:
    path = ""
    for container in stack:
        path = container.step(path)
    return path


def _path_at(text: str, position: int) -> str:
    last = deque(_open_containers(text, position), maxlen=1)
    return _joined(last[0]) if last else ""


def _path_of_depth(text: str, depth: int) -> str:
    for stack in _open_containers(text, len(text)):
        if len(stack) == depth:
            return _joined(stack[:-1])
    return ""
