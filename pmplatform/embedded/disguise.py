"""PostgreSQL refuses to run as root: how it runs when we are root."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pmplatform.embedded.binaries import postgres_program

NOBODY = 65_534
# In a user namespace of its own the server sees another user, while every file stays ours.
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
# Changing the user makes the kernel forget the signal of the supervisor's death; it has to be asked again.
OTHER_USER = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=INT")


@dataclass(frozen=True)
class Disguise:
    """A command prefix that sheds root, and the user who must own the files under it, if not ourselves."""

    prefix: tuple[str, ...] = ()
    owner: int | None = None

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line of a program of PostgreSQL."""
        return [*self.prefix, str(postgres_program(program)), *arguments]

    def entrust(self, *paths: Path) -> None:
        """Hand files over to the server's user, who must also be able to reach them."""
        if self.owner is None:
            return
        for path in paths:
            os.chown(path, self.owner, self.owner)
            path.parent.chmod(path.parent.stat().st_mode | 0o011)


def current_disguise() -> Disguise:
    """None for an ordinary user; for root a namespace where the kernel allows it, else the user `nobody`."""
    if os.geteuid() != 0:
        return Disguise()
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0:
        return Disguise(NAMESPACE)
    return Disguise(OTHER_USER, NOBODY)
