import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from tests.accounts.books import account_document, list_instruments, make_tenant

pytestmark = pytest.mark.django_db


def _book(code: str, **changes: Any) -> dict[str, Any]:
    account = account_document(code, **changes)
    return {"as_of": "2025-01-15T10:26:41Z", "methodology": account.pop("methodology"), "account": account}


def _import(*files: Path) -> str:
    out = StringIO()
    call_command("import_book", *map(str, files), "--tenant", "acme", stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _world() -> None:
    list_instruments()
    make_tenant("acme")


def _refusal(file: Path, content: str) -> str:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError) as refusal:
        _import(file)
    assert refusal.value.returncode == 2
    assert not Account.objects.exists()
    return str(refusal.value).removeprefix(f"{file}: ")


def test_a_book_and_an_array_of_books_are_opened_together(tmp_path: Path) -> None:
    one, many = tmp_path / "one.json", tmp_path / "many.json"
    one.write_text(json.dumps(_book("A-1")), encoding="utf-8")
    many.write_text(json.dumps([_book("A-2"), _book("A-3")]), encoding="utf-8")
    assert _import(one, many) == "3 accounts opened in acme\n"
    assert list(Account.objects.values_list("code", flat=True)) == ["A-1", "A-2", "A-3"]


def test_faults_are_named_by_file_and_path_and_nothing_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    books = [_book("A-1"), _book("A-2", methodology="nobody's", balances={"btc": "x"})]
    unread, judged = _refusal(file, json.dumps(books)).split("\n")
    assert unread == "[1].account.balances.btc: is not a decimal number"
    assert judged.startswith(f"{file}: [1].methodology: is none of okx-2025")


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ('{"a": 1, "a": 2}', "a: is given twice"),
        ("[1]", "[0].account: is missing, or the methodology is"),
        ("{", "is not JSON"),
    ],
)
def test_what_is_no_book_is_refused(tmp_path: Path, content: str, refusal: str) -> None:
    assert _refusal(tmp_path / "b.json", content).startswith(refusal)


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file") as refusal:
        _import(tmp_path / "none.json")
    assert refusal.value.returncode == 2
