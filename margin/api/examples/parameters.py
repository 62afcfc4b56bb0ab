"""Examples of parameter versions for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

_VERSION = {
    "id": 12,
    "methodology": "okx-classic",
    "version": "2025-01-06",
    "effective_from": "2025-01-06T08:00:00Z",
    "sha256": "9f2c" + "0" * 60,
    "origin": "proposal",
    "state": "proposed",
    "created_at": "2024-12-20T09:00:00Z",
    "created_by": "user:alice",
    "proposer": "user:alice",
    "proposed_at": "2024-12-20T09:30:00Z",
    "approver": None,
    "second_approver": None,
    "approvals_needed": 1,
    "approved_at": None,
    "closed_by": None,
    "closed_at": None,
    "reason": "",
    "replaces": None,
    "restores": None,
}
_DOCUMENT = {
    "methodology": "okx-classic",
    "version": "2025-01-06",
    "effective_from": "2025-01-06T08:00:00Z",
    "imr_factor": 1.3,
}
_MMR = {"before": 1_250_000.0, "after": 1_100_000.0, "change": -150_000.0, "ratio": -0.12}
_NOBODY: dict[str, object] = {"count": 0, "accounts": []}

VERSION = OpenApiExample("parameter version", value=_VERSION, response_only=True)
VERSION_DETAIL = OpenApiExample(
    "parameter version with its document",
    value={
        **_VERSION,
        "document": _DOCUMENT,
        "approval": {
            "reasons": ["There is no impact report of this document against the version in force."],
            "cautions": [],
            "approvals_needed": 1,
        },
    },
    response_only=True,
)
DRAFT = OpenApiExample("draft", value={"document": _DOCUMENT}, request_only=True)
REASON = OpenApiExample("reason", value={"reason": "the venue has postponed it"}, request_only=True)
ROLLBACK = OpenApiExample(
    "roll back",
    value={"methodology": "okx-classic", "version": "2024-06-05", "reason": "margin too low in the fall"},
    request_only=True,
)
DIFF = OpenApiExample(
    "difference",
    value={
        "base": "2024-06-05",
        "proposed": "2025-01-06",
        "changes": [{"path": "mr6.price_move.tier1", "old": 0.3, "new": 0.24, "relative": -0.2}],
    },
    response_only=True,
)
IMPACT_REQUEST = OpenApiExample("against a version", value={"base": "2024-06-05"}, request_only=True)
IMPACT = OpenApiExample(
    "impact report",
    value={
        "id": 3,
        "base": "2024-06-05",
        "proposed": "2025-01-06",
        "document_sha256": _VERSION["sha256"],
        "snapshot": 88,
        "as_of": "2024-12-20T10:00:00Z",
        "base_run": 140,
        "proposed_run": 141,
        "state": "completed",
        "newly_liquidatable": 0,
        "newly_blocked": 0,
        "report": {
            "accounts": 1000,
            "mmr": _MMR,
            "imr": _MMR,
            "histogram": [{"from": -0.25, "to": -0.1, "accounts": 640}],
            "newly_liquidatable": _NOBODY,
            "newly_warned": _NOBODY,
            "newly_refused": _NOBODY,
            "largest": [],
            "blocked": 0,
            "newly_blocked": {},
        },
        "failure": "",
        "requested_by": "user:alice",
        "created_at": "2024-12-20T10:00:01Z",
        "finished_at": "2024-12-20T10:00:05Z",
    },
    response_only=True,
    status_codes=["200", "202"],
)
IMPACT_ACCOUNT = OpenApiExample(
    "account of an impact report",
    value={
        "account": 17,
        "code": "DEMO-0017",
        "before": {"status": "normal", "mmr": "1810.42", "imr": "2353.55"},
        "after": {"status": "normal", "mmr": "1448.34", "imr": "1882.84"},
    },
    response_only=True,
)
IN_FORCE = OpenApiExample(
    "in force",
    value={
        "methodology": "okx-classic",
        "version": "2025-01-06",
        "effective_from": "2025-01-06T08:00:00Z",
        "sha256": _VERSION["sha256"],
        "document": _DOCUMENT,
    },
    response_only=True,
)
