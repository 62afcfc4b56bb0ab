"""Examples of cases, controls and the insurance fund for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

_CASE = {
    "id": 7,
    "account": 88,
    "tenant": "acme",
    "trigger": "liquidation",
    "state": "working",
    "outcome": None,
    "deficit_usd": 4120.5,
    "steps_done": 1,
    "approved_step": 0,
    "attempts": 0,
    "blocked": "",
    "failure": "",
    "opened_at": "2025-02-03T10:00:05Z",
    "closed_at": None,
}
CASE = OpenApiExample("case", value=_CASE, response_only=True)
CASE_DETAIL = OpenApiExample(
    "case with its evidence",
    value={**_CASE, "evidence": {"run": 12, "margin_ratio": 0.97}, "proposal": None, "residuals": None},
    response_only=True,
)
STEP = OpenApiExample(
    "step",
    value={
        "number": 1,
        "state": "done",
        "kind": "reduce_delta",
        "unit": "BTC",
        "component": "mr1",
        "reason": "MR1 binds at -12 %: the long perpetual is the largest part of it.",
        "cost_usd": 31.4,
        "trades": [{"instrument": "BTC-USDT-SWAP", "quantity": "-12"}],
        "before": {"mmr": 9100.0, "margin_ratio": 0.97},
        "after": {"mmr": 7300.0, "margin_ratio": 1.2},
        "reached": {"mmr": 7301.2, "margin_ratio": 1.199},
        "snapshot": 40,
        "parameters": "2025-01-21",
        "engine": "1.0.0",
        "at": "2025-02-03T10:00:06Z",
        "done_at": "2025-02-03T10:00:06Z",
    },
    response_only=True,
)
ORDER = OpenApiExample(
    "order",
    value={
        "id": 31,
        "step": 1,
        "key": "9f2c...",
        "instrument": "BTC-USDT-SWAP",
        "side": "sell",
        "quantity": "12",
        "mark": "97000",
        "limit_price": "96515",
        "status": "filled",
        "failure": "",
        "created_at": "2025-02-03T10:00:06Z",
        "ended_at": "2025-02-03T10:00:06Z",
    },
    response_only=True,
)
APPROVAL = OpenApiExample("approve", value={"step": 2, "reason": "as planned"}, request_only=True)
DECISION = OpenApiExample("decide", value={"reason": "the venue is down"}, request_only=True)
CONTROLS = OpenApiExample(
    "controls",
    value={
        "kill_switch": True,
        "approve_mode": False,
        "reason": "the venue is down",
        "changed_by": "token:5f1c0c2e9a7b4d10",
        "changed_at": "2025-02-03T10:00:05Z",
    },
    response_only=True,
)
CONTROLS_CHANGE = OpenApiExample(
    "stop all steps", value={"kill_switch": True, "reason": "the venue is down"}, request_only=True
)
RISK_STATE = OpenApiExample(
    "risk state",
    value={
        "underlying": "BTC",
        "mode": "reduce_only",
        "reason": "thin books",
        "changed_by": "token:5f1c0c2e9a7b4d10",
        "changed_at": "2025-02-03T10:00:05Z",
    },
    response_only=True,
)
RISK_STATE_CHANGE = OpenApiExample(
    "no new risk", value={"mode": "reduce_only", "reason": "thin books"}, request_only=True
)
FUND = OpenApiExample(
    "fund",
    value={
        "balances": {"USDT": "1000000"},
        "positions": [{"instrument": "BTC-USDT-SWAP", "quantity": "-3", "entry_price": "97000"}],
    },
    response_only=True,
)
FUND_ENTRY = OpenApiExample(
    "entry",
    value={
        "id": 4,
        "kind": "deposit",
        "subject": "balance:USDT",
        "amount": "1000000",
        "price": None,
        "case": None,
        "by": "token:5f1c0c2e9a7b4d10",
        "reason": "first funding",
        "at": "2025-02-03T10:00:05Z",
    },
    response_only=True,
)
FUND_TRANSFER = OpenApiExample(
    "deposit",
    value={"currency": "USDT", "amount": "1000000", "reason": "first funding"},
    request_only=True,
)
FUND_BALANCE = OpenApiExample("balance", value={"currency": "USDT", "amount": "1000000"}, response_only=True)
EXECUTION_REPORT = OpenApiExample(
    "half of an order",
    value={
        "key": "9f2c4be0a1d3",
        "status": "open",
        "fills": [
            {"id": "t-881", "quantity": "6", "price": "96990", "fee": "2.9", "fee_currency": "USDT"},
        ],
    },
    request_only=True,
)
EXECUTION_RECEIPT = OpenApiExample(
    "booked",
    value={"key": "9f2c4be0a1d3", "status": "sent", "filled": "6", "booked": 1},
    response_only=True,
)
