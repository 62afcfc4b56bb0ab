"""What holds for every book: symmetries of the requirement, and bits that do not depend on the company."""

import copy
import json
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin.engine import shard_layout
from margin.engine.book import Book, Lots
from margin.engine.documents.book import BookDocument, book_of, read_book
from margin.engine.errors import DocumentError
from margin.engine.methodologies.registry import OFFERED
from margin.engine.pipeline import margin_book
from margin.engine.products import SparseRows, pointers
from margin.engine.report import ReportHeader, render
from margin.parameter_files import shipped_library
from tests.margin.engine.support import (
    BTC,
    CI,
    DERIVATIVES,
    LISTED,
    PERPETUAL,
    Document,
    book,
    position,
    positions,
    report,
    spot_balances,
    unit,
)
from tests.reference.strategies import HEDGE_MODES


def test_empty_book_requires_nothing() -> None:
    empty = report(book())
    assert empty["risk_units"] == []
    assert empty["currencies"] == []
    assert empty["account"]["mmr"] == empty["account"]["imr"] == empty["account"]["net_equity"] == 0.0
    assert empty["account"]["margin_ratio"] is None
    assert empty["account"]["status"] == "normal"


def requirement(document: Document) -> list[Document]:
    """The risk units without `upl`, a sum over lots in the holder's own order."""
    return [
        {name: value for name, value in entry.items() if name != "upl"}
        for entry in report(document)["risk_units"]
    ]


@CI
@given(positions, spot_balances, st.randoms(use_true_random=False))
def test_order_of_rows_and_listing_changes_no_bit(rows: list[Document], held: Document, chance: Any) -> None:
    shuffled, listed = list(rows), list(LISTED)
    chance.shuffle(shuffled)
    chance.shuffle(listed)
    first, second = book(rows, balances=held), book(shuffled, balances=held, instruments=listed)
    assert requirement(first) == requirement(second)


@CI
@given(positions, spot_balances)
def test_lots_of_a_position_change_no_bit(rows: list[Document], held: Document) -> None:
    """A holding of q in lots of q - 7 and 7 is the same holding."""
    lots = [row | {"quantity": part} for row in rows for part in (row["quantity"] - 7, 7)]
    assert requirement(book(rows, balances=held)) == requirement(book(lots, balances=held))


@CI
@given(positions, st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_mr1_grows_with_the_book(rows: list[Document], scale: float) -> None:
    """Twice the book loses twice as much; powers of two scale every bit."""
    larger = [row | {"quantity": row["quantity"] * scale} for row in rows]
    for one, other in zip(report(book(rows))["risk_units"], report(book(larger))["risk_units"], strict=True):
        for name in ("mr1", "mr2", "mr3", "mr5", "mr6"):
            assert other["components"][name] == one["components"][name] * scale


@CI
@given(st.sampled_from(DERIVATIVES), st.integers(1, 1_000))
def test_opposite_legs_lose_nothing(instrument: str, quantity: int) -> None:
    rows = [position(instrument, quantity), position(instrument, -quantity)]
    components = unit(book(rows))["components"]
    assert set(components.values()) == {0.0}


@CI
@given(positions, spot_balances)
def test_components_make_up_the_requirement(rows: list[Document], held: Document) -> None:
    for entry in report(book(rows, balances=held))["risk_units"]:
        c = entry["components"]
        assert all(value >= 0.0 for value in c.values())
        total = max(c["mr1"], c["mr2"], c["mr6"]) + c["mr3"] + c["mr4"] + c["mr5"] + c["mr9"]
        assert entry["mmr"] == pytest.approx(max(total, c["mr7"]), rel=1e-12)
        assert entry["imr"] == pytest.approx(1.3 * entry["mmr"], rel=1e-12)
        assert c["mr1"] == max(0.0, -entry["worst"]["pnl"])


def numbers_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all numbers in a document."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in numbers_in(item, (*path, key))]
    if isinstance(value, list):
        return [found for i, item in enumerate(value) for found in numbers_in(item, (*path, i))]
    return [path] if isinstance(value, int | float) else []


WHOLE = book(
    [position(name, 1) for name in DERIVATIVES],
    [{"instrument": PERPETUAL["id"], "side": "buy", "quantity": 1, "price": BTC}],
    {"USDT": 1, "BTC": 1},
    hedge_limits={"BTC": {"ratio": 1, "max_amount": 1}},
)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("path", numbers_in(WHOLE), ids=lambda path: ".".join(map(str, path)))
def test_no_number_may_be_infinite_or_none_at_all(path: tuple[Any, ...], bad: float) -> None:
    document = copy.deepcopy(json.loads(json.dumps(WHOLE)))
    *parents, last = path
    place: Any = document
    for key in parents:
        place = place[key]
    place[last] = bad
    with pytest.raises(DocumentError):
        report(document)


def test_a_volatility_beyond_measure_still_gives_finite_figures() -> None:
    """Volatility has no upper bound of its own: at 1e308 a call is worth its forward."""
    listed = [item | ({"mark_iv": 1e308} if item["kind"] == "option" else {}) for item in LISTED]
    outcome = report(book([position(name, 1) for name in DERIVATIVES], instruments=listed))
    json.dumps(outcome, allow_nan=False)


def test_a_result_beyond_float64_is_refused() -> None:
    """A debt of 1e300 at a price of 1e12 is no number."""
    with pytest.raises(DocumentError) as refusal:
        report(book(balances={"BTC": "-1e300"}, index=1e12))
    assert refusal.value.faults[0].path == "account"


@settings(CI, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_the_direct_sparse_product_is_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns, width, entries = rng.integers(1, 30, 4)
    row = np.sort(rng.integers(0, rows, entries)).astype(np.int32)
    matrix = SparseRows(
        pointers(row, int(rows)),
        rng.integers(0, columns, entries).astype(np.int32),
        rng.normal(size=entries) * 10.0 ** rng.integers(-8, 9, entries),
    )
    dense = rng.normal(size=(columns, width))
    assert matrix.dot(dense).tobytes() == matrix.dot_public(dense).tobytes()


def test_the_sparse_product_is_the_product() -> None:
    matrix = SparseRows(
        np.array([0, 2, 2, 3], np.int32), np.array([0, 2, 1], np.int32), np.array([2.0, 3.0, 5.0])
    )
    dense = np.array([[1.0, 10.0], [7.0, 70.0], [100.0, 1000.0]])
    assert matrix.dot(dense).tolist() == [[302.0, 3020.0], [0.0, 0.0], [35.0, 350.0]]


def _many(methodology: str, count: int) -> list[BookDocument]:
    modes = HEDGE_MODES[methodology]
    rng = np.random.default_rng(count)
    documents = []
    for i in range(count):
        held = rng.choice(len(DERIVATIVES), rng.integers(0, 6), replace=False)
        rows = [
            position(DERIVATIVES[k], round(rng.normal() * 9, 3), BTC * rng.uniform(0.8, 1.2)) for k in held
        ]
        orders = [
            {
                "instrument": LISTED[k]["id"],
                "side": str(rng.choice(["buy", "sell"])),
                "quantity": round(rng.uniform(0.1, 5), 3),
                "price": BTC,
            }
            for k in rng.choice(len(LISTED), rng.integers(0, 4))
        ]
        balances = {"BTC": round(rng.normal() * 3, 4), "USDT": round(rng.normal() * 1e5, 2)}
        document = book(rows, orders, balances, id=f"A-{i}", hedge_mode=modes[i % len(modes)])
        chosen = document | {"methodology": methodology, "parameters": None}
        documents.append(read_book(chosen, shipped_library()))
    return documents


def _rendered(document: BookDocument, shard: Book, place: int) -> Document:
    margin = margin_book(shard, document.market, document.parameters)
    return render(margin, place, ReportHeader("", document.parameters.header, "", ""))


@pytest.mark.parametrize("methodology", OFFERED)
@pytest.mark.parametrize("size", [7, 4_096])
def test_an_account_has_the_same_bits_in_any_shard(
    methodology: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The large shard is cut into blocks of accounts, the small one is a block.
    monkeypatch.setattr(shard_layout, "_BLOCK_ACCOUNTS", 1_000)
    documents = _many(methodology, min(size, 64))
    rows = [document.account_rows for document in documents]
    first = documents[0]
    crowd = book_of([rows[i % len(rows)] for i in range(size)], first.market_rows, first.market)
    margin = margin_book(crowd, first.market, first.parameters)
    header = ReportHeader("", first.parameters.header, "", "")
    for place in sorted({*range(min(size, 64)), size // 2, size - 1}):
        document = documents[place % len(documents)]
        assert render(margin, place, header) == _rendered(document, document.book, 0)


def test_the_order_of_accounts_among_the_lots_changes_no_bit() -> None:
    documents = _many("okx-2025", 64)
    first = documents[0]
    crowd = book_of([document.account_rows for document in documents], first.market_rows, first.market)
    backwards = np.argsort(-crowd.lots.account, kind="stable")
    lots = Lots(*(getattr(crowd.lots, field.name)[backwards] for field in fields(Lots)))
    ordered, turned = (
        margin_book(shard, first.market, first.parameters) for shard in (crowd, replace(crowd, lots=lots))
    )
    assert ordered.accounts.upl.tobytes() == turned.accounts.upl.tobytes()
    assert [unit.upl.tobytes() for unit in ordered.units] == [unit.upl.tobytes() for unit in turned.units]
