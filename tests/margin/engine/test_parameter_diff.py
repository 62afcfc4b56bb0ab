"""Differences of parameter documents by meaning, and ten thousand bad documents that do not pass unseen."""

import json
import math
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

import pytest

from margin.engine.errors import DocumentError
from margin.engine.parameters.diff import Change, parameter_diff
from margin.engine.parameters.library import read_version
from margin.parameter_files import shipped_documents

SHIPPED: Final = [version for history in shipped_documents() for version in history["versions"]]
DOCUMENTS: Final = 10_000
#: As of the platform's default for a slip of the unit.
JUMP: Final = 10

Place = tuple[Any, Any]


def _classic(version: str) -> dict[str, Any]:
    return next(row for row in SHIPPED if row["methodology"] == "okx-classic" and row["version"] == version)


def test_the_change_of_january_reads_as_the_venue_announced_it() -> None:
    changes = parameter_diff(_classic("2024-06-05"), _classic("2025-01-06"))
    assert [change.path for change in changes][:3] == [f"mr1.price_moves.tier1[{i}]" for i in range(3)]
    largest = next(change for change in changes if change.path == "mr6.price_move.tier1")
    assert (largest.old, largest.new) == (0.3, 0.24)
    assert largest.relative == pytest.approx(-0.2)
    assert not any(change.is_drastic(JUMP) for change in changes)


def test_the_header_is_no_change_and_equal_documents_have_none() -> None:
    document = _classic("2025-01-06")
    other = {**deepcopy(document), "version": "x", "effective_from": "2030-01-01T00:00:00Z", "source": "y"}
    assert parameter_diff(document, other) == ()
    assert parameter_diff({"a": 1}, {"a": 1.0}) == ()
    assert parameter_diff({"a": 1}, {"a": True}) == (Change("a", 1, True),)


def test_tiers_are_named_by_their_ends_and_by_place_where_the_ends_move() -> None:
    old = {"t": [{"up_to": 10, "rate": 0.1}, {"up_to": None, "rate": 0.2}]}
    rate = {"t": [{"up_to": 10, "rate": 0.15}, {"up_to": None, "rate": 0.2}]}
    assert parameter_diff(old, rate) == (Change("t[up_to 10].rate", 0.1, 0.15),)
    moved = {"t": [{"up_to": 20, "rate": 0.1}, {"up_to": None, "rate": 0.2}]}
    assert parameter_diff(old, moved) == (Change("t[0].up_to", 10, 20),)
    added = {"t": [{"up_to": 10, "rate": 0.1}, {"up_to": 50, "rate": 0.3}, {"up_to": None, "rate": 0.2}]}
    assert parameter_diff(old, added) == (Change("t[up_to 50]", None, {"rate": 0.3}),)


def test_members_of_a_list_of_names_come_and_go_by_name() -> None:
    changes = parameter_diff({"tier2": ["LTC", "EOS"]}, {"tier2": ["SOL", "LTC"]})
    assert changes == (Change("tier2[EOS]", "EOS", None), Change("tier2[SOL]", None, "SOL"))


@pytest.mark.parametrize(
    ("old", "new", "drastic"),
    [(0.1, 0.2, False), (0.1, 1.0, True), (0.1, 0.011, False), (0.1, 0.01, True), (0.1, -0.1, True),
     (0, 0.1, True), (None, 0.1, False), (0.1, None, True), ("a", "b", False), (False, True, False),
     ([1], [], True),
     ({"rate": 1}, None, True), (None, {"rate": 1}, False)],
)  # fmt: skip
def test_a_slip_of_the_unit_is_drastic_and_so_is_a_loss(old: Any, new: Any, drastic: bool) -> None:
    assert Change("x", old, new).is_drastic(JUMP) is drastic


def _places(value: Any) -> Iterator[Place]:
    """Every (container, key) inside a document, its header apart."""
    if isinstance(value, dict):
        members: Iterator[Any] | list[Any] = [key for key in value if key not in ("version", "source")]
    else:
        members = list(range(len(value))) if isinstance(value, list) else []
    for key in members:
        yield value, key
        yield from _places(value[key])


def _numbers(places: list[Place]) -> list[Place]:
    return [
        (owner, key)
        for owner, key in places
        if isinstance(owner[key], int | float) and not isinstance(owner[key], bool) and owner[key]
    ]


_JUNK: Final[tuple[Any, ...]] = (
    math.nan,
    math.inf,
    -1e9,
    1e9,
    "12 %",
    "",
    True,
    [],
    {},
    [None],
    {"x": 1},
    1e400,
    "0,12",
)


def _single_field(places: list[Place], rng: random.Random) -> None:
    """One value of a wrong kind, not finite, or far out of range."""
    owner, key = rng.choice(places)
    owner[key] = rng.choice([junk for junk in _JUNK if junk != owner[key]])


def _unit(places: list[Place], rng: random.Random) -> None:
    """Per cent for fractions, basis points, thousands, seconds for days."""
    owner, key = rng.choice(_numbers(places))
    owner[key] *= rng.choice((100, 10_000, 1_000, 86_400, 0.01, 0.0001, 0.001, -1))


def _missing(places: list[Place], rng: random.Random) -> None:
    owner, key = rng.choice([place for place in places if isinstance(place[0], dict) and place[1] in _NEEDED])
    del owner[key]


#: Fields that every methodology's reader asks for where they stand.
_NEEDED: Final = frozenset(
    {"methodology", "effective_from", "discount", "thresholds", "liquidation", "mmr", "imr", "rate", "up_to"}
)


def _cross_field(places: list[Place], rng: random.Random) -> None:
    """Each value is in range; together they contradict each other."""
    rules: list[Callable[[], None]] = []
    for owner, key in places:
        if key == "imr" and isinstance(owner, dict) and owner["mmr"] < 1:
            rules.append(lambda tier=owner: tier.update(mmr=min(tier["imr"] * 1.01 + 1e-6, 1.0)))  # type: ignore[misc]
        if key == "up_to" and owner["up_to"] is None:
            rules.append(lambda tier=owner: tier.update(up_to=1e300))  # type: ignore[misc]
        if _tiers(owner[key]):
            rules.append(owner[key].reverse)
        if key in ("tier1", "tier2", "other", "BTC", "*") and _ascending(owner[key]):
            rules.append(owner[key].reverse)
        if key == "price_move" and isinstance(owner[key], dict):
            rules.append(lambda move=owner[key]: move.update(tier1=1e-3, tier2=1e-3, other=1e-3))  # type: ignore[misc]
        if key == "curves":
            rules.append(owner[key][0].pop)
    rng.choice(rules)()


def _tiers(value: Any) -> bool:
    if not isinstance(value, list) or len(value) < 2:
        return False
    return all(isinstance(item, dict) and "up_to" in item for item in value)


def _ascending(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(item, float) for item in value)


def _is_refused(document: Any) -> bool:
    try:
        read_version(document)
    except DocumentError:
        return True
    return False


@pytest.mark.parametrize("mistake", [_single_field, _unit, _missing, _cross_field])
def test_no_bad_document_passes_unseen(mistake: Callable[[list[Place], random.Random], None]) -> None:
    rng = random.Random(20250106)
    texts = [json.dumps(version) for version in SHIPPED]
    assert not any(map(_is_refused, SHIPPED))
    unseen, refused = [], 0
    for _ in range(DOCUMENTS // 4):
        number = rng.randrange(len(SHIPPED))
        document = json.loads(texts[number])
        mistake(list(_places(document)), rng)
        if _is_refused(document):
            refused += 1
        elif not any(change.is_drastic(JUMP) for change in parameter_diff(SHIPPED[number], document)):
            unseen.append(parameter_diff(SHIPPED[number], document))
    assert not unseen
    assert refused > DOCUMENTS // 4 * (0.2 if mistake is _unit else 0.9)
