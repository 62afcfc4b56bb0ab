"""Typed reading of the process environment, the only source of configuration.

A value may stand in `NAME` or in a file named by `NAME_FILE`. A missing value is an error when it is
first used, so that commands which need neither a database nor a secret run in an empty environment.
A variable with our prefix that nobody reads is an error at once: it is a misspelt setting.
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import lazy

PREFIX = "PM_"
FILE_SUFFIX = "_FILE"
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})
DATABASE_SCHEMES = frozenset({"postgres", "postgresql"})
# What a connection asks a sixth time is planned once: of the statements that the server binds, as plain ones
# are, half of the time goes into planning. A pooler between must keep a session's statements.
_OPTIONS: Mapping[str, object] = {"connect_timeout": "5", "prepare_threshold": 5}
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def text(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The value of `name`, or the content of the file that `name`_FILE names, or None.

    Raises ImproperlyConfigured when both are set or the file cannot be read.
    """
    value, path = environ.get(name), environ.get(name + FILE_SUFFIX)
    if not path:
        return value or None
    if value:
        raise ImproperlyConfigured(f"Set either {name} or {name}{FILE_SUFFIX}, not both.")
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except OSError as error:
        raise ImproperlyConfigured(f"{name}{FILE_SUFFIX} cannot be read: {error}") from error


def required(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """The value of `name`; when there is none, a string that raises ImproperlyConfigured once it is used."""

    def fail() -> str:
        raise ImproperlyConfigured(f"{name} is not set; set it or {name}{FILE_SUFFIX}.")

    return text(name, environ) or lazy(fail, str)()


def flag(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """A yes-or-no variable, false when absent. Raises ImproperlyConfigured for any other word."""
    word = environ.get(name, "").lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise ImproperlyConfigured(f"{name} must be true or false, not {word!r}.")
    return word in TRUE_WORDS


def seconds(name: str, environ: Mapping[str, str] = os.environ, *, default: int) -> timedelta:
    """A positive whole number of seconds. Raises ImproperlyConfigured for anything else."""
    word = environ.get(name) or str(default)
    if not word.isdecimal() or int(word) == 0:
        raise ImproperlyConfigured(f"{name} must be a positive number of seconds, not {word!r}.")
    return timedelta(seconds=int(word))


def whole(name: str, environ: Mapping[str, str] = os.environ, *, default: int, at_least: int = 0) -> int:
    """A whole number from `at_least` on. Raises ImproperlyConfigured for anything else."""
    word = environ.get(name) or str(default)
    if not word.isdecimal() or int(word) < at_least:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {at_least}, not {word!r}.")
    return int(word)


def number(name: str, environ: Mapping[str, str] = os.environ, *, default: float) -> float:
    """A positive decimal number (`2`, `0.1`). Raises ImproperlyConfigured for anything else."""
    word = environ.get(name) or str(default)
    if not _DECIMAL.fullmatch(word) or float(word) == 0.0:
        raise ImproperlyConfigured(f"{name} must be a positive number, not {word!r}.")
    return float(word)


def words(name: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """A comma-separated variable as a list, empty when absent."""
    return [word.strip() for word in environ.get(name, "").split(",") if word.strip()]


def refuse_unknown(known: frozenset[str], environ: Mapping[str, str] = os.environ) -> None:
    """Raise ImproperlyConfigured naming every variable with our prefix that is not in `known`."""
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise ImproperlyConfigured(f"Unknown environment variable: {', '.join(unknown)}.")


def database(url: str | None) -> dict[str, object]:
    """Django's settings for a PostgreSQL URL; without one, settings that raise on first use.

    The URL's query goes to the driver (`?sslmode=verify-full`). Raises ImproperlyConfigured for another
    scheme or a URL without a database name.
    """
    engine: dict[str, object] = {"ENGINE": "pmplatform.postgresql"}
    if url is None:
        return engine | {"NAME": required("DATABASE_URL", {})}
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in DATABASE_SCHEMES or not name:
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:port/name.")
    return engine | {
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {**_OPTIONS} | dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))),
    }
