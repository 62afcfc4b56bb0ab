"""A stored account as the book that the engine's simulations take."""

from margin import selectors
from margin.assembly import account_faults
from margin.engine.documents.book import BookDocument, assemble
from margin.engine.errors import DocumentError
from margin.engine.hashing import sha256_of
from margin.provenance import account_hashes
from margin.services.reading import account_inputs
from pmplatform.common.errors import Refused


def stored_book(*, account_id: int) -> tuple[BookDocument, str]:
    """An account at the newest snapshot under its methodology in force, and a hash over what it is made of.

    Raises
    ------
    Refused
        With every reason why the account cannot be margined now.
    """
    snapshot = selectors.snapshot_latest()
    if snapshot is None:
        raise Refused(["There is no market snapshot yet."])
    (stored,) = account_inputs([account_id])
    try:
        parameters = selectors.parameter_library().in_force(stored.methodology, snapshot.as_of)
    except DocumentError as error:
        raise Refused([str(error)]) from error
    market, account = selectors.snapshot_market(snapshot.pk), stored.to_rows()
    if faults := account_faults(account, market, parameters):
        raise Refused(map(str, faults))
    document = assemble(parameters, market, account, market.to_market())
    rows = account_hashes(document.book)
    return document, sha256_of([*rows, snapshot.sha256, parameters.header.sha256])
