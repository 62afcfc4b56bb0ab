"""The limits of the platform: what each is, by default and now, and what it means.

Each is read from the environment once, when the settings are; the console shows them, and the documentation
has them on one page.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar

from pmplatform import environment

_T = TypeVar("_T", timedelta, float, int, list[str])


@dataclass(frozen=True)
class Tunable(Generic[_T]):
    """A limit: the variable that sets it, its default, what it is in this process, and its meaning."""

    name: str
    default: _T
    value: _T
    meaning: str

    @property
    def default_text(self) -> str:
        return _text(self.default)

    @property
    def value_text(self) -> str:
        return _text(self.value)

    @property
    def is_default(self) -> bool:
        return bool(self.value == self.default)


def _text(value: timedelta | float | int | list[str]) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():,.0f} s"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return f"{value:,g}"


def _seconds(name: str, default: int, meaning: str) -> Tunable[timedelta]:
    value = environment.seconds(name, default=default)
    return Tunable(name, timedelta(seconds=default), value, meaning)


def _number(name: str, default: float, meaning: str) -> Tunable[float]:
    return Tunable(name, default, environment.number(name, default=default), meaning)


def _whole(name: str, default: int, meaning: str, at_least: int = 0) -> Tunable[int]:
    return Tunable(name, default, environment.whole(name, default=default, at_least=at_least), meaning)


SNAPSHOT_MAX_AGE: Final = _seconds(
    "PM_SNAPSHOT_MAX_AGE", 120, "An older market snapshot is stale: it is served, but moves no account."
)
STUCK_SECONDS: Final = _seconds(
    "PM_STUCK_SECONDS", 300, "A snapshot is stale, too, if its market has said the very same for so long."
)
INDEX_JUMP: Final = _number(
    "PM_INDEX_JUMP",
    2.0,
    "An index that moves between two snapshots by more than so many times the largest MR1 move of its coin's "
    "class, by the okx-2025 parameters in force, is held until the next snapshot confirms it.",
)
STABLE_JUMP: Final = _number(
    "PM_STABLE_JUMP", 0.10, "So is the rate of a stable currency that moves by more than this fraction."
)
IMPACT_MAX_AGE: Final = _seconds(
    "PM_IMPACT_MAX_AGE",
    3_600,
    "The market of the impact report by which parameters are approved may be this old.",
)
NEWLY_LIQUIDATABLE_LIMIT: Final = _whole(
    "PM_NEWLY_LIQUIDATABLE_LIMIT",
    10,
    "Parameters that would make more accounts liquidatable need a second approver.",
)
PARAMETER_JUMP: Final = _whole(
    "PM_PARAMETER_JUMP",
    10,
    "So do those of which one coefficient changes by this factor, as by a slip of its unit.",
    at_least=2,
)
WARNING_HYSTERESIS: Final = _number(
    "PM_WARNING_HYSTERESIS",
    0.05,
    "An account is warned again only after it stood this fraction beyond the threshold of its warning.",
)
MAX_ATTEMPTS: Final = _whole(
    "PM_MAX_ATTEMPTS",
    5,
    "A liquidation case that has failed so many times in a row is quarantined.",
    at_least=1,
)
RATE_LIMIT: Final = _whole(
    "PM_RATE_LIMIT", 6_000, "Requests that one principal may make in a minute.", at_least=1
)
STREAM_KEPT: Final = _seconds(
    "PM_STREAM_KEPT", 86_400, "How long events are kept for a client of the stream that comes back."
)
WEBHOOK_NETWORKS: Final[Tunable[list[str]]] = Tunable(
    "PM_WEBHOOK_NETWORKS",
    [],
    environment.words("PM_WEBHOOK_NETWORKS"),
    "Networks, as comma-separated CIDR blocks, that webhooks may call although they are not public: over "
    "plain HTTP, too.",
)
SESSION_AGE: Final = _seconds("PM_SESSION_AGE", 43_200, "A session of the console ends after so long.")
SESSION_IDLE: Final = _seconds("PM_SESSION_IDLE", 3_600, "It ends sooner if nobody has used it for so long.")

#: In the order of the page: market, parameters, accounts, interfaces.
ALL: Final = (
    SNAPSHOT_MAX_AGE,
    STUCK_SECONDS,
    INDEX_JUMP,
    STABLE_JUMP,
    IMPACT_MAX_AGE,
    NEWLY_LIQUIDATABLE_LIMIT,
    PARAMETER_JUMP,
    WARNING_HYSTERESIS,
    MAX_ATTEMPTS,
    RATE_LIMIT,
    STREAM_KEPT,
    WEBHOOK_NETWORKS,
    SESSION_AGE,
    SESSION_IDLE,
)
NAMES: Final = frozenset(tunable.name for tunable in ALL)
