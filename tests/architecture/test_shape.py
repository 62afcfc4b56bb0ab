"""The shape of the code: small functions, files of one subject, empty package files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("pmplatform", "accounts", "margin", "liquidation")
PURE_PACKAGES = ("margin/engine", "liquidation/planner")
MOST_FUNCTION_LINES = 55
MOST_FILE_LINES = 350
IMPURE_CALLS = {"open", "print", "input", "now", "utcnow", "today"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(packages: tuple[str, ...]) -> list[Path]:
    found = [file for package in packages for file in sorted((CHECKOUT / package).rglob("*.py"))]
    return [file.relative_to(CHECKOUT) for file in found if "migrations" not in file.parts]


def nodes(source: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse((CHECKOUT / source).read_text(encoding="utf-8")))


def test_no_function_is_longer_than_a_page() -> None:
    long = [
        f"{source}: {node.name} has {lines} lines"
        for source in sources((*PACKAGES, "tests"))
        for node in nodes(source)
        if isinstance(node, Function)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_FUNCTION_LINES
    ]
    assert long == []


def test_no_file_treats_too_much() -> None:
    lengths = {
        source: len((CHECKOUT / source).read_text(encoding="utf-8").splitlines())
        for source in sources(PACKAGES)
    }
    assert {source: length for source, length in lengths.items() if length > MOST_FILE_LINES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_file_of_an_app_is_empty(package: str) -> None:
    assert (CHECKOUT / package / "__init__.py").read_bytes() == b""


def test_pure_code_reads_no_clock_and_no_file_and_prints_nothing() -> None:
    impure = [
        f"{source}:{node.lineno} calls {name}"
        for source in sources(PURE_PACKAGES)
        for node in nodes(source)
        if isinstance(node, ast.Call) and (name := _called(node)) in IMPURE_CALLS
    ]
    assert impure == []


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
