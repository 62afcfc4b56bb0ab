"""Rows of the running system: what-if, the newest report, a change under load until its margin is read."""

import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

from accounts.models import Account
from margin.assembly import shard_book
from margin.engine.simulation import margin_report
from margin.parameter_files import shipped_library
from margin.services.margining import account_input, margining
from margin.services.reading import account_inputs
from pmplatform.benchmark.client import Client, RequestFailed, token
from pmplatform.benchmark.load import Answer, Line, Site, Tally, load
from pmplatform.benchmark.market import AS_OF, market_document
from pmplatform.benchmark.measures import Goal, Measure, Quantity, Sense, within
from pmplatform.benchmark.running import run_timed
from pmplatform.benchmark.stored import snapshot_next
from pmplatform.benchmark.system import raw_site, whole_system
from pmplatform.benchmark.timing import busy_seconds, quantile, seconds_of

_LEGS: Final = 50
_REQUESTS: Final = 200
_CHANGES_A_SECOND: Final = 200
#: Connections that changes come by.
_LINES: Final = 24
_WARM_UP_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 5.0
#: From one probe to the next: were each followed by another at once, their looks would be half of the load.
_PROBE_SECONDS: Final = 0.1
#: Between two looks at a margin that is awaited, and at least a tenth of the time that it has been: looks are
#: requests, too, and a system at its limit would be pushed over it by who waits.
_LOOK_SECONDS: Final = 0.002
_LOOK_PART: Final = 0.1
#: Of the accounts, the first are probed at rest and those up to the second number under load.
_AT_REST: Final = 20
_PROBED: Final = 40


def api_measures(load_seconds: float) -> Iterator[Measure]:
    """Against web server, relay and workers, over the book that is stored; changes come in for so long."""
    secret = token()
    with whole_system() as url, Client(url, secret) as client:
        snapshot_next()
        run_timed()
        yield from _what_if(client)
        yield _latest_report(client, secret)
        yield from _changes(url, secret, load_seconds)


def _book() -> dict[str, Any]:
    """A self-contained document of an account with 50 legs, its market no larger than what it holds."""
    market = market_document()
    options = [row for row in market["instruments"] if row["underlying"] == "BTC"][::14][:_LEGS]
    positions = [
        {"instrument": row["id"], "quantity": (-1) ** i * (i % 7 + 1), "entry_price": row["mark"] or 0.0001}
        for i, row in enumerate(options)
    ]
    return {
        "as_of": AS_OF.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "methodology": "okx-2025",
        "parameters": None,
        "market": {**market, "instruments": options},
        "account": {"id": "what-if", "balances": {"USDT": 1_000_000}, "positions": positions},
    }


def _what_if(client: Client) -> Iterator[Measure]:
    document, library = _book(), shipped_library()
    desk = margining(methodology="okx-2025")
    largest = _account_with_legs()
    rows = [account_input(largest).to_rows()]
    idle = Quantity(_median_ms(lambda: client.get("/market/state")), "ms", "GET of the market's state")
    held = len(rows[0].positions)
    yield within(
        f"what-if of {held} legs in process, on a snapshot, p50",
        Quantity(_median_ms(lambda: desk.margin_book(shard_book(rows, desk.rows))), "ms"),
        1.0,
        None,
        "rows to book to margin, risk arrays in memory",
    )
    yield within(
        f"what-if of {_LEGS} legs as a self-contained document, p50",
        Quantity(_median_ms(lambda: margin_report(document, library)), "ms"),
        2.5,
        None,
    )
    yield within(
        f"what-if of {_LEGS} legs through the API, p50",
        Quantity(_median_ms(lambda: client.post("/simulations", document)), "ms"),
        8.0,
        idle,
    )


def _account_with_legs() -> int:
    """The first account that holds about as many legs."""
    for pk in Account.objects.order_by("pk").values_list("pk", flat=True)[:5_000].iterator():
        [account] = account_inputs([pk])
        if _LEGS <= len(account.positions) <= _LEGS + 10:
            return account.id
    return pk


def _median_ms(call: Callable[[], object]) -> float:
    call()
    return 1e3 * median(seconds_of(call) for _ in range(_REQUESTS))


def _latest_report(client: Client, secret: str) -> Measure:
    path = f"/accounts/{_account_with_legs()}/margin"
    with tempfile.TemporaryDirectory(prefix="pm-benchmark-") as directory:
        file = Path(directory) / "report.json"
        file.write_bytes(client.get(path))
        with raw_site(file) as url, Client(url, secret) as raw:
            timed = [
                (seconds_of(lambda: client.get(path)), seconds_of(lambda: raw.get("/raw")))
                for _ in range(_REQUESTS)
            ]
        size = file.stat().st_size
    ours, raws = (median(column) for column in zip(*timed, strict=True))
    return Measure(
        f"newest margin report ({size / 1024:.0f} KiB) through the API",
        Quantity(1 / ours, "requests/s"),
        Quantity(1 / raws, "requests/s", "a view that returns the same bytes"),
        raws / ours,
        Goal(Sense.AT_LEAST, 0.6),
        "one connection; both with token, scope and rate limit",
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """Seconds from change to margin on an idle system and under load, and the changes a second reached.

    `busy` is the share of the machine's processors that was at work under load.
    """

    idle: list[float]
    loaded: list[float]
    rate: float
    busy: float


def _changes(url: str, secret: str, load_seconds: float) -> Iterator[Measure]:
    accounts = list(Account.objects.order_by("pk").values_list("pk", flat=True)[:2_000])
    found = asyncio.run(_until_readable_each(Site.of(url, secret), accounts, load_seconds))
    note = (
        f"{found.rate:.0f} changes/s reached, with {found.busy:.0%} of all processors at work, for the load "
        f"as well, so that changes queue; {len(found.loaded)} probes; from sending the change"
    )
    resting = Quantity(1e3 * median(found.idle), "ms", "idle system, p50")
    for name, part, limit in (("p50", 0.5, 25.0), ("p99", 0.99, 100.0)):
        figure = Quantity(1e3 * quantile(found.loaded, part), "ms")
        goal = f"change to its margin in the API under {_CHANGES_A_SECOND} changes/s, {name}"
        yield within(goal, figure, limit, resting, note)


async def _until_readable_each(site: Site, accounts: list[int], load_seconds: float) -> _Found:
    """Probe some accounts at rest, and others while the rest of them change."""
    tally = Tally()
    async with AsyncExitStack() as stack:
        probe, *lines = [await stack.enter_async_context(site.line()) for _ in range(1 + _LINES)]
        idle = [await _until_readable(site, probe, pk) for pk in accounts[:_AT_REST]]
        changes = (
            site.post(f"/accounts/{pk}/fills", _fill(pk)) for pk in itertools.cycle(accounts[_PROBED:])
        )
        loading = asyncio.create_task(load(lines, changes, _CHANGES_A_SECOND, tally))
        await asyncio.sleep(_WARM_UP_SECONDS)
        started, busy = time.perf_counter(), busy_seconds()
        loaded: list[float] = []
        while (spent := time.perf_counter() - started) < load_seconds:
            pk = accounts[_AT_REST + len(loaded) % (_PROBED - _AT_REST)]
            loaded.append(await _until_readable(site, probe, pk))
            await asyncio.sleep(_PROBE_SECONDS - (time.perf_counter() - started - spent))
        ended = time.perf_counter()
        rate = tally.rate(started, ended)
        share = (busy_seconds() - busy) / (ended - started) / (os.cpu_count() or 1)
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await loading
    return _Found(idle, loaded, rate, share)


async def _until_readable(site: Site, line: Line, account: int) -> float:
    """Seconds from sending a change to reading a margin of it; a bound where it takes too long."""
    path = f"/accounts/{account}/margin"
    before = _inputs(await line.ask(site.get(path)))
    change = site.post(f"/accounts/{account}/fills", _fill(account))
    started = time.perf_counter()
    if (answer := await line.ask(change)).status != HTTPStatus.CREATED:
        raise RequestFailed(f"{path}: {answer.status} {answer.body[:500].decode()}")
    while (spent := time.perf_counter() - started) < _PATIENCE_SECONDS:
        if _inputs(await line.ask(site.get(path))) != before:
            break
        await asyncio.sleep(max(_LOOK_SECONDS, _LOOK_PART * spent))
    return time.perf_counter() - started


def _inputs(answer: Answer) -> str:
    """The hash of the inputs of a report."""
    return str(msgspec.json.decode(answer.body)["input_sha256"])


def _fill(number: int) -> dict[str, Any]:
    side = "buy" if number % 2 else "sell"
    trade = {"instrument": "BTC-USDT-SWAP", "side": side, "quantity": "1", "price": "100000"}
    return {**trade, "fee": "0", "fee_currency": "USDT"}
