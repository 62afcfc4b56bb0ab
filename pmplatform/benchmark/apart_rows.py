"""Rows of workers that share no directory and, where the machine allows it, no network namespace."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from django.db import connection

from pmplatform.benchmark.measures import Measure, Quantity, at_most
from pmplatform.benchmark.namespaces import Network
from pmplatform.benchmark.running import RunFailed, Timed, run_timed
from pmplatform.benchmark.system import WORKERS, together, workers

_MOST: Final = 1.3
#: Where the sessions come from that margined the shards of a run.
_SHARDS_BY_ADDRESS: Final = """
    SELECT host(client_addr), count(*)
    FROM margin_marginrunpart JOIN pg_stat_activity ON pid = holder_pid
    WHERE run_id = ANY(%s) AND kind = 'margin' GROUP BY 1 ORDER BY 1
"""


def apart_measures(accounts: int, beside: Sequence[Timed]) -> Iterator[Measure]:
    """Two workers of one process each, as on two hosts, against `beside`: runs by two of one host."""
    network = Network.of()
    with _apart():
        runs = [run_timed() for _ in beside]
    note = "shards and arrays come from PostgreSQL; the same result hash"
    if not network.second:
        note += f"; this machine has no network namespaces for us: {network.refusal}"
    yield _row(
        f"run of {accounts:,} accounts by {WORKERS} workers that share no directory", runs, beside, note
    )
    if network.second:
        with _apart(network):
            runs = [run_timed() for _ in beside]
            note = f"shards margined {_shares(runs)}; the same result hash"
        yield _row("the same, one of them in another network namespace, over a veth pair", runs, beside, note)


def _row(name: str, runs: Sequence[Timed], beside: Sequence[Timed], note: str) -> Measure:
    if len({timed.run.result_sha256 for timed in (*beside, *runs)}) != 1:
        raise RunFailed(f"another result hash: {name}")
    return at_most(
        name,
        Quantity(median(timed.seconds for timed in runs), "s"),
        Quantity(median(timed.seconds for timed in beside), "s", "sharing one"),
        _MOST,
        note,
    )


@contextmanager
def _apart(network: Network | None = None) -> Iterator[None]:
    """Workers with a data directory each; the last of them in the second namespace of a network."""
    places = [network] * WORKERS if network is None else [*[None] * (WORKERS - 1), network]
    with ExitStack() as stack:
        directories = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pm-apart-"))) for _ in places
        ]
        stack.enter_context(
            together(
                *(
                    workers(processes=1, data_dir=directory, network=place)
                    for directory, place in zip(directories, places, strict=True)
                )
            )
        )
        yield


def _shares(runs: Sequence[Timed]) -> str:
    """How many shards of the runs were margined from which address."""
    with connection.cursor() as cursor:
        cursor.execute(_SHARDS_BY_ADDRESS, [[timed.run.pk for timed in runs]])
        return ", ".join(f"from {address}: {count}" for address, count in cursor.fetchall())
