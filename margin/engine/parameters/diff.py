"""What changes between two parameter documents, value by value, named by meaning rather than by place.

A tier is named by the amount it ends at (`mr7.tiers.tier1[up_to 250000].multiplier`), a node by its
maturity, a member of a list of names by itself. Plain numbers, and tiers whose ends have moved, go by place.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Fields that say which version a document is, and nothing about margin.
HEADER_FIELDS: Final = ("version", "effective_from", "source")
#: What names an entry of a list of objects.
_KEYS: Final = ("up_to", "days")


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs; `old` is None for what is new, `new` for what is gone."""

    path: str
    old: Any
    new: Any

    @property
    def relative(self) -> float | None:
        """The change over the old value, +1 for doubled; None unless both are numbers, the old not zero."""
        if not (_is_number(self.old) and _is_number(self.new)) or self.old == 0:
            return None
        return float((self.new - self.old) / abs(self.old))

    def is_drastic(self, factor: float) -> bool:
        """Whether a number grew or shrank by `factor` or more, as a slip of the unit does, or an entry went.

        From or to zero, and across zero, every change is drastic; so is a number that is gone, and a table,
        row or list that is gone or replaced as a whole.
        """
        if isinstance(self.old, Mapping | list):
            return True
        if not _is_number(self.old) or not (self.new is None or _is_number(self.new)):
            return False
        if self.new is None:
            return True
        small, large = sorted((abs(self.old), abs(self.new)))
        return bool(self.old * self.new <= 0 or large >= small * factor)


def parameter_diff(base: Mapping[str, Any], proposed: Mapping[str, Any]) -> tuple[Change, ...]:
    """Every change from one version's document to another's, in the order of the base document."""
    return tuple(
        _changes(
            "",
            *(
                {name: value for name, value in document.items() if name not in HEADER_FIELDS}
                for document in (base, proposed)
            ),
        )
    )


def _changes(path: str, old: Any, new: Any) -> Iterator[Change]:
    match old, new:
        case Mapping(), Mapping():
            yield from _members(path, old, new, "{}.{}" if path else "{}{}")
        case [*_], [*_] if _by_name_is_clearer(old, new):
            yield from _members(path, _by_name(old), _by_name(new), "{}[{}]")
        case [*_], [*_] if len(old) == len(new):
            yield from _members(path, dict(enumerate(old)), dict(enumerate(new)), "{}[{}]")
        case _ if not _same(old, new):
            yield Change(path, old, new)


def _members(path: str, old: Mapping[Any, Any], new: Mapping[Any, Any], form: str) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        yield from _changes(form.format(path, name), old.get(name), new.get(name))


def _by_name_is_clearer(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Whether entries are matched by name; tiers that only moved their ends are matched by place."""
    if not (_named(old) and _named(new)):
        return False
    moved = len(old) == len(new) and isinstance(old[0], Mapping) and set(_by_name(old)) != set(_by_name(new))
    return not moved


def _named(entries: Sequence[Any]) -> bool:
    """Whether every entry of a list has a name of its own: words, or objects with a key."""
    names = [_name(entry) for entry in entries]
    return bool(names) and None not in names and len(set(names)) == len(names)


def _by_name(entries: Sequence[Any]) -> dict[str, Any]:
    return {str(_name(entry)): _without_key(entry) for entry in entries}


def _name(entry: Any) -> str | None:
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, Mapping):
        return None
    key = next((key for key in _KEYS if key in entry), None)
    if key is None:
        return None
    return f"{key} {'above' if entry[key] is None else f'{entry[key]:.12g}'}"


def _without_key(entry: Any) -> Any:
    return {n: v for n, v in entry.items() if n not in _KEYS} if isinstance(entry, Mapping) else entry


def _same(old: Any, new: Any) -> bool:
    """1 and 1.0 are one number, 1 and True are two things."""
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
