from liquidation.models.cases import LiquidationCase, LiquidationStep
from liquidation.models.controls import LiquidationControls
from liquidation.models.fund import FundBalance, FundEntry, FundPosition
from liquidation.models.orders import LiquidationFill, LiquidationOrder
from liquidation.models.watches import MarginWatch, RunReview

__all__ = [
    "FundBalance",
    "FundEntry",
    "FundPosition",
    "LiquidationCase",
    "LiquidationControls",
    "LiquidationFill",
    "LiquidationOrder",
    "LiquidationStep",
    "MarginWatch",
    "RunReview",
]
