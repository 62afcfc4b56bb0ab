"""Every expected failure of the platform, one class for each broken rule.

PlatformError                   500
├── ValidationFailed            400  the input is wrong; names the path of every fault
├── NotPermitted                403  the principal lacks the scope, or the tenant
├── NotFound                    404  no such thing for this principal
├── Misdirected                 421  another process of the platform serves this
├── NotReady                    503  what the platform needs does not answer
├── Conflict                    409  the state does not allow it (any more)
│   └── StaleClaim              409  a lease ended and somebody else holds the work
├── Refused                     422  a rule of the platform says no, with reasons and figures
│   └── IdempotencyKeyReused    422  the key was used for another request
└── LockTimeout                 503  another transaction held a row for too long; try again

The engine has an error of its own (``margin.engine.errors``), which knows nothing of HTTP; ``margin``
turns it into ``ValidationFailed``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """A fault and where it is: ``account.positions[0].quantity``; an empty path is the whole input."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class PlatformError(Exception):
    """An expected failure. ``code`` is its stable name, ``status`` what HTTP makes of it."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request could not be completed"
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail


class ValidationFailed(PlatformError):
    code = "validation-failed"
    title = "The input is not valid"
    status = HTTPStatus.BAD_REQUEST

    def __init__(self, errors: Iterable[FieldError], detail: str = "") -> None:
        self.errors = tuple(errors)
        super().__init__(detail or "; ".join(map(str, self.errors[:3])))

    @classmethod
    def at(cls, path: str, message: str) -> "ValidationFailed":
        return cls([FieldError(path, message)])


class NotPermitted(PlatformError):
    code = "not-permitted"
    title = "You may not do this"
    status = HTTPStatus.FORBIDDEN


class NotFound(PlatformError):
    code = "not-found"
    title = "There is no such thing"
    status = HTTPStatus.NOT_FOUND


class Misdirected(PlatformError):
    code = "misdirected"
    title = "This process does not serve that"
    status = HTTPStatus.MISDIRECTED_REQUEST


class NotReady(PlatformError):
    code = "not-ready"
    title = "The platform cannot serve now"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class Conflict(PlatformError):
    code = "conflict"
    title = "The present state does not allow this"
    status = HTTPStatus.CONFLICT


class StaleClaim(Conflict):
    code = "stale-claim"
    title = "The claim on this work has ended"


class Refused(PlatformError):
    """``reasons`` are sentences for people, ``figures`` the numbers they rest on (decimals as text)."""

    code = "refused"
    title = "A rule refuses this"
    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, reasons: Iterable[str], figures: Mapping[str, str] | None = None) -> None:
        self.reasons = tuple(reasons)
        self.figures = dict(figures or {})
        super().__init__("; ".join(self.reasons))


class IdempotencyKeyReused(Refused):
    code = "idempotency-key-reused"
    title = "The Idempotency-Key belongs to another request"


class LockTimeout(PlatformError):
    code = "lock-timeout"
    title = "Another change is in progress; try again"
    status = HTTPStatus.SERVICE_UNAVAILABLE
