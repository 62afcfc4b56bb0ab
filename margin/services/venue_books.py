"""A venue's simulation request as a book at the newest snapshot."""

from typing import Any

from margin import selectors
from margin.engine.documents.book import BookDocument, assemble
from margin.engine.errors import DocumentError
from margin.engine.parameters.library import Parameters
from margin.models import MarketSnapshot
from margin.venues.okx_request import METHODOLOGY, read_position_builder
from pmplatform.common.errors import Refused


def position_builder_book(*, body: Any, snapshot: MarketSnapshot | None) -> BookDocument:
    """What OKX's position builder is asked to margin, at a snapshot and by the parameters in force then.

    Raises
    ------
    DocumentError
        With the path of every fault, in the request's own names.
    Refused
        Without a snapshot, or parameters.
    """
    if snapshot is None:
        raise Refused(["There is no market snapshot yet."])
    rows = selectors.snapshot_market(snapshot.pk)
    return assemble(_parameters(snapshot), rows, read_position_builder(body, rows), rows.to_market())


def _parameters(snapshot: MarketSnapshot) -> Parameters:
    try:
        return selectors.parameter_library().in_force(METHODOLOGY, snapshot.as_of)
    except DocumentError as error:
        raise Refused([str(error)]) from error
