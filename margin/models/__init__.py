from margin.models.market import MarketSnapshot, SettlementPrice
from margin.models.parameters import ParameterVersion
from margin.models.results import MarginResult, UnitResult
from margin.models.runs import Blob, MarginRun, MarginRunPart

__all__ = [
    "Blob",
    "MarginResult",
    "MarginRun",
    "MarginRunPart",
    "MarketSnapshot",
    "ParameterVersion",
    "SettlementPrice",
    "UnitResult",
]
