"""Examples of tokens and webhooks for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

_TOKEN = {
    "id": "5f1c0c2e9a7b4d10",
    "name": "hedger",
    "tenant": "acme",
    "scopes": ["read", "trade"],
    "networks": ["198.51.100.0/24"],
    "enabled": True,
    "expires_at": "2025-04-15T10:26:41Z",
    "created_by": "token:90aa31bc77de0214",
    "created_at": "2025-01-15T10:26:41Z",
    "last_used_at": None,
}
TOKEN = OpenApiExample("token", value=_TOKEN, response_only=True)
TOKEN_ISSUED = OpenApiExample(
    "token with its text, this once",
    value={**_TOKEN, "token": "pm_5f1c0c2e9a7b4d10.<43 characters>"},
    response_only=True,
)
TOKEN_CREATE = OpenApiExample(
    "issue a token",
    value={
        "name": "hedger",
        "scopes": ["read", "trade"],
        "days": 90,
        "networks": ["198.51.100.0/24"],
    },
    request_only=True,
)
_WEBHOOK = {
    "id": 3,
    "tenant": "acme",
    "url": "https://desk.example.org/margin",
    "events": ["margin", "parameters", "warning"],
    "enabled": True,
    "rotated_until": None,
    "created_at": "2025-01-15T10:26:41Z",
}
WEBHOOK = OpenApiExample("webhook", value=_WEBHOOK, response_only=True)
WEBHOOK_ISSUED = OpenApiExample(
    "webhook with its secret, this once",
    value={**_WEBHOOK, "secret": "whs_<43 characters>"},
    response_only=True,
)
WEBHOOK_CREATE = OpenApiExample(
    "be told of warnings",
    value={"url": "https://desk.example.org/margin", "events": ["margin", "warning", "parameters"]},
    request_only=True,
)
WEBHOOK_CHANGE = OpenApiExample("pause", value={"enabled": False}, request_only=True)
DELIVERY = OpenApiExample(
    "delivery",
    value={
        "id": 81,
        "event": 4711,
        "state": "delivered",
        "attempts": 1,
        "last_error": "",
        "created_at": "2025-01-15T10:26:41Z",
        "delivered_at": "2025-01-15T10:26:42Z",
    },
    response_only=True,
)
