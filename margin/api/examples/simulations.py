"""Examples for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

BOOK = OpenApiExample(
    "book document",
    value={
        "as_of": "2025-02-03T10:00:00Z",
        "methodology": "okx-2025",
        "parameters": None,
        "market": {
            "index": {"BTC-USD": 97000.0, "BTC-USDT": 97050.0},
            "fx": {"USDT": 0.9995},
            "instruments": [
                {
                    "id": "BTC-USDT-SWAP",
                    "kind": "perpetual",
                    "underlying": "BTC",
                    "style": "linear",
                    "settle": "USDT",
                    "contract_size": 0.01,
                    "mark": 97060.0,
                }
            ],
        },
        "account": {
            "id": "A-1",
            "hedge_mode": "spot_hedge",
            "balances": {"USDT": "25000"},
            "positions": [{"instrument": "BTC-USDT-SWAP", "quantity": "-10", "entry_price": "96500"}],
            "orders": [],
        },
    },
    request_only=True,
)
REPORT = OpenApiExample(
    "margin report, shortened",
    value={
        "methodology": "okx-2025",
        "parameters": {"version": "2025-01-21", "sha256": "9f2c..."},
        "engine": "1.0.0",
        "as_of": "2025-02-03T10:00:00Z",
        "input_sha256": "51ab...",
        "account": {"id": "A-1", "net_equity": 24932.4, "mmr": 1187.9, "margin_ratio": 19.4},
        "currencies": [{"currency": "USDT", "cash": 25000.0}],
        "risk_units": [{"unit": "BTC", "binding": "positions", "mmr": 1187.9}],
    },
    response_only=True,
)
EXPLANATION = OpenApiExample(
    "explanation, shortened",
    value={
        "BTC": {
            "mmr": {"value": 1184.1, "binding": "positions", "shares": []},
            "components": {
                "mr1": {
                    "value": 1164.7,
                    "counted": True,
                    "cell": {"price_move": 0.12, "vol_shift": "down"},
                    "shares": [
                        {
                            "kind": "position",
                            "instrument": "BTC-USDT-SWAP",
                            "quantity": -10.0,
                            "share": 1164.7,
                        }
                    ],
                }
            },
            "decisions": [{"max": "sum, mr7", "chosen": "sum", "by": 1140.4, "next": "mr7"}],
            "words": "BTC: a rise of 12 % costs 1,165 of the 1,184 required; "
            "the short BTC-USDT-SWAP is 100 % of it.",
        }
    },
    response_only=True,
)
_BOOK_VALUE = BOOK.value
_FIGURES = {"net_equity": 24932.4, "mmr": 1187.9, "imr": 1544.3, "margin_ratio": 19.4, "status": "normal"}
COMPARE = OpenApiExample("book document to compare", value={"book": _BOOK_VALUE}, request_only=True)
COMPARISON = OpenApiExample(
    "comparison, shortened",
    value={
        "okx-2025": _FIGURES,
        "bybit-uta": None,
        "standard": {**_FIGURES, "mmr": 388.2, "imr": 970.6},
        "saving": {
            "okx-2025": {
                "mmr": -799.7,
                "imr": -573.7,
                "without_short_option_value": {"mmr": -799.7, "imr": -573.7},
            },
            "bybit-uta": None,
        },
        "reasons": {"bybit-uta": "parameters: no version of bybit-uta is in force at 2023-01-01T00:00:00Z"},
    },
    response_only=True,
)
SCENARIOS = OpenApiExample(
    "scenarios of one unit, shortened",
    value={
        "BTC": {
            "scenarios": {
                "price_moves": [-0.15, 0.0, 0.15],
                "vol_shifts": ["down", "same", "up"],
                "pnl": [[1455.9, 1455.9, 1455.9], [0.0, 0.0, 0.0], [-1455.9, -1455.9, -1455.9]],
            },
            "worst": {"price_move": 0.15, "vol_shift": "down", "pnl": -1455.9},
        }
    },
    response_only=True,
)
CURVE = OpenApiExample(
    "curve against the price of BTC",
    value={"book": _BOOK_VALUE, "coin": "BTC", "axis": "price", "moves": [-0.2, 0.0, 0.2, 0.4]},
    request_only=True,
)
CURVE_DRAWN = OpenApiExample(
    "curve, shortened",
    value={
        "coin": "BTC",
        "axis": "price",
        "points": [{"move": 0.0, "equity": 24932.4, "mmr": 1187.9, "margin_ratio": 19.4}],
        "liquidation_moves": [0.232],
        "liquidation_prices": [119504.0],
    },
    response_only=True,
)
WHAT_IF = OpenApiExample(
    "another contract while BTC falls",
    value={
        "book": _BOOK_VALUE,
        "changes": {
            "positions": [{"instrument": "BTC-USDT-SWAP", "quantity": "5", "entry_price": "97060"}],
            "balances": {"USDT": "-1000"},
            "shifts": {"price": {"BTC": -0.1}, "vol_points": 5, "fx": {"USDT": 0.98}, "seconds": 3600},
        },
    },
    request_only=True,
)
WHAT_IF_ANSWER = OpenApiExample(
    "what-if, shortened",
    value={
        "before": REPORT.value,
        "after": REPORT.value,
        "difference": {
            "account": {"net_equity": 3411.8, "mmr": -594.0, "margin_ratio": 22.1},
            "risk_units": [{"unit": "BTC", "mmr": -594.0, "imr": -772.2}],
        },
    },
    response_only=True,
)
