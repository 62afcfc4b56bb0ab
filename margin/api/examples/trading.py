"""Examples of orders, fills and transfers for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

ORDER_ENTRY = OpenApiExample(
    "enter an order",
    value={
        "instrument": "BTC-USDT-SWAP",
        "side": "buy",
        "quantity": "5",
        "price": "90000",
        "client_id": "c-1",
    },
    request_only=True,
)
_FILL = {
    "order_id": 17,
    "client_id": "t-1",
    "instrument": "BTC-USDT-SWAP",
    "side": "buy",
    "quantity": "2",
    "price": "89990.5",
    "fee": "0.9",
    "fee_currency": "USDT",
}
FILL_REPORT = OpenApiExample("report a fill", value=_FILL, request_only=True)
FILL = OpenApiExample("fill", value={"id": 91, **_FILL, "at": "2025-01-15T10:26:41Z"}, response_only=True)
_WITHDRAWAL = {"currency": "USDT", "amount": "-2500", "client_id": "w-1"}
WITHDRAWAL = OpenApiExample("withdraw", value=_WITHDRAWAL, request_only=True)
TRANSFER = OpenApiExample(
    "transfer", value={"id": 12, **_WITHDRAWAL, "at": "2025-01-15T10:26:41Z"}, response_only=True
)
WITHDRAWABLE = OpenApiExample(
    "withdrawable",
    value={
        "methodology": "okx-2025",
        "as_of": "2025-02-03T10:00:00Z",
        "currencies": [{"currency": "USDT", "amount": "18250.40771"}],
    },
    response_only=True,
)
