from margin.models.market import MarketGuardEvent, MarketSnapshot, SettlementPrice
from margin.models.parameters import ImpactReport, ParameterVersion
from margin.models.results import MarginReport, MarginResult, UnitResult
from margin.models.risk import RiskState
from margin.models.runs import Blob, MarginRun, MarginRunPart, Session

__all__ = [
    "Blob",
    "ImpactReport",
    "MarginReport",
    "MarginResult",
    "MarginRun",
    "MarginRunPart",
    "MarketGuardEvent",
    "MarketSnapshot",
    "ParameterVersion",
    "RiskState",
    "Session",
    "SettlementPrice",
    "UnitResult",
]
