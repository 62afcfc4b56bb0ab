"""Random books that are, mostly, past their threshold: large positions and just too little equity."""

from typing import Any

from hypothesis import strategies as st

from margin.engine.simulation import margin_report
from margin.parameter_files import shipped_library
from tests.reference.strategies import books

Document = dict[str, Any]


@st.composite
def distressed_books(draw: st.DrawFn, methodology: str) -> Document:
    """A book whose cash was set so that equity is some fraction of what is required."""
    book = draw(books(methodology))
    scale = draw(st.sampled_from((1, 10, 100)))
    for row in (*book["account"]["positions"], *book["account"]["orders"]):
        row["quantity"] = float(row["quantity"]) * scale
    account = margin_report(book, shipped_library())["account"]
    fraction = draw(st.sampled_from((0.3, 0.7, 0.9, 0.97, 1.0, 1.05, 1.15)))
    wanted = fraction * (account["mmr"] + account["liquidation_fee"])
    cash = float(book["account"]["balances"].get("USD", 0)) + wanted - account["adjusted_equity"]
    book["account"]["balances"]["USD"] = f"{cash:.6f}"
    return book
