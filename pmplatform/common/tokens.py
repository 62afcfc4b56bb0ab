"""Bearer tokens ``pm_<id>.<secret>``: made once, shown once, kept as a keyed digest."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

_FORMAT = re.compile(r"pm_([0-9a-f]{16})\.([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    """What a principal may do; routes name the scope they need by HTTP method."""

    READ = "read"
    TRADE = "trade"
    RISK = "risk"
    PARAMETERS = "parameters"
    LIQUIDATION = "liquidation"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(scope.value, scope.value) for scope in cls]


@dataclass(frozen=True, slots=True)
class TokenParts:
    """A well-formed token taken apart; whether it is genuine only its stored digest can say."""

    public_id: str
    secret: str

    @property
    def text(self) -> str:
        return f"pm_{self.public_id}.{self.secret}"

    @property
    def digest(self) -> str:
        """HMAC-SHA256 of the whole token under the server's pepper, in hex."""
        return self._digest_under(peppers()[0])

    def matches(self, digest: str) -> bool:
        """Compare with a stored digest in constant time; in a rotation the pepper before is good as well."""
        matching = [hmac.compare_digest(self._digest_under(pepper), digest) for pepper in peppers()]
        return any(matching)

    def _digest_under(self, pepper: str) -> str:
        return hmac.new(pepper.encode(), self.text.encode(), hashlib.sha256).hexdigest()


def peppers() -> list[str]:
    """The server's pepper and, while it is being rotated, the one before."""
    previous = settings.PM_TOKEN_PEPPER_PREVIOUS
    return [settings.PM_TOKEN_PEPPER, *([previous] if previous else [])]


def token_generate() -> TokenParts:
    """Make a token of 256 secret bits with a public id of its own."""
    return TokenParts(public_id=secrets.token_hex(8), secret=secrets.token_urlsafe(32))


def token_parse(text: str) -> TokenParts | None:
    """Take a token apart; None when it does not have the form of one."""
    match = _FORMAT.fullmatch(text)
    return TokenParts(match[1], match[2]) if match else None
