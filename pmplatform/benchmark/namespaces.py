"""Two network namespaces joined by a cable: what is measured is in the first, a worker may be in the second.

No name of them is written anywhere: they end, with the cable, when the processes do that are in them.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final, Self

_NEW_NETWORK: Final = 0x4000_0000
_OURS: Final = "/proc/thread-self/ns/net"
_PROGRAMS: Final = ("ip", "nsenter")
_FIRST: Final = "10.213.0.1"
_SECOND: Final = "10.213.0.2"
_VARIABLE: Final = "BENCHMARK_NETWORK_"


class NamespacesRefused(RuntimeError):
    """The machine allows no network namespaces; the message says why."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where this process is.

    Attributes
    ----------
    address : of the first namespace, seen from both; empty without namespaces.
    second : path by which a process enters the second namespace.
    refusal : why there are no namespaces.
    """

    address: str = ""
    second: str = ""
    refusal: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """As the process that started this one has passed it on."""
        return cls(**{name: environ.get(_VARIABLE + name.upper(), "") for name in cls.__slots__})

    def as_environment(self) -> dict[str, str]:
        """The variables by which `of` finds it again."""
        return {_VARIABLE + name.upper(): value for name, value in asdict(self).items()}

    def in_second(self, command: Sequence[str]) -> list[str]:
        """A command line that runs in the second namespace."""
        return ["nsenter", f"--net={self.second}", *command]


def network_enter() -> Network:
    """Move this thread, and what it will start, into the first of two new namespaces, where it may."""
    before = os.open(_OURS, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
            raise NamespacesRefused(f"no program {' or '.join(missing)}")
        return _two_joined()
    except NamespacesRefused as refusal:
        with suppress(OSError):
            _call("setns", before, _NEW_NETWORK)
        return Network(refusal=str(refusal))
    finally:
        os.close(before)


def _two_joined() -> Network:
    try:
        _call("unshare", _NEW_NETWORK)
        # Stays open until we end, and keeps the namespace as long.
        second = os.open(_OURS, os.O_RDONLY | os.O_CLOEXEC)
        _call("unshare", _NEW_NETWORK)
    except OSError as error:
        raise NamespacesRefused(str(error)) from error
    network = Network(_FIRST, f"/proc/{os.getpid()}/fd/{second}")
    _run(["ip", "link", "add", "pm0", "type", "veth", "peer", "name", "pm1", "netns", network.second])
    for words in (["addr", "add", f"{_FIRST}/30", "dev", "pm0"], *_up("lo", "pm0")):
        _run(["ip", *words])
    for words in (["addr", "add", f"{_SECOND}/30", "dev", "pm1"], *_up("lo", "pm1")):
        _run(network.in_second(["ip", *words]))
    return network


def _up(*links: str) -> list[list[str]]:
    return [["link", "set", link, "up"] for link in links]


def _run(command: Sequence[str]) -> None:
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise NamespacesRefused(outcome.stderr.strip() or " ".join(command))


def _call(name: str, *arguments: int) -> None:
    """A system call by its name in the C library; OSError when it fails."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
