"""Plans of book documents by the shipped parameters, for tests."""

from typing import Any, Final

from liquidation.planner.document import liquidation_plan
from liquidation.planner.plan import Trigger
from margin.parameter_files import shipped_library

Document = dict[str, Any]

#: The version of each methodology that holds at the time of the books built by hand.
VERSIONS: Final = {
    "okx-2025": "2025-01-21",
    "okx-classic": "2025-01-15",
    "bybit-uta": "2025-01-10",
    "standard": "2020-01-01",
}


def plan(document: Document, continuing: Trigger | None = None) -> Document:
    """The plan of a book document."""
    return liquidation_plan(document, shipped_library(), continuing)


def by(methodology: str, document: Document) -> Document:
    """The book under another methodology."""
    return document | {"methodology": methodology, "parameters": VERSIONS[methodology]}


def kinds(found: Document) -> list[str]:
    """The kinds of a plan's steps, in order."""
    return [step["kind"] for step in found["steps"]]


def traded(step: Document) -> dict[str, float]:
    """Signed contracts by instrument."""
    return {
        trade["instrument"]: float(trade["quantity"]) * (1 if trade["side"] == "buy" else -1)
        for trade in step["trades"]
    }


def held(found: Document) -> dict[str, float]:
    """Contracts by instrument after the last step."""
    return {row["instrument"]: float(row["quantity"]) for row in found["account"]["positions"]}


def cash(found: Document) -> dict[str, float]:
    """Balances after the last step."""
    return {currency: float(amount) for currency, amount in found["account"]["balances"].items()}
