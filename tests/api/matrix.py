"""Who may do what: every route of the API, verb by verb. A new route is added here, or a test fails."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver

from pmplatform.common.tokens import Scope

VERBS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
READ, TRADE, RISK = Scope.READ, Scope.TRADE, Scope.RISK
PARAMETERS, LIQUIDATION = Scope.PARAMETERS, Scope.LIQUIDATION


@dataclass(frozen=True)
class Access:
    """What a verb of a route needs.

    Attributes
    ----------
    scope : None where any principal will do.
    open : whether it answers without credentials.
    signed : whether a signature is the only credential, so that no token or session is one.
    platform : whether no tenant may, whatever its scopes.
    owned : whether it is about something of one tenant, which others do not find.
    body : a body good enough to be looked for.
    query : parameters without which it refuses.
    """

    scope: Scope | None = None
    open: bool = False
    signed: bool = False
    platform: bool = False
    owned: bool = False
    body: Any = None
    query: str = ""


def mine(scope: Scope = READ, body: Any = None, query: str = "") -> Access:
    """About something of one tenant."""
    return Access(scope, owned=True, body=body, query=query)


def ours(scope: Scope) -> Access:
    """The platform's alone."""
    return Access(scope, platform=True)


OPEN: Final = Access(open=True)
SIGNED: Final = Access(signed=True)
_FILL: Final = {
    "instrument": "BTC-USDT-SWAP",
    "side": "buy",
    "quantity": "1",
    "price": "1",
    "fee": "0",
    "fee_currency": "USDT",
}
_ORDER: Final = {name: _FILL[name] for name in ("instrument", "side", "quantity", "price")}
_ACCOUNT: Final = "accounts/<int:account_id>"
_VERSION: Final = "parameters/versions/<int:version_id>"
_CASE: Final = "liquidation/cases/<int:case_id>"
_WEBHOOK: Final = "webhooks/<int:webhook_id>"

#: By route below `/api/v1/`, then verb.
MATRIX: Final[Mapping[str, Mapping[str, Access]]] = {
    "accounts": {"GET": Access(READ), "POST": Access(TRADE)},
    _ACCOUNT: {"GET": mine(), "PATCH": mine(TRADE, {"methodology": "standard"})},
    f"{_ACCOUNT}/balances": {"GET": mine()},
    f"{_ACCOUNT}/positions": {"GET": mine()},
    f"{_ACCOUNT}/ledger": {"GET": mine()},
    f"{_ACCOUNT}/hedge-limits": {"GET": mine(), "PUT": mine(TRADE, {"hedge_limits": {}})},
    f"{_ACCOUNT}/orders": {"GET": mine(), "POST": mine(TRADE, _ORDER)},
    f"{_ACCOUNT}/orders/<int:order_id>": {"DELETE": mine(TRADE)},
    f"{_ACCOUNT}/fills": {"GET": mine(), "POST": mine(TRADE, _FILL)},
    f"{_ACCOUNT}/transfers": {"GET": mine(), "POST": mine(TRADE, {"currency": "USDT", "amount": "1"})},
    f"{_ACCOUNT}/withdrawable": {"GET": mine()},
    f"{_ACCOUNT}/eligibility": {"GET": mine()},
    f"{_ACCOUNT}/declarations": {"POST": mine(TRADE, {"version": "2025-01"})},
    f"{_ACCOUNT}/enrol": {"POST": mine(TRADE)},
    f"{_ACCOUNT}/leave": {"POST": mine(TRADE)},
    f"{_ACCOUNT}/margin": {"GET": mine()},
    f"{_ACCOUNT}/scenarios": {"GET": mine()},
    f"{_ACCOUNT}/explain": {"GET": mine()},
    f"{_ACCOUNT}/comparison": {"GET": mine()},
    f"{_ACCOUNT}/curve": {"GET": mine()},
    f"{_ACCOUNT}/history": {"GET": mine()},
    f"{_ACCOUNT}/as-of": {"GET": mine(query="?at=2025-02-03T10:00:00Z")},
    f"{_ACCOUNT}/liquidation-plan": {"GET": mine()},
    "instruments": {"GET": Access(READ)},
    "tokens": {"GET": Access(TRADE), "POST": Access(TRADE)},
    "tokens/<str:token_id>": {"DELETE": mine(TRADE)},
    "webhooks": {"GET": Access(TRADE), "POST": Access(TRADE)},
    _WEBHOOK: {"GET": mine(TRADE), "PATCH": mine(TRADE, {"enabled": False}), "DELETE": mine(TRADE)},
    f"{_WEBHOOK}/rotate": {"POST": mine(TRADE)},
    f"{_WEBHOOK}/deliveries": {"GET": mine(TRADE)},
    "simulations": {"POST": Access(READ)},
    "simulations/explain": {"POST": Access(READ)},
    "simulations/compare": {"POST": Access(READ)},
    "simulations/curve": {"POST": Access(READ)},
    "simulations/what-if": {"POST": Access(READ)},
    "simulations/liquidation": {"POST": Access(READ)},
    "runs": {"GET": ours(READ), "POST": ours(RISK)},
    "runs/<int:run_id>": {"GET": ours(READ)},
    "runs/<int:run_id>/cancel": {"POST": ours(RISK)},
    "market/snapshots": {"GET": Access(READ), "POST": ours(RISK)},
    "market/snapshots/<int:sequence>": {"GET": Access(READ)},
    "market/state": {"GET": Access(READ)},
    "market/guards": {"GET": Access(READ)},
    "parameters/in-force": {"GET": Access()},
    "parameters/rollback": {"POST": ours(PARAMETERS)},
    "parameters/versions": {"GET": ours(READ), "POST": ours(PARAMETERS)},
    _VERSION: {"GET": ours(READ), "PUT": ours(PARAMETERS)},
    f"{_VERSION}/diff": {"GET": ours(READ)},
    f"{_VERSION}/impact": {"GET": ours(READ), "POST": ours(PARAMETERS)},
    f"{_VERSION}/impact/accounts": {"GET": ours(READ)},
    f"{_VERSION}/propose": {"POST": ours(PARAMETERS)},
    f"{_VERSION}/withdraw": {"POST": ours(PARAMETERS)},
    f"{_VERSION}/approve": {"POST": ours(PARAMETERS)},
    f"{_VERSION}/reject": {"POST": ours(PARAMETERS)},
    f"{_VERSION}/schedule": {"POST": ours(PARAMETERS)},
    "liquidation/cases": {"GET": Access(READ)},
    _CASE: {"GET": mine()},
    f"{_CASE}/steps": {"GET": mine()},
    f"{_CASE}/orders": {"GET": mine()},
    f"{_CASE}/approve": {"POST": ours(LIQUIDATION)},
    f"{_CASE}/pause": {"POST": ours(LIQUIDATION)},
    f"{_CASE}/resume": {"POST": ours(LIQUIDATION)},
    "liquidation/executions": {"POST": SIGNED},
    "liquidation/controls": {"GET": ours(READ), "PATCH": ours(LIQUIDATION)},
    "liquidation/risk-states": {"GET": Access(READ)},
    "liquidation/risk-states/<str:underlying>": {"PUT": ours(RISK)},
    "liquidation/fund": {"GET": ours(READ)},
    "liquidation/fund/entries": {"GET": ours(READ)},
    "liquidation/fund/transfers": {"POST": ours(LIQUIDATION)},
    "stream": {"GET": Access(READ)},
    "health/live": {"GET": OPEN},
    "health/ready": {"GET": OPEN},
    "health/metrics": {"GET": ours(READ)},
}


def routes() -> dict[str, set[str]]:
    """Every route of the URLconf below `/api/v1/`, with the verbs that some view of it has."""
    found: dict[str, set[str]] = {}
    for route, view in _views(get_resolver().url_patterns, ""):
        if route.startswith("api/v1/"):
            verbs = {verb for verb in VERBS if hasattr(view, verb.lower())}
            # The first view of a route serves it; a second one is never reached.
            found.setdefault(route.removeprefix("api/v1/"), verbs)
    return found


def _views(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, route)
        else:
            yield route, getattr(pattern.callback, "view_class", None)
