"""Run a command with the servers it needs: `python -m pmplatform.embedded [--data DIR] COMMAND ...`

Without a directory the data are gone afterwards.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pmplatform.embedded.servers import embedded_servers


def main() -> int:
    """The exit status is the command's."""
    parser = argparse.ArgumentParser(prog="python -m pmplatform.embedded", description=__doc__)
    parser.add_argument("--data", type=Path, help="where the servers keep their data")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run")
    arguments = parser.parse_args()
    if not arguments.command:
        parser.error("name a command to run")
    with tempfile.TemporaryDirectory(prefix="pm-") as scratch:
        data_dir, durable = arguments.data or Path(scratch), arguments.data is not None
        with embedded_servers(data_dir, durable=durable) as servers:
            return subprocess.call(arguments.command, env=os.environ | servers.as_environment())


if __name__ == "__main__":
    sys.exit(main())
