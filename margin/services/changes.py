"""Margin of accounts that have changed, at once, from the newest risk arrays that are complete."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts import selectors as accounts
from margin import selectors
from margin.assembly import AccountInput, account_faults, shard_book
from margin.choices import RunReason, RunState
from margin.engine.book import Book
from margin.engine.errors import NonFiniteError
from margin.engine.hashing import sha256_of
from margin.engine.report import ENGINE_VERSION
from margin.engine.results import ShardMargin
from margin.models import MarginRun
from margin.services.change_runs import ChangeBase, ChangedShard, change_base, changed_shard, run_insert
from margin.services.cutting import parameters_lacking
from margin.services.margining import Margining, margining_by
from margin.services.reading import account_inputs
from margin.services.results import results_write
from margin.services.telling import closing_events
from pmplatform.common.events import events_append

#: Accounts that one task margins: what is done well within its time, however many have changed.
BATCH: Final = 500


@dataclass(frozen=True, eq=False)
class _Margined:
    """Changed accounts of one methodology, margined by a version of its parameters."""

    version: int
    inputs: Sequence[AccountInput]
    book: Book
    margin: ShardMargin


@dataclass(frozen=True)
class _Outcome:
    """What came of margining changed accounts: their margin, and why one is left out, by its id."""

    margined: list[_Margined] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)


def accounts_remargin(*, account_ids: Sequence[int]) -> int:
    """Margin accounts as they stand now; returns how many results were written.

    One whose newest state is margined at these arrays already is passed over, so that a second message of
    the same change, or the last of many, costs one look. What is written names the ledger position that it
    is of, and can be read only where nothing newer was written meanwhile. Without any complete arrays
    nothing is done: the run that completes them margins every account.
    """
    base = change_base(account_ids=account_ids)
    if base is None:
        return 0
    # Read after the ledger's end: who is left out, and changes in between, is looked at once more.
    outcome = _margined(account_inputs([pk for pk in account_ids if pk not in base.covered]), base)
    if outcome.margined or outcome.blocked:
        _write(outcome, base)
    return sum(len(group.inputs) for group in outcome.margined)


def _margined(inputs: Sequence[AccountInput], base: ChangeBase) -> _Outcome:
    """Margin accounts, each methodology's together; what is wrong with one is its reason and stops nobody."""
    outcome, groups = _Outcome(), defaultdict(list)
    for account in inputs:
        groups[account.methodology].append(account)
    for name, group in sorted(groups.items()):
        version = base.versions.get(name)
        reason = parameters_lacking(name, version)
        if version is None or reason:
            outcome.blocked.update({str(account.id): reason for account in group})
        else:
            desk = margining_by(snapshot=base.snapshot.pk, version=version)
            _margin_group(outcome, version, _without_faults(outcome, desk, group), desk)
    return outcome


def _without_faults(outcome: _Outcome, desk: Margining, group: Sequence[AccountInput]) -> list[AccountInput]:
    taken = []
    for account in group:
        if faults := account_faults(account.to_rows(), desk.rows, desk.parameters):
            outcome.blocked[str(account.id)] = "; ".join(map(str, faults))
        else:
            taken.append(account)
    return taken


def _margin_group(outcome: _Outcome, version: int, group: Sequence[AccountInput], desk: Margining) -> None:
    """Margin a group at once or, where a figure leaves the finite numbers, each account by itself."""
    if not group:
        return
    book = shard_book([account.to_rows() for account in group], desk.rows)
    try:
        outcome.margined.append(_Margined(version, group, book, desk.margin_book(book)))
    except NonFiniteError as error:
        if len(group) == 1:
            outcome.blocked[str(group[0].id)] = str(error)
        else:
            for account in group:
                _margin_group(outcome, version, [account], desk)


def _write(outcome: _Outcome, base: ChangeBase) -> None:
    """Append a run of its own that names the inputs, so that its results are explained as any other's.

    All that can be known before is: the transaction only writes.
    """
    now = timezone.now()
    run = MarginRun(
        snapshot=base.snapshot,
        standard_parameters_id=base.standard,
        engine=ENGINE_VERSION,
        ledger_position=base.ledger_position,
        reason=RunReason.CHANGE,
        state=RunState.COMPLETED,
        accounts=sum(len(group.inputs) for group in outcome.margined),
        blocked=outcome.blocked,
        created_at=now,
        finished_at=now,
    )
    shards = [_shard(run, number, group) for number, group in enumerate(outcome.margined)]
    named = sorted((shard.part.name, shard.part.result_sha256) for shard in shards)
    run.result_sha256 = sha256_of(named)
    with transaction.atomic():
        run_insert(run=run, shards=shards)
        for shard in shards:
            results_write(results=shard.results)
        events_append(events=closing_events(run), now=now)


def _shard(run: MarginRun, number: int, group: _Margined) -> ChangedShard:
    return changed_shard(
        run=run,
        name=f"{selectors.parameters_read(group.version).header.methodology}/{number:04d}",
        version=group.version,
        book=group.book,
        margin=group.margin,
        positions=[account.ledger_position for account in group.inputs],
    )


def accounts_behind() -> list[int]:
    """Accounts whose newest result does not show them as they are at the newest completed run's market.

    They have changed since they were read for it, or were opened, and their message is lost or under way.
    Those that could not be margined as they are stay out: only a change, or another market, helps them.
    """
    run = selectors.run_latest_completed()
    if run is None:
        return []
    standing = set(selectors.account_ids_standing(run.snapshot_id))
    everybody = accounts.account_ids_by_methodology().values()
    behind = sorted(pk for ids in everybody for pk in ids if pk not in standing)
    refused = selectors.blocked_positions(run.snapshot_id)
    positions = accounts.ledger_positions(refused.keys())
    return [pk for pk in behind if pk not in refused or positions[pk] > refused[pk]]
