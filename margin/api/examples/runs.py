"""Examples of runs for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

_RUN = {
    "id": 12,
    "snapshot": 40,
    "as_of": "2025-02-03T10:00:00Z",
    "engine": "1.0.0",
    "ledger_position": 4711,
    "reason": "manual",
    "state": "margin",
    "accounts": 2060,
    "accounts_done": 2048,
    "parts_total": 6,
    "parts_done": 5,
    "created_at": "2025-02-03T10:00:02Z",
    "finished_at": None,
    "result_sha256": "",
    "failure": "",
}
RUN = OpenApiExample("run", value=_RUN, response_only=True, status_codes=["200", "202"])
RUN_CANCELLED = OpenApiExample(
    "run that was cancelled",
    value={
        **_RUN,
        "state": "cancelled",
        "finished_at": "2025-02-03T10:00:03Z",
        "failure": "Cancelled by token:5f1c0c2e9a7b4d10.",
    },
    response_only=True,
)
RUN_DETAIL = OpenApiExample(
    "run with its parts",
    value={
        **_RUN,
        "blocked": {"88": "holds ETH-USDT-SWAP, which the snapshot does not list"},
        "parts": [
            {
                "kind": "margin",
                "name": "okx-2025/0001",
                "state": "claimed",
                "attempts": 1,
                "accounts": 12,
                "failure": "",
            }
        ],
    },
    response_only=True,
)
