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
from margin.choices import PartKind, PartState, RunReason, RunState
from margin.codec import content_key, encode_book
from margin.engine.book import Book
from margin.engine.errors import NonFiniteError
from margin.engine.report import ENGINE_VERSION
from margin.engine.results import ShardMargin
from margin.models import MarginRun, MarginRunPart, MarketSnapshot, ParameterVersion
from margin.services.blobs import blob_store
from margin.services.cutting import parameters_lacking
from margin.services.margining import Margining, margining_by
from margin.services.reading import account_inputs
from margin.services.results import results_write, shard_results
from margin.services.runs import run_close
from margin.services.standard import standard_beside
from pmplatform.common.locking import transaction_idle_limit
from pmplatform.common.transactions import one_view

#: Accounts that one task margins: what is done well within its time, however many have changed.
BATCH: Final = 500


@dataclass(frozen=True, eq=False)
class _Shard:
    """Changed accounts of one methodology, margined."""

    version: ParameterVersion
    inputs: Sequence[AccountInput]
    book: Book
    margin: ShardMargin


@dataclass(frozen=True)
class _Outcome:
    """What came of margining changed accounts: shards, and why an account is left out, by its id."""

    shards: list[_Shard] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)


def accounts_remargin(*, account_ids: Sequence[int]) -> int:
    """Margin accounts as they stand now; returns how many results were written.

    One whose newest state is margined at these arrays already is passed over, so that a second message of
    the same change, or the last of many, costs one look. What is written names the ledger position that it
    is of, and can be read only where nothing newer was written meanwhile. Without any complete arrays
    nothing is done: the run that completes them margins every account.
    """
    with one_view():
        base = selectors.run_with_arrays()
        if base is None:
            return 0
        standing = selectors.results_standing(base.snapshot_id).filter(account__in=account_ids)
        covered = set(standing.values_list("account", flat=True))
        inputs = account_inputs([pk for pk in account_ids if pk not in covered])
        position = accounts.ledger_position()
    outcome = _margined(inputs, base.snapshot)
    if outcome.shards or outcome.blocked:
        _write(outcome, base, position)
    return sum(len(shard.inputs) for shard in outcome.shards)


def _margined(inputs: Sequence[AccountInput], snapshot: MarketSnapshot) -> _Outcome:
    """Margin accounts, each methodology's together; what is wrong with one is its reason and stops nobody."""
    outcome, groups = _Outcome(), defaultdict(list)
    for account in inputs:
        groups[account.methodology].append(account)
    for name, group in sorted(groups.items()):
        version = selectors.parameters_in_force(name, snapshot.as_of)
        reason = parameters_lacking(name, version)
        if version is None or reason:
            outcome.blocked.update({str(account.id): reason for account in group})
        else:
            desk = margining_by(snapshot=snapshot.pk, version=version.pk)
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


def _margin_group(
    outcome: _Outcome, version: ParameterVersion, group: Sequence[AccountInput], desk: Margining
) -> None:
    """Margin a group at once or, where a figure leaves the finite numbers, each account by itself."""
    if not group:
        return
    book = shard_book([account.to_rows() for account in group], desk.rows)
    try:
        outcome.shards.append(_Shard(version, group, book, desk.margin_book(book)))
    except NonFiniteError as error:
        if len(group) == 1:
            outcome.blocked[str(group[0].id)] = str(error)
        else:
            for account in group:
                _margin_group(outcome, version, [account], desk)


@transaction.atomic
def _write(outcome: _Outcome, base: MarginRun, position: int) -> None:
    """Append a run of its own that names the inputs, so that its results are explained as any other's."""
    transaction_idle_limit()
    run = MarginRun.objects.create(
        snapshot=base.snapshot,
        standard_parameters_id=base.standard_parameters_id,
        engine=ENGINE_VERSION,
        ledger_position=position,
        reason=RunReason.CHANGE,
        state=RunState.MARGIN,
        accounts=sum(len(shard.inputs) for shard in outcome.shards),
        blocked=outcome.blocked,
    )
    for number, shard in enumerate(outcome.shards):
        _write_shard(run, number, shard)
    run_close(run)


def _write_shard(run: MarginRun, number: int, shard: _Shard) -> None:
    positions = [account.ledger_position for account in shard.inputs]
    content = encode_book(shard.book, positions)
    key = content_key(content)
    blob_store(key=key, content=content)
    now = timezone.now()
    part = MarginRunPart(
        run=run,
        kind=PartKind.MARGIN,
        name=f"{shard.version.methodology}/{number:04d}",
        parameters=shard.version,
        input_key=key,
        accounts=len(shard.inputs),
        state=PartState.DONE,
        attempts=1,
        started_at=now,
        finished_at=now,
    )
    results = shard_results(
        part=part,
        parameters=selectors.parameters_read(shard.version.pk),
        book=shard.book,
        shard=shard.margin,
        standard=standard_beside(run=run, version=shard.version.pk, book=shard.book, shard=shard.margin),
        positions=positions,
    )
    part.result_sha256 = results.sha256
    part.save()
    results_write(results=results)


def accounts_behind() -> list[int]:
    """Accounts whose newest result does not show them as they are at the newest completed run's market.

    They have changed since they were read for it, or were opened, and their message is lost or under way.
    Those that could not be margined as they are stay out: only a change, or another market, helps them.
    """
    run = selectors.run_latest_completed()
    if run is None:
        return []
    behind = accounts.account_ids_without(selectors.results_standing(run.snapshot_id))
    refused = selectors.blocked_positions(run.snapshot_id)
    positions = accounts.ledger_positions(refused.keys())
    return [pk for pk in behind if pk not in refused or positions[pk] > refused[pk]]
