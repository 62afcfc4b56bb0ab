"""`liquidation_plan BOOK.json ...`: what would be done with each account, from the documents alone."""

from collections.abc import Mapping
from typing import Any

from liquidation.planner.document import liquidation_plan
from margin.management.documents import DocumentsCommand
from margin.parameter_files import shipped_library


class Command(DocumentsCommand):
    help = (
        "Print the liquidation plan of each book document, in order: its steps, each with its reason, "
        "figures before and after and expected cost, and how it ends. Nothing is traded. Needs no database, "
        "server or setting. Exit code: 0 done, 1 a plan could not be written, 2 a book was refused (the "
        "others are done)."
    )

    def answer(self, document: object, options: Mapping[str, Any]) -> dict[str, Any]:
        return liquidation_plan(document, shipped_library())
