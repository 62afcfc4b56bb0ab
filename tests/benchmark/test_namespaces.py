"""A worker on another host: what it reaches of the benchmark's servers, and that nobody else does."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

_CONNECT: Final = """
import sys, psycopg
from redis import Redis
assert Redis.from_url(sys.argv[2]).ping()
with psycopg.connect(sys.argv[1], connect_timeout=5) as database:
    print(database.execute("SELECT host(inet_client_addr())").fetchone()[0])
"""
#: Enters the namespaces, and so is a process of its own.
_BENCHMARK: Final = """
import json, subprocess, sys
from pathlib import Path
from pmplatform.benchmark.namespaces import Network, network_enter
from pmplatform.embedded.servers import embedded_servers

network = network_enter()
assert Network.of(network.as_environment()) == network
reached = []
if network.second:
    with embedded_servers(Path(sys.argv[1]), durable=False, environ={}, address=network.address) as servers:
        for host in (network.address, "127.0.0.1"):
            urls = [url.replace("127.0.0.1", host) for url in (servers.database_url, servers.redis_url)]
            command = network.in_second([sys.executable, "-c", sys.argv[2], *urls])
            outcome = subprocess.run(command, capture_output=True, text=True)
            reached.append(outcome.stdout.strip() if outcome.returncode == 0 else "")
print(json.dumps([reached, network.refusal]))
"""


def test_servers_are_reached_from_the_second_namespace_by_their_private_address_only(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", _BENCHMARK, str(tmp_path), _CONNECT],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    reached, refusal = json.loads(outcome.stdout)
    allowed = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0
    if allowed and shutil.which("ip"):
        assert (reached, refusal) == (["10.213.0.2", ""], "")
    else:
        assert (reached, bool(refusal)) == ([], True)
