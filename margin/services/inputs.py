"""The inputs that a run kept of a result, as the book that the engine's simulations take."""

from margin import selectors
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
    part = selectors.run_part(result.part_id)
    book = part_book(part, result.account_id)
    if book is None:
        return None
    rows = selectors.snapshot_market(result.run.snapshot_id)
    market = rows.to_market()
    account = restored_rows(book, rows, market.instruments.ids)
    return assemble(selectors.parameters_read(part.parameters_id), rows, account, market)


def part_book(part: MarginRunPart, account_id: int) -> Book | None:
    """The book of one account of a part's shard; None where the shard is forgotten."""
    content = selectors.blob(part.input_key)
    if content is None:
        return None
    shard, _ = decode_book(content)
    return shard.alone(shard.ids.index(str(account_id)))
