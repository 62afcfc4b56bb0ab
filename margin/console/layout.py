"""A JSON document laid out for people: what fits is kept on one line, and every line knows its path."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pmplatform.common.strict_json import key_path

_WIDTH: Final = 96
_STEP: Final = "  "


@dataclass(frozen=True, slots=True)
class Line:
    """A line and the path of the value that begins on it; what closes a value has none."""

    text: str
    path: str | None


def lines_of(value: Any) -> tuple[Line, ...]:
    """The lines of a document, members by name."""
    return tuple(_lines(value, "", "", ""))


def text_of(value: Any) -> str:
    """The document as it is shown and edited."""
    return "\n".join(line.text for line in lines_of(value))


def line_at(lines: Sequence[Line], path: str) -> int | None:
    """Which line, from 1, holds the value at a path, or the nearest value around it; None for the whole."""
    places = [
        (len(line.path), -number)
        for number, line in enumerate(lines, start=1)
        if line.path and (path == line.path or path.startswith((f"{line.path}.", f"{line.path}[")))
    ]
    return -max(places)[1] if places else None


def _lines(value: Any, path: str, lead: str, tail: str) -> Iterator[Line]:
    flat = json.dumps(value, ensure_ascii=False, sort_keys=True)
    is_small = len(lead) + len(flat) + len(tail) <= _WIDTH and not any(map(_is_nested, _members(value, "")))
    if not _is_nested((path, "", value)) or is_small:
        yield Line(f"{lead}{flat}{tail}", path)
        return
    margin = lead[: len(lead) - len(lead.lstrip())]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield Line(lead + opening, path)
    members = list(_members(value, path))
    for place, (inner, name, member) in enumerate(members, start=1):
        comma = "," if place < len(members) else ""
        yield from _lines(member, inner, f"{margin}{_STEP}{name}", comma)
    yield Line(f"{margin}{closing}{tail}", None)


def _members(value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """Path, name as written, and value of each member; a list's have no name."""
    if isinstance(value, dict):
        for name in sorted(value):
            yield key_path(path, name), f"{json.dumps(name, ensure_ascii=False)}: ", value[name]
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield f"{path}[{place}]", "", item


def _is_nested(member: tuple[str, str, Any]) -> bool:
    return isinstance(member[2], dict | list) and bool(member[2])
