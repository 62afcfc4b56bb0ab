"""Examples of the market's routes for the API's documentation."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from margin.api.examples.simulations import BOOK

_BOOK: Final[dict[str, Any]] = BOOK.value
_SNAPSHOT: Final[dict[str, Any]] = {
    "sequence": 1204,
    "as_of": "2025-02-03T10:00:00Z",
    "received_at": "2025-02-03T10:00:00.412Z",
    "source": "token:4f1c9a02b7d3e865",
    "sha256": "9f2c...",
    "instruments": 812,
    "unchanged_since": "2025-02-03T10:00:00Z",
    "held": {},
}
PUBLISH = OpenApiExample(
    "market snapshot",
    value={"as_of": _BOOK["as_of"], "market": _BOOK["market"]},
    request_only=True,
)
SNAPSHOT = OpenApiExample("snapshot", value=_SNAPSHOT, response_only=True)
SNAPSHOT_DETAIL = OpenApiExample(
    "snapshot with its market",
    value={**_SNAPSHOT, "settlement": {}, "market": _BOOK["market"]},
    response_only=True,
)
STATE = OpenApiExample(
    "a market in HOLD",
    value={
        "snapshot": 1205,
        "as_of": "2025-02-03T10:00:05Z",
        "age_seconds": 1.2,
        "status": "hold",
        "is_old": False,
        "is_stuck": False,
        "is_held": True,
        "reasons": ["fx.USDT jumped from 1 to 0.65, which is not confirmed"],
        "limits": {
            "snapshot_max_age": 120.0,
            "stuck_seconds": 300.0,
            "stable_jump": 0.1,
            "index_jump": {"BTC": 0.24, "*": 0.5},
        },
    },
    response_only=True,
)
GUARD_EVENT = OpenApiExample(
    "refused snapshot",
    value={
        "id": 7,
        "at": "2025-02-03T10:00:04Z",
        "kind": "refused",
        "source": "okx",
        "as_of": "2025-02-03T10:00:04Z",
        "snapshot": None,
        "reasons": ["market.instruments: lacks BTC-USDT-SWAP, which is in use"],
    },
    response_only=True,
)
