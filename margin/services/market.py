"""Accepting market snapshots and loading parameter histories."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.documents import InstrumentDocument
from accounts.selectors import instrument_terms
from accounts.services.instruments import instruments_upsert
from margin import selectors
from margin.assembly import pack_market
from margin.choices import VersionOrigin, VersionState
from margin.engine.documents.market import PRICE, MarketRows, read_market
from margin.engine.documents.schema import Exact, Faults, MapOf, exact
from margin.engine.hashing import sha256_of
from margin.engine.parameters.library import read_version
from margin.engine.simulation import iso
from margin.guards import market_levels
from margin.market_states import guard_memory
from margin.models import MarketSnapshot, ParameterVersion
from margin.services.guarding import guard_judge, guard_record
from margin.services.versions import CLOCK, version_audit, versions_mirror
from pmplatform.common.audit import audit_append
from pmplatform.common.decimals import amount_fault, decimal_text
from pmplatform.common.locking import turn_take
from pmplatform.common.principals import Actor

#: Whoever publishes a snapshot takes this turn; whoever acts by the newest one may share it.
MARKET_TURN: Final = "market"
_SETTLEMENT = MapOf(Exact(PRICE))


@transaction.atomic
def snapshot_accept(
    *, market: Any, as_of: datetime, source: str, actor: Actor, settlement: Any = None
) -> MarketSnapshot:
    """Store a market object as the newest snapshot and list its instruments, if the guards let it pass.

    ``settlement`` gives the price of the underlying, by instrument, at which expired ones settle. One
    snapshot at a time is judged, each by the one before.

    Raises
    ------
    DocumentError
        With the path of every fault, every instrument in use that it lacks, and that it is older than the
        last.
    ValidationFailed
        When an instrument differs from the one listed under its name.
    """
    turn_take(MARKET_TURN)
    faults = Faults()
    rows = read_market(market, as_of, "market", faults)
    prices = _settlement(settlement, faults)
    last, content = selectors.snapshot_latest(), b"" if rows is None else pack_market(market)
    before = None if last is None else guard_memory(last)
    memory = guard_judge(before=before, as_of=as_of, rows=rows, content=content, faults=faults.found)
    assert rows is not None
    instruments_upsert(instruments=_instruments(rows, market))
    levels = market_levels(rows)
    snapshot = MarketSnapshot.objects.create(
        as_of=as_of,
        source=source,
        sha256=sha256_of(_hashed(market, as_of, prices)),
        instruments=len(rows.instruments),
        content=content,
        settlement=prices,
        unchanged_since=memory.unchanged_since,
        held={name: [jump.before, jump.seen] for name, jump in memory.held.items()},
        carried={name: value for name, value in memory.levels.items() if name not in levels},
    )
    guard_record(before=before, snapshot=snapshot, memory=memory)
    audit_append(
        actor=actor,
        action="snapshot.accept",
        object_type="snapshot",
        object_id=snapshot.pk,
        tenant_id=None,
        after={"as_of": iso(as_of), "source": source, "sha256": snapshot.sha256},
    )
    return snapshot


def _settlement(value: Any, faults: Faults) -> dict[str, str]:
    """The settlement prices of a snapshot as decimal text."""
    prices = {} if value is None else _SETTLEMENT.read(value, "settlement", faults) or {}
    texts = {}
    for name, price in prices.items():
        # What is no price at all is a fault already.
        if price is not None and (fault := amount_fault(price)):
            faults.add(f"settlement.{name}", fault)
        elif price is not None:
            texts[name] = decimal_text(price)
    for name in sorted(texts.keys() - instrument_terms(codes=texts).keys()):
        faults.add(f"settlement.{name}", "is not an instrument")
    return texts


def _hashed(market: Any, as_of: datetime, settlement: dict[str, str]) -> dict[str, Any]:
    content = {"as_of": iso(as_of), "market": market}
    return {**content, "settlement": settlement} if settlement else content


def _instruments(rows: MarketRows, market: Any) -> list[InstrumentDocument]:
    """What identifies each instrument, without its prices; decimals exactly as the document wrote them."""
    return [
        InstrumentDocument(
            id=row.id,
            kind=row.kind.value,
            underlying=row.underlying,
            settle=row.settle,
            contract_size=exact(raw.get("contract_size", 1)) or Decimal(1),
            style=row.style.value if row.style else None,
            expiry=row.expiry,
            strike=exact(raw.get("strike")),
            option_type=row.option_type.value if row.option_type else None,
        )
        for row, raw in zip(rows.instruments, market.get("instruments", ()), strict=True)
    ]


@transaction.atomic
def parameters_load_initial(*, documents: Iterable[Any]) -> int:
    """Load the histories of methodologies that have no version yet; returns how many were written.

    They need no approver, and are active or superseded at once, as the clock says.

    Raises
    ------
    DocumentError
        With every fault of the first bad version, its path beginning `versions[i]`.
    """
    known = set(ParameterVersion.objects.values_list("methodology", flat=True).distinct())
    rows = []
    for document in documents:
        for i, version in enumerate(document["versions"]):
            header = read_version(version, f"versions[{i}]").header
            if header.methodology in known:
                continue
            rows.append(
                ParameterVersion(
                    methodology=header.methodology,
                    version=header.version,
                    effective_from=header.effective_from,
                    document=version,
                    sha256=header.sha256,
                    origin=VersionOrigin.INITIAL,
                    state=VersionState.APPROVED,
                )
            )
    for loaded in ParameterVersion.objects.bulk_create(rows):
        version_audit(loaded, "load", CLOCK, before=None)
    versions_mirror(now=timezone.now())
    return len(rows)
