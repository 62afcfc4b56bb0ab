"""Accepting market snapshots and loading parameter histories."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.documents import InstrumentDocument
from accounts.services.instruments import instruments_upsert
from margin import selectors
from margin.assembly import pack_market
from margin.engine.documents.market import MarketRows, read_market
from margin.engine.documents.schema import Faults, exact
from margin.engine.errors import DocumentError, Fault
from margin.engine.hashing import sha256_of
from margin.engine.parameters.library import read_version
from margin.engine.simulation import iso
from margin.models import MarketSnapshot, ParameterVersion

_INITIAL = "initial"


@transaction.atomic
def snapshot_accept(*, market: Any, as_of: datetime, source: str) -> MarketSnapshot:
    """Store a market object as the newest snapshot and list its instruments.

    Raises
    ------
    DocumentError
        With the path of every fault; also when the snapshot is older than the last one.
    """
    faults = Faults()
    rows = read_market(market, as_of, "market", faults)
    faults.raise_if_any()
    assert rows is not None
    latest = selectors.snapshot_latest()
    if latest is not None and as_of < latest.as_of:
        raise DocumentError([Fault("as_of", f"is older than the last snapshot, of {iso(latest.as_of)}")])
    instruments_upsert(instruments=_instruments(rows, market))
    return MarketSnapshot.objects.create(
        as_of=as_of,
        source=source,
        sha256=sha256_of({"as_of": iso(as_of), "market": market}),
        instruments=len(rows.instruments),
        content=pack_market(market),
    )


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
                    origin=_INITIAL,
                )
            )
    return len(ParameterVersion.objects.bulk_create(rows))
