"""The run of accounts that have changed: what it goes by, read at one look, and written by one statement.

Such a run is of a few accounts and there are many of them, so that what it costs whatever its size decides
how many changes a second can be margined. Django's own statements took nine tenths of that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from psycopg.types.json import Jsonb

from margin import selectors
from margin.choices import PartKind, PartState, RunReason, RunState
from margin.codec import content_key, encode_book
from margin.engine.book import Book
from margin.engine.results import ShardMargin
from margin.lifecycle import PUBLISHED
from margin.models import MarginRun, MarginRunPart, MarketSnapshot
from margin.services.results import ShardResults, shard_results
from margin.services.standard import standard_beside
from pmplatform.common.columns import plain_row
from pmplatform.common.locking import IDLE_LIMIT_SECONDS

# As `selectors.run_with_arrays`, `results_standing` and, of every methodology, `parameters_in_force` have it.
_BASE: Final = """
    SELECT base.snapshot_id, base.standard_parameters_id,
        coalesce((SELECT max(id) FROM accounts_ledgerentry), 0),
        ARRAY(
            SELECT account.id FROM accounts_account AS account
            WHERE account.id = ANY(ARRAY(SELECT unnest(%(accounts)s::bigint[]))) AND EXISTS (
                SELECT FROM margin_marginresult AS result
                JOIN margin_marginrun AS run ON run.id = result.run_id
                WHERE result.account_id = account.id AND result.ledger_position >= account.ledger_position
                    AND result.snapshot_id >= base.snapshot_id
                    AND run.state = %(completed)s AND run.reason <> %(impact)s
            )
        ),
        (
            SELECT json_object_agg(methodology, id)::text FROM (
                SELECT DISTINCT ON (version.methodology) version.methodology, version.id
                FROM margin_parameterversion AS version, margin_marketsnapshot AS snapshot
                WHERE snapshot.sequence = base.snapshot_id AND version.effective_from <= snapshot.as_of
                    AND version.state = ANY(%(published)s)
                ORDER BY version.methodology, version.effective_from DESC
            ) AS in_force
        )
    FROM (
        SELECT snapshot_id, standard_parameters_id FROM margin_marginrun
        WHERE state = ANY(%(stressed)s) AND reason NOT IN ('impact', 'change')
        ORDER BY snapshot_id DESC, id DESC LIMIT 1
    ) AS base
"""
# Who stops within the transaction loses it soon, as after `transaction_idle_limit`.
_INSERT: Final = """
    WITH run AS (
        INSERT INTO margin_marginrun (snapshot_id, standard_parameters_id, engine, ledger_position, reason,
            state, accounts, blocked, created_at, finished_at, result_sha256, failure)
        SELECT %(snapshot)s, %(standard)s, %(engine)s, %(position)s, %(reason)s,
            %(state)s, %(total)s, %(blocked)s, %(now)s, %(now)s, %(sha256)s, ''
        FROM (SELECT set_config('idle_in_transaction_session_timeout', %(idle)s, true)) AS limited
        RETURNING id
    ), shard AS (
        SELECT * FROM unnest(
            %(names)s::text[], %(versions)s::bigint[], %(keys)s::text[], %(contents)s::bytea[],
            %(accounts)s::integer[], %(hashes)s::text[]
        ) AS shard (name, version, key, content, accounts, sha256)
    ), stored AS (
        INSERT INTO margin_blob (key, content, last_used_at) SELECT key, content, %(now)s FROM shard
        ON CONFLICT (key) DO UPDATE SET last_used_at = excluded.last_used_at
    ), part AS (
        INSERT INTO margin_marginrunpart (run_id, kind, name, parameters_id, input_key, accounts, state,
            attempts, fence, started_at, finished_at, result_sha256, failure)
        SELECT run.id, %(kind)s, shard.name, shard.version, shard.key, shard.accounts, %(done)s,
            1, 0, %(now)s, %(now)s, shard.sha256, ''
        FROM run, shard
        RETURNING id, name
    )
    SELECT run.id, (SELECT json_object_agg(name, id)::text FROM part) FROM run
"""


@dataclass(frozen=True, eq=False)
class ChangeBase:
    """What changed accounts are margined by.

    Attributes
    ----------
    snapshot : the newest of which every risk array is stored, without its market.
    standard : version of `standard` beside which accounts are shown.
    ledger_position : end of the ledger, no later than what is read of any account from now on.
    covered : of the accounts asked about, those whose newest result shows them as they are.
    versions : parameter version in force at the snapshot, by methodology.
    """

    snapshot: MarketSnapshot
    standard: int | None
    ledger_position: int
    covered: frozenset[int]
    versions: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class ChangedShard:
    """Changed accounts of one methodology, margined: their part of the run, its inputs and its results."""

    part: MarginRunPart
    content: bytes
    results: ShardResults


def change_base(*, account_ids: Sequence[int]) -> ChangeBase | None:
    """What these accounts are to be margined by now; None before the first run has its arrays."""
    row = plain_row(
        query=_BASE,
        parameters={
            "accounts": list(account_ids),
            "completed": RunState.COMPLETED.value,
            "impact": RunReason.IMPACT.value,
            "published": [state.value for state in PUBLISHED],
            "stressed": [RunState.MARGIN.value, RunState.COMPLETED.value],
        },
    )
    if row is None:
        return None
    snapshot, standard, position, covered, versions = row
    return ChangeBase(
        snapshot=selectors.snapshot_label(snapshot),
        standard=standard,
        ledger_position=position,
        covered=frozenset(covered),
        versions=msgspec.json.decode(versions, type=dict[str, int]) if versions else {},
    )


def changed_shard(
    *, run: MarginRun, name: str, version: int, book: Book, margin: ShardMargin, positions: Sequence[int]
) -> ChangedShard:
    """What is to be written of accounts that were margined, for a run that is not written yet."""
    content = encode_book(book, positions)
    part = MarginRunPart(
        run=run,
        kind=PartKind.MARGIN,
        name=name,
        parameters_id=version,
        input_key=content_key(content),
        accounts=len(positions),
        state=PartState.DONE,
        attempts=1,
        started_at=run.created_at,
        finished_at=run.finished_at,
    )
    results = shard_results(
        part=part,
        parameters=selectors.parameters_read(version),
        book=book,
        shard=margin,
        standard=standard_beside(run=run, version=version, book=book, shard=margin),
        positions=positions,
    )
    part.result_sha256 = results.sha256
    return ChangedShard(part, content, results)


def run_insert(*, run: MarginRun, shards: Sequence[ChangedShard]) -> None:
    """Write a completed run with its parts and their inputs, inside the caller's transaction."""
    parts = [shard.part for shard in shards]
    row = plain_row(
        query=_INSERT,
        parameters={
            "snapshot": run.snapshot_id,
            "standard": run.standard_parameters_id,
            "engine": run.engine,
            "position": run.ledger_position,
            "reason": run.reason,
            "state": run.state,
            "total": run.accounts,
            "blocked": Jsonb(run.blocked),
            "now": run.created_at,
            "sha256": run.result_sha256,
            "idle": f"{IDLE_LIMIT_SECONDS}s",
            "names": [part.name for part in parts],
            "versions": [part.parameters_id for part in parts],
            "keys": [part.input_key for part in parts],
            "contents": [shard.content for shard in shards],
            "accounts": [part.accounts for part in parts],
            "hashes": [part.result_sha256 for part in parts],
            "kind": PartKind.MARGIN.value,
            "done": PartState.DONE.value,
        },
    )
    assert row is not None
    run.pk, ids = row[0], msgspec.json.decode(row[1] or "{}", type=dict[str, int])
    for part in parts:
        part.pk, part.run = ids[part.name], run
