"""The margin under `standard` beside an account's own."""

from margin.engine.book import Book
from margin.engine.documents.schema import Faults
from margin.engine.errors import NonFiniteError
from margin.engine.results import ShardMargin
from margin.models import MarginRun
from margin.services.margining import margining_by


def standard_beside(*, run: MarginRun, version: int, book: Book, shard: ShardMargin) -> ShardMargin | None:
    """The book, of which `shard` is the margin by a parameter `version`, margined by the run's `standard`.

    None where the run has no version of it that prices the market.
    """
    if run.standard_parameters_id is None or run.standard_parameters_id == version:
        return shard if run.standard_parameters_id else None
    desk = margining_by(snapshot=run.snapshot_id, version=run.standard_parameters_id)
    faults = Faults()
    desk.parameters.check_covers(desk.market.instruments.underlyings, book.currencies, faults)
    if faults:
        return None
    try:
        return desk.margin_book(book)
    except NonFiniteError:
        return None
