"""Examples of eligibility for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

_TRANSITION = {
    "kind": "enrolled",
    "from_state": "standard",
    "to_state": "active",
    "methodology": "okx-2025",
    "from_margin": "standard",
    "to_margin": "okx-2025",
    "reasons": [],
    "snapshot": 40,
    "net_equity": "24932.41",
    "min_net_equity": "10000",
    "declaration": "2025-01",
    "evidence": {"adjusted_equity": "24932.41", "imr": "1544.3", "as_of": "2025-02-03T10:00:00+00:00"},
    "by": "token:0c1d2e3f4a5b6c7d",
    "at": "2025-02-03T10:00:05Z",
}
ELIGIBILITY = OpenApiExample(
    "eligibility of an enrolled account",
    value={
        "state": "active",
        "methodology": "okx-2025",
        "margin_methodology": "okx-2025",
        "is_restricted": False,
        "margin_due_at": None,
        "confirmations": 0,
        "confirmations_needed": 2,
        "net_equity": "24932.41",
        "min_net_equity": "10000",
        "reasons": [],
        "declaration": {
            "version": "2025-01",
            "text": "I understand that ...",
            "accepted_at": "2025-02-03T09:58:00Z",
        },
        "history": [_TRANSITION],
    },
    response_only=True,
)
ACCEPT = OpenApiExample("accept the declaration", value={"version": "2025-01"}, request_only=True)
ACCEPTANCE = OpenApiExample(
    "acceptance",
    value={
        "version": "2025-01",
        "by": "token:0c1d2e3f4a5b6c7d",
        "at": "2025-02-03T09:58:00Z",
        "address": "192.0.2.7",
    },
    response_only=True,
)
ENROL = OpenApiExample("enrol", value={"methodology": "okx-2025"}, request_only=True)
TERMS = OpenApiExample(
    "another methodology", value={"methodology": "bybit-uta", "hedge_mode": "spot_hedge"}, request_only=True
)
