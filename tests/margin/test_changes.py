"""A change of an account is margined at once; what is newest is decided by what was known, not by when."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.choices import LedgerKind
from accounts.models import Account
from accounts.services.changes import account_changing, balance_set
from margin import selectors
from margin.choices import PartKind, RunReason, RunState
from margin.engine.book import Book
from margin.engine.errors import NonFiniteError
from margin.engine.results import ShardMargin
from margin.models import MarginResult, MarginRun
from margin.services import changes
from margin.services.changes import accounts_behind, accounts_remargin
from margin.services.fills import fill_record
from margin.services.inputs import result_book
from margin.services.margining import Margining
from margin.services.market import snapshot_accept
from margin.services.parts import part_claim, stress
from margin.services.reports import report_bytes
from margin.services.retention import runs_prune
from margin.services.runs import run_start
from tests.margin.desks import ACTOR, AS_OF, SWAP, account_of, after_expiry, fill, market
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world, newest_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account_id() -> int:
    """An account that a run has margined."""
    account_id = account_of({"USDT": "100000"}, [(SWAP, "10", "99000")])
    run_everything()
    return account_id


def run_everything() -> None:
    work_through(run_start(reason=RunReason.SNAPSHOT))


def buy(account_id: int, quantity: str = "5") -> None:
    fill_record(account_id=account_id, fill=fill(SWAP, "buy", quantity, "100000"), actor=ACTOR, now=AS_OF)


def newest(account_id: int) -> MarginResult:
    result = selectors.result_latest(account_id)
    assert result is not None
    return result


def test_a_change_is_margined_as_the_next_run_would(account_id: int) -> None:
    before = newest(account_id)
    buy(account_id)
    assert accounts_behind() == [account_id]
    assert accounts_remargin(account_ids=[account_id]) == 1
    assert accounts_behind() == []
    changed = newest(account_id)
    assert changed.mmr > before.mmr
    assert changed.ledger_position == Account.objects.get().ledger_position > before.ledger_position
    run_everything()
    after = newest(account_id)
    assert after.run_id > changed.run_id
    assert report_bytes(result=after) == report_bytes(result=changed)
    assert after.standard_imr == changed.standard_imr is not None


def test_a_result_of_a_change_is_explained_from_the_inputs_that_it_kept(account_id: int) -> None:
    buy(account_id)
    accounts_remargin(account_ids=[account_id])
    assert result_book(result=newest(account_id)) is not None
    assert [result.pk for result in selectors.results_latest()] == [newest(account_id).pk]


def test_margining_twice_what_has_not_changed_writes_nothing(account_id: int) -> None:
    buy(account_id)
    written = [accounts_remargin(account_ids=[account_id]) for _ in range(2)]
    assert written == [1, 0]


def test_a_slow_computation_of_an_older_state_does_not_overtake_a_newer_one(
    account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy(account_id)
    write = changes._write

    def slowly(*computed: object) -> None:
        monkeypatch.setattr(changes, "_write", write)
        buy(account_id)
        assert accounts_remargin(account_ids=[account_id]) == 1
        write(*computed)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(changes, "_write", slowly)
    accounts_remargin(account_ids=[account_id])
    first, second = MarginResult.objects.filter(run__reason=RunReason.CHANGE).order_by("-ledger_position")
    assert first.pk < second.pk
    assert newest(account_id).pk == first.pk
    assert [result.pk for result in selectors.results_latest()] == [first.pk]


def test_a_run_that_read_the_account_before_its_change_does_not_hide_the_change(account_id: int) -> None:
    snapshot_accept(market=market(), as_of=AS_OF, source="tests", actor=ACTOR)
    part_ids = run_start(reason=RunReason.SNAPSHOT)
    buy(account_id)
    accounts_remargin(account_ids=[account_id])
    changed = newest(account_id)
    work_through(part_ids)
    assert newest(account_id).pk == changed.pk
    # The run has brought a newer market, at which the changed account is still to be margined.
    assert accounts_behind() == [account_id]
    accounts_remargin(account_ids=[account_id])
    assert accounts_behind() == []
    assert newest(account_id).snapshot_id > changed.snapshot_id


def test_arrays_that_are_complete_are_used_before_the_results_of_their_run_are_there(
    account_id: int,
) -> None:
    snapshot = snapshot_accept(market=market(), as_of=AS_OF, source="tests", actor=ACTOR)
    part_ids = run_start(reason=RunReason.SNAPSHOT)
    buy(account_id)
    for part_id in part_ids:
        claim = part_claim(part_id=part_id, kind=PartKind.STRESS)
        assert claim is not None
        stress(claim=claim)
    assert newest_run().state == RunState.MARGIN
    accounts_remargin(account_ids=[account_id])
    assert newest(account_id).snapshot_id == snapshot.pk


def test_an_account_that_cannot_be_margined_is_named_until_it_changes(account_id: int) -> None:
    after_expiry()
    run_everything()
    hold(account_id, "NONE")
    assert accounts_remargin(account_ids=[account_id]) == 0
    run = MarginRun.objects.get(reason=RunReason.CHANGE)
    assert "NONE" in run.blocked[str(account_id)]
    assert accounts_behind() == []
    hold(account_id, "NONE", Decimal(0))
    assert accounts_behind() == [account_id]


def hold(account_id: int, currency: str, amount: Decimal = Decimal(1)) -> None:
    with account_changing(
        account_id=account_id, kind=LedgerKind.TRANSFER, actor=ACTOR, now=timezone.now()
    ) as change:
        balance_set(change=change, currency=currency, amount=amount)


def test_a_figure_that_is_not_finite_blocks_its_account_only(monkeypatch: pytest.MonkeyPatch) -> None:
    demo_world(3)
    run_everything()
    bad, *others = Account.objects.order_by("pk").values_list("pk", flat=True)
    margin_book = Margining.margin_book

    def margin_others(desk: Margining, book: Book) -> ShardMargin:
        if str(bad) in book.ids:
            raise NonFiniteError("equity", str(bad))
        return margin_book(desk, book)

    monkeypatch.setattr(Margining, "margin_book", margin_others)
    for pk in (bad, *others):
        hold(pk, "USDT")
    assert accounts_remargin(account_ids=[bad, *others]) == len(others)
    run = MarginRun.objects.get(reason=RunReason.CHANGE)
    assert run.blocked == {str(bad): str(NonFiniteError("equity", str(bad)))}
    assert run.state == RunState.COMPLETED


def test_results_of_changes_are_forgotten_with_the_snapshots_that_have_passed(account_id: int) -> None:
    buy(account_id)
    accounts_remargin(account_ids=[account_id])
    assert runs_prune(keep=1) == 0
    run_everything()
    assert runs_prune(keep=1) == 2
    assert {result.run.reason for result in MarginResult.objects.all()} == {RunReason.SNAPSHOT}


def test_without_complete_arrays_a_change_waits_for_the_run() -> None:
    account_id = account_of({"USDT": "100000"})
    assert accounts_remargin(account_ids=[account_id]) == 0
    assert accounts_behind() == []
