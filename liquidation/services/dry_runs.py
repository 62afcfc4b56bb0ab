"""What liquidation would do to an account as it stands; nothing is written."""

from typing import Any

from liquidation import selectors
from liquidation.planner.document import plan_document
from liquidation.planner.plan import Trigger
from liquidation.planner.planner import plan_of
from margin.engine.errors import NonFiniteError
from margin.services.books import stored_book
from pmplatform.common.errors import Refused


def account_plan(*, account_id: int) -> dict[str, Any]:
    """The plan document of an account at the newest snapshot: the rest of its case, where one is live.

    Raises
    ------
    Refused
        When the account cannot be margined now.
    """
    book, sha256 = stored_book(account_id=account_id)
    case = selectors.case_live(account_id)
    try:
        return plan_document(plan_of(book, Trigger(case.trigger) if case else None), sha256)
    except NonFiniteError as error:
        raise Refused([str(error)]) from error
