"""The audit chain: a sealer links what has committed, a verifier proves that nothing of it has changed.

Rows are written without a link, so that writers never wait for each other. A trigger notes them as pending;
within a second or so one sealer, whichever comes first, hashes them into the next link. Whoever changes a
row afterwards, removes one or slips one in has to rewrite every later link, and cannot change a head that
was noted elsewhere.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from psycopg import sql

from pmplatform.common.digest import canonical_sha256
from pmplatform.common.models import AuditPending, AuditSeal

#: Rows that one round seals; a bulk load takes several.
ROUND: Final = 20_000
_LOCK: Final = "audit-chain"
_NOTED: Final = re.compile(r"([0-9]+):([0-9a-f]{64})")
# Null columns are left out, so that a column added later leaves the hashes of older rows as they are.
_DIGEST: Final = """
SELECT count(t.id), encode(sha256(coalesce(string_agg(sha256(convert_to(content, 'UTF8')), ''::bytea
    ORDER BY place), ''::bytea)), 'hex')
FROM unnest(%s::bigint[]) WITH ORDINALITY AS named (id, place)
JOIN {table} AS t ON t.id = named.id
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(key, value)::text AS content FROM jsonb_each(to_jsonb(t)) WHERE value <> 'null'
) AS of_row
"""
_SOURCES: Final = """
SELECT relname, tgenabled = 'O' FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE tgname = relname || '_audited' ORDER BY relname
"""
_UNKNOWN: Final = """
SELECT id FROM {table} EXCEPT SELECT unnest(row_ids) FROM (
    SELECT source, row_ids FROM common_auditseal UNION ALL SELECT source, row_ids FROM common_auditpending
) AS known WHERE source = %s ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link, and how many rows the chain has up to it; zeros for an empty chain."""

    sequence: int = 0
    sha256: str = ""
    rows: int = 0

    def __str__(self) -> str:
        return f"{self.sequence}:{self.sha256}"


@transaction.atomic
def chain_seal(*, now: datetime) -> int:
    """Seal rows that have committed, up to a round of them; returns how many.

    Where another sealer is at work, nothing is done.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    lots = _round()
    by_source: dict[str, list[int]] = defaultdict(list)
    for lot in lots:
        by_source[lot.source].extend(lot.row_ids)
    head = AuditSeal.objects.last()
    for source, row_ids in by_source.items():
        head = _link(head, source, row_ids, now)
    AuditPending.objects.filter(pk__in=[lot.pk for lot in lots]).delete()
    return sum(map(len, by_source.values()))


def _round() -> list[AuditPending]:
    taken: list[AuditPending] = []
    rows = 0
    for lot in AuditPending.objects.all()[:ROUND]:
        if taken and rows + len(lot.row_ids) > ROUND:
            break
        taken.append(lot)
        rows += len(lot.row_ids)
    return taken


def _link(head: AuditSeal | None, source: str, row_ids: Sequence[int], now: datetime) -> AuditSeal:
    _, rows_sha256 = _digest(source, row_ids)
    seal = AuditSeal(
        sequence=head.sequence + 1 if head else 1,
        source=source,
        row_ids=list(row_ids),
        rows_sha256=rows_sha256,
        previous_sha256=head.sha256 if head else "",
        sealed_at=now,
    )
    seal.sha256 = _seal_sha256(seal)
    seal.save(force_insert=True)
    return seal


def _digest(source: str, row_ids: Sequence[int]) -> tuple[int, str]:
    """How many of the rows there are, and the hash over their content in the given order."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(_DIGEST).format(table=sql.Identifier(source)), [list(row_ids)])
        count, sha256 = cursor.fetchone()
    return count, sha256


def _seal_sha256(seal: AuditSeal) -> str:
    return canonical_sha256(
        [seal.sequence, seal.source, seal.row_ids, seal.rows_sha256, seal.previous_sha256, seal.sealed_at]
    )


def chain_unsealed_seconds(*, now: datetime) -> float:
    """For how long the oldest row that is not sealed has waited; 0 without any."""
    oldest = AuditPending.objects.order_by("pk").values_list("created_at", flat=True).first()
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


def chain_head() -> Head:
    """The newest link; note it elsewhere, and `chain_faults` tells whether the chain still has it."""
    newest = AuditSeal.objects.last()
    if newest is None:
        return Head()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(cardinality(row_ids)) FROM common_auditseal")
        [rows] = cursor.fetchone()
    return Head(newest.sequence, newest.sha256, int(rows))


def chain_faults(*, noted: str = "") -> Iterator[str]:
    """Every place where the chain, or a row under it, is not as it was sealed; none if all is well.

    ``noted`` is a head written down earlier. Call it in one REPEATABLE READ transaction to be exact.
    """
    yield from _link_faults()
    yield from _source_faults()
    if noted:
        yield from _noted_faults(noted)


def _link_faults() -> Iterator[str]:
    sequence, sha256 = 0, ""
    for seal in AuditSeal.objects.iterator(chunk_size=100):
        if (seal.sequence, seal.previous_sha256) != (sequence + 1, sha256):
            yield f"seal {seal.sequence} does not follow seal {sequence}"
        if seal.sha256 != _seal_sha256(seal):
            yield f"seal {seal.sequence} has been changed"
        count, rows_sha256 = _digest(seal.source, seal.row_ids)
        if count != len(seal.row_ids):
            yield f"{len(seal.row_ids) - count} rows of {seal.source} under seal {seal.sequence} are gone"
        elif rows_sha256 != seal.rows_sha256:
            yield f"rows of {seal.source} under seal {seal.sequence} have been changed"
        sequence, sha256 = seal.sequence, seal.sha256


def _source_faults() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_SOURCES)
        sources = cursor.fetchall()
        for source, is_watched in sources:
            if not is_watched:
                yield f"the trigger that notes new rows of {source} is off"
            cursor.execute(sql.SQL(_UNKNOWN).format(table=sql.Identifier(source)), [source])
            for (row_id,) in cursor.fetchall():
                yield f"row {row_id} of {source} has been slipped in"


def _noted_faults(noted: str) -> Iterator[str]:
    parts = _NOTED.fullmatch(noted)
    if parts is None:
        yield f"{noted} is no head of a chain"
    elif not AuditSeal.objects.filter(sequence=parts[1], sha256=parts[2]).exists():
        yield f"the noted seal {parts[1]} is not in the chain: it has been rewritten or cut"
