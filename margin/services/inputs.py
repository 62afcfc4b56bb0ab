"""The inputs that a run kept of a result, as the book that the engine's simulations take."""

from bisect import bisect_right

from margin import selectors
from margin.choices import PartKind
from margin.codec import decode_book
from margin.engine.book import Book
from margin.engine.documents.book import BookDocument, assemble
from margin.engine.documents.restored import restored_rows
from margin.engine.report import ENGINE_VERSION
from margin.models import MarginResult, MarginRunPart


def result_book(*, result: MarginResult) -> BookDocument | None:
    """The very book of a result: margined again, it gives the stored report.

    None where that cannot be any more: the run's inputs are forgotten, or another engine made the result.
    """
    if result.run.engine != ENGINE_VERSION:
        return None
    stored = _stored(result, selectors.report_of(result)["methodology"])
    if stored is None:
        return None
    part, book = stored
    rows = selectors.snapshot_market(result.run.snapshot_id)
    market = rows.to_market()
    account = restored_rows(book, rows, market.instruments.ids)
    return assemble(selectors.parameters_read(part.parameters_id), rows, account, market)


def _stored(result: MarginResult, methodology: str) -> tuple[MarginRunPart, Book] | None:
    """The shard that holds a result's account, and the account's own book.

    Shards hold ascending accounts, so the last one that does not begin beyond the account is its own.
    """
    parts = selectors.run_parts(result.run_id).filter(
        kind=PartKind.MARGIN, name__startswith=f"{methodology}/", accounts__gt=0
    )
    ordered = list(parts.order_by("name"))
    place = bisect_right(ordered, float(result.account_id), key=_first_account) - 1
    shard = _shard(ordered[place]) if place >= 0 else None
    if shard is None or str(result.account_id) not in shard.ids:
        return None
    return ordered[place], shard.alone(shard.ids.index(str(result.account_id)))


def _shard(part: MarginRunPart) -> Book | None:
    content = selectors.blob(part.input_key)
    return None if content is None else decode_book(content)[0]


def _first_account(part: MarginRunPart) -> float:
    """The first account of a shard; one that is forgotten begins beyond every account."""
    shard = _shard(part)
    return float("inf") if shard is None else int(shard.ids[0])
