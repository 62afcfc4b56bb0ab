"""Examples in the words of venues, for the API's documentation; shortened."""

from drf_spectacular.utils import OpenApiExample

OKX_REQUEST = OpenApiExample(
    "position builder (format=okx)",
    value={
        "inclRealPosAndEq": False,
        "simPos": [{"instId": "BTC-USDT-SWAP", "pos": "-10", "avgPx": "100000"}],
        "simAsset": [{"ccy": "USDT", "amt": "100"}],
    },
    request_only=True,
)
OKX = OpenApiExample(
    "position builder (format=okx), shortened",
    value={
        "code": "0",
        "msg": "",
        "data": [
            {
                "eq": "390.58",
                "totalMmr": "1183.82",
                "totalImr": "1538.97",
                "marginRatio": "0.33",
                "ts": "1736936801642",
                "assets": [{"ccy": "USDT", "availEq": "390.63", "spotInUse": "0"}],
                "riskUnitData": [{"riskUnit": "BTC", "mmr": "1183.82", "mr1": "1164.41", "mr4": "19.41"}],
            }
        ],
    },
    response_only=True,
)
BYBIT = OpenApiExample(
    "portfolio margin (format=bybit), shortened",
    value={
        "retCode": 0,
        "retMsg": "success",
        "result": {
            "wallet": {"equity": "44968.51", "accountIM": "1293.65", "accountMM": "1074.28"},
            "assetPnlRange": [{"baseCoin": "BTC", "maxLossPriceMove": "-0.1", "maxLossIvShock": "-0.2"}],
        },
        "time": 1774319290506,
    },
    response_only=True,
)
