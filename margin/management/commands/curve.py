"""`curve BOOK.json`: margin against price or volatility, and liquidation prices, from the document alone."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from margin.engine.curve import Axis, curve_of
from margin.engine.documents.book import read_book
from margin.engine.errors import DocumentError
from margin.management.documents import fault_line, read_document
from margin.parameter_files import shipped_library
from pmplatform.common.commands import BAD_INPUT


class Command(BaseCommand):
    help = (
        "Print equity, maintenance margin and ratio of a book document against the price of a coin from "
        "-50 % to +100 %, and the prices at which the account is liquidated. Needs no database, server or "
        "setting. Exit code: 0 done, 2 the book was refused."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("book", type=Path, metavar="BOOK.json")
        parser.add_argument("--coin", help="the coin that moves; that of the largest notional if absent")
        parser.add_argument(
            "--axis",
            type=Axis,
            choices=[str(axis) for axis in Axis],
            default=str(Axis.PRICE),
            help="move the coin's price, or the volatility of its options in points (-50 to +100)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["book"]
        try:
            book = read_book(read_document(path), shipped_library())
            curve = curve_of(book, options["coin"], Axis(options["axis"]))
        except DocumentError as error:
            self.stderr.write(fault_line(path, error))
            raise SystemExit(BAD_INPUT) from error
        self.stdout.write(json.dumps(curve.document(), indent=2, allow_nan=False))
