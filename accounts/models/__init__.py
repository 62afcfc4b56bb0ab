from accounts.models.account import Account, HedgeLimit
from accounts.models.instrument import Instrument
from accounts.models.ledger import Balance, LedgerEntry, Position
from accounts.models.order import Order
from accounts.models.tenant import ApiToken, Tenant, TenantGrant, User

__all__ = [
    "Account",
    "ApiToken",
    "Balance",
    "HedgeLimit",
    "Instrument",
    "LedgerEntry",
    "Order",
    "Position",
    "Tenant",
    "TenantGrant",
    "User",
]
