"""Bulk load of tables: each file as a whole or not at all, every bad row by line and column."""

from decimal import Decimal
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from accounts import table_files
from accounts.models import Account, Balance, HedgeLimit, LedgerEntry, Order, Position
from accounts.tables import Row, table_batches
from accounts.verification import ledger_mismatches
from tests.accounts.books import CALL, SWAP, list_instruments, make_tenant

pytestmark = pytest.mark.django_db

HEADER = "account,record,methodology,hedge_mode,symbol,side,quantity,price,ratio,max_amount\n"
GOOD = f"""\
A-1,account,okx-2025,spot_hedge,,,,,,
A-1,balance,,,USDT,,2500.000000000000000001,,,
A-1,balance,,,BTC,,-0.5,,,
A-1,position,,,{SWAP},,-10,97000,,
A-1,order,,,{SWAP},buy,5,90000,,
A-1,hedge_limit,,,BTC,,,,0.5,12
A-2,account,standard,,,,,,,
A-2,position,,,{CALL},,3,0.05,,
"""


@pytest.fixture(autouse=True)
def _world() -> None:
    list_instruments()
    make_tenant("acme")


def _import(*files: Path) -> str:
    out = StringIO()
    call_command("accounts_import", *map(str, files), "--tenant", "acme", stdout=out)
    return out.getvalue()


def _file(directory: Path, rows: str, name: str = "book.csv", header: str = HEADER) -> Path:
    file = directory / name
    file.write_text(header + rows, encoding="utf-8")
    return file


def _refusal(*files: Path) -> list[str]:
    with pytest.raises(CommandError) as refusal:
        _import(*files)
    assert refusal.value.returncode == 2
    return str(refusal.value).split("\n")


def _holdings() -> dict[str, object]:
    return {
        "accounts": sorted(Account.objects.values_list("code", "methodology", "hedge_mode")),
        "balances": sorted(Balance.objects.values_list("account__code", "currency", "amount")),
        "positions": sorted(Position.objects.values_list("instrument__code", "quantity", "entry_price")),
        "orders": list(Order.objects.values_list("side", "quantity", "price")),
        "limits": list(HedgeLimit.objects.values_list("coin", "ratio", "max_amount")),
    }


EXPECTED = {
    "accounts": [("A-1", "okx-2025", "spot_hedge"), ("A-2", "standard", None)],
    "balances": [
        ("A-1", "BTC", Decimal("-0.5")),
        ("A-1", "USDT", Decimal("2500.000000000000000001")),
    ],
    "positions": [(CALL, 3, Decimal("0.05")), (SWAP, -10, 97_000)],
    "orders": [("buy", 5, 90_000)],
    "limits": [("BTC", Decimal("0.5"), 12)],
}


def test_a_csv_table_opens_its_accounts_with_their_ledger(tmp_path: Path) -> None:
    file = _file(tmp_path, GOOD)
    assert _import(file) == f"{file}: 2 accounts opened in acme\n"
    assert _holdings() == EXPECTED
    assert list(ledger_mismatches()) == []


def test_a_parquet_table_opens_the_same_from_texts_and_decimals(tmp_path: Path) -> None:
    columns = HEADER.strip().split(",")
    cells = [dict(zip(columns, line.split(","), strict=True)) for line in GOOD.splitlines()]
    table = pa.Table.from_pylist([{name: cell or None for name, cell in row.items()} for row in cells])
    place = table.schema.get_field_index("quantity")
    exact = pa.array([Decimal(row["quantity"]) if row["quantity"] else None for row in cells])
    table = table.set_column(place, "quantity", exact.cast(pa.decimal128(38, 18)))
    pq.write_table(table, tmp_path / "book.parquet")
    _import(tmp_path / "book.parquet")
    assert _holdings() == EXPECTED


def test_parquet_numbers_are_their_shortest_decimals_and_bad_rows_are_numbered(tmp_path: Path) -> None:
    rows = [
        {"account": "A-1", "record": "account", "methodology": "standard"},
        {"account": "A-1", "record": "balance", "symbol": "USDT", "quantity": 0.1},
        {"account": "A-1", "record": "balance", "symbol": "BTC", "quantity": float("nan")},
    ]
    file = tmp_path / "book.parquet"
    pq.write_table(
        pa.Table.from_pylist(
            rows,
            pa.schema(
                [
                    *map(pa.field, ("account", "record", "methodology", "symbol"), [pa.string()] * 4),
                    pa.field("quantity", pa.float64()),
                ]
            ),
        ),
        file,
    )
    assert _refusal(file) == [f"{file}:3: quantity: is not a decimal number"]
    pq.write_table(pq.read_table(file).slice(0, 2), file)
    _import(file)
    assert Balance.objects.get().amount == Decimal("0.1")


BAD_ROWS = f"""\
A-1,account,okx-2026,,,,,,,
A-1,balance,,,usdt,,1,,,
A-1,balance,,,USDT,,many,,,
A-1,balance,,,BTC,,1,,,
A-1,balance,,,BTC,,2,,,
A-1,position,,,NONE,,1,97000,,
A-1,position,,,{SWAP},,1,,,
A-1,order,,,{SWAP},hold,-5,90000,,7
A-1,hedge_limit,,,BTC,,,,1.5,
A-1,margin,,,BTC,,,,,
A-2,balance,,,BTC,,1,,,
A-3,account,,,,,,,,
A-3,balance,,,BTC,,1,,,
A-1,account,standard,,,,,,,
A-4,account,standard,,,
,balance,,,BTC,,1,,,
"""


def test_every_bad_row_is_named_by_line_and_column_and_nothing_is_opened(tmp_path: Path) -> None:
    file = _file(tmp_path, BAD_ROWS)
    listed = "account, balance, position, order, hedge_limit"
    assert [line.removeprefix(f"{file}:") for line in _refusal(file)] == [
        "2: methodology: is none of okx-2025, okx-classic, bybit-uta, standard",
        "3: symbol: is not a currency code of capital letters and digits",
        "4: quantity: is not a decimal number",
        "6: symbol: is given twice",
        "7: symbol: is not a listed instrument",
        "8: price: is missing",
        "9: max_amount: does not belong to a row of order",
        "10: ratio: is not within 0 and 1",
        f"11: record: is none of {listed}",
        "12: account: is not the account of the rows above",
        "13: methodology: is missing",
        "15: account: is given twice",
        "16: has 6 cells where the header has 10",
        "17: account: is missing",
    ]
    assert not Account.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_a_bad_file_stops_no_other(tmp_path: Path) -> None:
    good, bad = _file(tmp_path, GOOD), _file(tmp_path, "B-1,account,nobody,,,,,,,\n", "bad.csv")
    [refusal] = _refusal(bad, good)
    assert refusal.startswith(f"{bad}:2: methodology: is none of")
    assert _holdings() == EXPECTED


def test_an_account_that_exists_is_refused_where_it_stands(tmp_path: Path) -> None:
    file = _file(tmp_path, GOOD)
    _import(file)
    assert _refusal(file) == [
        f"{file}:2: account: is the code of an account that exists",
        f"{file}:8: account: is the code of an account that exists",
    ]


@pytest.mark.parametrize(
    ("header", "rows", "refusal"),
    [
        ("account,record,metodology\n", "", "metodology is not a known column"),
        ("account,account\n", "", "account is given twice; record is missing"),
        ("", "", "account is missing; record is missing"),
        (HEADER, 'A-1,"account', "2: unexpected end of data"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, header: str, rows: str, refusal: str) -> None:
    file = _file(tmp_path, rows, header=header)
    assert _refusal(file) == [f"{file}: {refusal}"]


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    latin, parquet = tmp_path / "latin.csv", tmp_path / "no.parquet"
    latin.write_bytes(HEADER.encode() + b"A-\xe9,account,standard,,,,,,,\n")
    parquet.write_bytes(b"PAR0")
    missing, binary, absent = _refusal(latin, parquet, tmp_path / "none.csv")
    assert missing.endswith("is not UTF-8")
    assert binary.startswith(f"{parquet}: ")
    assert absent.endswith("No such file or directory")


def test_without_pyarrow_parquet_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "pa", None)
    [refusal] = _refusal(tmp_path / "book.parquet")
    assert "'bulk'" in refusal


def test_accounts_come_in_batches_that_cut_none_in_two() -> None:
    rows = [
        Row(line, cells)
        for line, cells in enumerate(
            (
                cells
                for number in range(5)
                for cells in (
                    {"account": f"A-{number}", "record": "account", "methodology": "standard"},
                    {"account": f"A-{number}", "record": "balance", "symbol": "BTC", "quantity": "1"},
                )
            ),
            start=2,
        )
    ]
    batches = list(table_batches(rows, size=2))
    assert [[row["id"] for row in batch.documents] for batch in batches] == [
        ["A-0", "A-1"],
        ["A-2", "A-3"],
        ["A-4"],
    ]
    assert all(document["balances"] == {"BTC": "1"} for batch in batches for document in batch.documents)
