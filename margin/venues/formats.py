"""The venues in whose words margin can be had."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from margin.engine.documents.book import BookDocument
from margin.venues.bybit import portfolio_margin
from margin.venues.okx import position_builder


class VenueFormat(StrEnum):
    OKX = "okx"
    BYBIT = "bybit"

    def of(self, book: BookDocument, report: Mapping[str, Any]) -> dict[str, Any]:
        """A stored account's margin in the venue's words."""
        if self is VenueFormat.OKX:
            return position_builder(book, report, is_real=True)
        return portfolio_margin(book, report)
