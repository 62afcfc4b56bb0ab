"""A process that starts private servers, reports them and waits: what `make demo` is to the servers.

`python launcher.py DATA_DIRECTORY` prints one line of JSON: the URLs.
"""

import json
import sys
from pathlib import Path

from pmplatform.embedded.servers import embedded_servers


def main(data_dir: Path) -> None:
    """Run until standard input ends."""
    with embedded_servers(data_dir, durable=True, environ={}) as servers:
        sys.stdout.write(json.dumps(servers.as_environment()) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
