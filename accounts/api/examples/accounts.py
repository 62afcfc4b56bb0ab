"""Examples for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

ACCOUNT = OpenApiExample(
    "account",
    value={
        "id": 7,
        "code": "A-1",
        "name": "Volatility desk",
        "tenant": "acme",
        "methodology": "okx-2025",
        "margin_methodology": "standard",
        "hedge_mode": "spot_hedge",
        "eligibility_state": "standard",
        "reduce_only": False,
        "in_liquidation": False,
        "ledger_position": 4711,
        "created_at": "2025-01-15T10:26:41Z",
    },
    response_only=True,
)
ACCOUNT_CREATE = OpenApiExample(
    "open an account",
    value={"code": "A-1", "name": "Volatility desk", "methodology": "okx-2025", "hedge_mode": "spot_hedge"},
    request_only=True,
)
BALANCE = OpenApiExample("balance", value={"currency": "BTC", "amount": "1.5"}, response_only=True)
POSITION = OpenApiExample(
    "position",
    value={"instrument": "BTC-USDT-SWAP", "quantity": "-10", "entry_price": "100000"},
    response_only=True,
)
ORDER = OpenApiExample(
    "order",
    value={
        "id": 17,
        "client_id": "c-1",
        "instrument": "BTC-USDT-SWAP",
        "side": "buy",
        "quantity": "5",
        "open_quantity": "5",
        "price": "90000",
        "state": "open",
        "created_at": "2025-01-15T10:26:41Z",
    },
    response_only=True,
)
LEDGER_ENTRY = OpenApiExample(
    "ledger entry",
    value={
        "id": 4711,
        "kind": "transfer",
        "subject": "balance:USDT",
        "before": {"amount": "100"},
        "after": {"amount": "250.5"},
        "by": "token:0c1d2e3f4a5b6c7d",
        "request_id": "5f1c0c2e",
        "at": "2025-01-15T10:26:41Z",
    },
    response_only=True,
)
HEDGE_LIMIT = OpenApiExample(
    "hedge limit", value={"coin": "BTC", "ratio": "0.5", "max_amount": "12"}, response_only=True
)
HEDGE_LIMITS = OpenApiExample(
    "hedge limits", value={"hedge_limits": {"BTC": {"ratio": "0.5", "max_amount": "12"}}}
)
INSTRUMENT = OpenApiExample(
    "perpetual",
    value={
        "id": "BTC-USDT-SWAP",
        "kind": "perpetual",
        "underlying": "BTC",
        "settle": "USDT",
        "style": "linear",
        "contract_size": "0.01",
        "expiry": None,
        "strike": None,
        "option_type": None,
        "state": "listed",
    },
    response_only=True,
)
