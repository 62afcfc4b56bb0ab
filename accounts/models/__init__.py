from accounts.models.account import Account, HedgeLimit
from accounts.models.activity import Fill, Settlement, Transfer
from accounts.models.eligibility import (
    Declaration,
    DeclarationAcceptance,
    EligibilityTransition,
    EligibilityWatch,
)
from accounts.models.instrument import Instrument
from accounts.models.ledger import Balance, LedgerEntry, Position
from accounts.models.order import Order
from accounts.models.tenant import ApiToken, Tenant, TenantGrant, User
from accounts.models.webhook import Webhook, WebhookDelivery

__all__ = [
    "Account",
    "ApiToken",
    "Balance",
    "Declaration",
    "DeclarationAcceptance",
    "EligibilityTransition",
    "EligibilityWatch",
    "Fill",
    "HedgeLimit",
    "Instrument",
    "LedgerEntry",
    "Order",
    "Position",
    "Settlement",
    "Tenant",
    "TenantGrant",
    "Transfer",
    "User",
    "Webhook",
    "WebhookDelivery",
]
