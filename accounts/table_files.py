"""Tables of accounts in files: CSV, and Parquet where pyarrow (the extra ``bulk``) is installed."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path

from rich.progress import Progress

from accounts.tables import COLUMNS, Row

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    pa = pq = None


class UnreadableTable(Exception):
    """A file that is no table of accounts; says where and why."""


def table_rows(file: Path, progress: Progress) -> Iterator[Row]:
    """The rows of a file, with a bar for how much of it has been read.

    Raises
    ------
    UnreadableTable
        When it cannot be opened or parsed, or its columns are not known.
    """
    try:
        yield from _parquet_rows(file, progress) if file.suffix == ".parquet" else _csv_rows(file, progress)
    except OSError as error:
        raise UnreadableTable(str(error.strerror or error)) from error


def _csv_rows(file: Path, progress: Progress) -> Iterator[Row]:
    with progress.open(file, "rt", encoding="utf-8-sig", newline="", description=file.name) as text:
        lines = csv.reader(text, strict=True)
        try:
            header = next(lines, [])
            _columns_check(header)
            for cells in lines:
                if cells:
                    yield _row(header, cells, lines.line_num)
        except csv.Error as error:
            raise UnreadableTable(f"{lines.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise UnreadableTable(f"{lines.line_num + 1}: is not UTF-8") from error


def _row(header: list[str], cells: list[str], line: int) -> Row:
    if len(cells) != len(header):
        return Row(line, {}, f"has {len(cells)} cells where the header has {len(header)}")
    return Row(line, dict(zip(header, cells, strict=True)))


def _parquet_rows(file: Path, progress: Progress) -> Iterator[Row]:
    if pa is None:
        raise UnreadableTable("Parquet needs pyarrow: install the extra 'bulk'")
    try:
        with pq.ParquetFile(file) as table:
            _columns_check(table.schema_arrow.names)
            bar = progress.add_task(file.name, total=table.metadata.num_rows)
            numbers = count(1)
            for part in table.iter_batches():
                for values in part.to_pylist():
                    yield Row(next(numbers), {column: _text(value) for column, value in values.items()})
                progress.advance(bar, part.num_rows)
    except pa.ArrowException as error:
        raise UnreadableTable(str(error)) from error


def _columns_check(header: list[str]) -> None:
    faults = [f"{name} is not a known column" for name in header if name not in COLUMNS]
    faults += [
        f"{name} is given twice" for name in sorted({name for name in header if header.count(name) > 1})
    ]
    faults += [f"{name} is missing" for name in ("account", "record") if name not in header]
    if faults:
        raise UnreadableTable("; ".join(faults))


def _text(value: object) -> str:
    """A cell as CSV would have it: nothing for null, a float as its shortest text."""
    match value:
        case None:
            return ""
        case Decimal():
            return format(value, "f")
        case float():
            return repr(value)
        case _:
            return str(value)
