"""Examples of dry runs for the API's documentation."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

from margin.api.examples.simulations import BOOK as HEALTHY

_BOOK: Final = HEALTHY.value
BOOK = OpenApiExample(
    "book past its threshold",
    value=_BOOK | {"account": _BOOK["account"] | {"balances": {"USDT": "1000"}}},
    request_only=True,
)
PLAN = OpenApiExample(
    "plan, shortened",
    value={
        "methodology": "okx-2025",
        "parameters": {"version": "2025-01-21", "sha256": "e09b..."},
        "engine": "1.0.0",
        "input_sha256": "e021...",
        "trigger": "liquidation",
        "initial": {"mmr": 1183.4, "margin_ratio": 0.797, "status": "liquidation", "deficit": 358.2},
        "steps": [
            {
                "number": 1,
                "kind": "close",
                "unit": "BTC",
                "component": "mr1",
                "reason": "mr1 (USD 1,164.02) leads BTC, which requires USD 1,183.42: of all positions, "
                "reducing BTC-USDT-SWAP by 3 contracts lowers the deficit most for what it costs",
                "cost_usd": 1.46,
                "trades": [
                    {
                        "instrument": "BTC-USDT-SWAP",
                        "side": "buy",
                        "quantity": "3",
                        "price": "97060",
                        "cost_usd": 1.46,
                    }
                ],
                "conversions": [],
                "cancelled": 0,
                "before": {"mmr": 1183.4, "margin_ratio": 0.797, "status": "liquidation", "deficit": 358.2},
                "after": {"mmr": 828.4, "margin_ratio": 1.137, "status": "warning", "deficit": -30.8},
            }
        ],
        "outcome": "safe",
        "shortfall_usd": 0.0,
        "account": {
            "id": "A-1",
            "hedge_mode": "spot_hedge",
            "hedge_limits": {},
            "balances": {"USDT": "981.7441"},
            "positions": [{"instrument": "BTC-USDT-SWAP", "quantity": "-7", "entry_price": 96500.0}],
            "orders": [],
        },
    },
    response_only=True,
)
