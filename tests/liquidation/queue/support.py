"""Distressed accounts in the database, and a worker that works by a clock of the test's."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, Final

from accounts.models import Account
from liquidation.execution.paper import PaperPort
from liquidation.execution.port import ExecutionPort, OrderRequest, Report
from liquidation.models import LiquidationCase, LiquidationStep
from liquidation.queue import Claim, case_claim
from liquidation.services.cases import case_open
from liquidation.services.controls import controls_share
from liquidation.services.steps import step_act
from liquidation.services.work import case_work
from margin.choices import RunReason
from margin.models import MarketSnapshot
from margin.services.market import snapshot_accept
from margin.services.runs import run_start
from pmplatform.common.errors import StaleClaim
from pmplatform.common.principals import Actor
from tests.margin.engine.support import AS_OF, PERPETUAL, book, order, position
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, world

__all__ = ["StaleClaim", "step_act"]

Document = dict[str, Any]
Clock = Callable[[], datetime]

OFFICER: Final = Actor(name="officer", request_id="tests")
SWAP: Final = PERPETUAL["id"]


def at(seconds: float = 1.0) -> datetime:
    """Some seconds after the first snapshot."""
    return AS_OF + timedelta(seconds=seconds)


def clock(seconds: float = 1.0) -> Clock:
    """A clock that stands still."""
    return lambda: at(seconds)


def directional(usdt: float = 70_000, quantity: float = 10) -> Document:
    """Long bitcoin with too little money: by hand, two steps of three and two contracts."""
    return book([position(SWAP, quantity)], balances={"USDT": usdt})


def with_orders() -> Document:
    """The same with an order, which goes first."""
    return book([position(SWAP, 10)], [order(PERPETUAL, "buy", 1)], balances={"USDT": 70_000})


def stored(*books: Document) -> list[Account]:
    """Accounts of book documents on one market, in the database, margined once."""
    accounts = [
        document["account"] | {"id": f"A-{number}", "methodology": document["methodology"]}
        for number, document in enumerate(books, start=1)
    ]
    world(books[0]["market"], AS_OF, accounts)
    work_through(run_start(reason=RunReason.MANUAL))
    return list(Account.objects.order_by("pk"))


def case_of(document: Document) -> LiquidationCase:
    """A live case of a stored account."""
    [account] = stored(document)
    return opened(account)


def opened(account: Account) -> LiquidationCase:
    """The account's case, which is opened."""
    case = case_open(account_id=account.pk, evidence={}, now=at())
    assert case is not None
    return case


def worked(seconds: float = 1.0, port: ExecutionPort | None = None) -> int:
    """How often a worker took a case until there was none to take."""
    count = 0
    while case_work(port=port or PaperPort(), clock=clock(seconds)):
        count += 1
    return count


def steps(case: LiquidationCase) -> list[LiquidationStep]:
    return list(case.steps.order_by("number"))


def snapshot(document: Document, seconds: float, factor: float = 1.0) -> MarketSnapshot:
    """The book's market some seconds later, with every price of bitcoin times a factor."""
    market = deepcopy(document["market"])
    market["index"]["BTC-USD"] *= factor
    for row in market["instruments"]:
        if row["kind"] in ("perpetual", "future"):
            row["mark"] *= factor
        if "forward" in row:
            row["forward"] *= factor
    return snapshot_accept(market=market, as_of=at(seconds), source="tests", actor=ACTOR)


def claimed(seconds: float = 1.0) -> Claim:
    """The most urgent case, claimed."""
    claim = case_claim(now=at(seconds))
    assert claim is not None
    return claim


def sharing_controls() -> None:
    """Hold off whoever turns a switch until this transaction ends, as a step does."""
    controls_share(now=at())


class BrokenPort(PaperPort):
    """A venue that fails in a way nobody has thought of."""

    def send(self, order: OrderRequest) -> Report:
        raise RuntimeError("the venue is on fire")
