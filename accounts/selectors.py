"""Reads: for a principal, cut to what it may see; for margin, plain tuples (``*_rows``)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from accounts.choices import DeliveryState, InstrumentKind, InstrumentState, OrderState
from accounts.documents import InstrumentDocument
from accounts.models import (
    Account,
    ApiToken,
    Balance,
    Fill,
    HedgeLimit,
    Instrument,
    LedgerEntry,
    Order,
    Position,
    Tenant,
    TenantGrant,
    Transfer,
    Webhook,
    WebhookDelivery,
)
from pmplatform.common.columns import plain_row, plain_value
from pmplatform.common.errors import NotFound, NotPermitted, ValidationFailed
from pmplatform.common.principals import Principal

_Owned = TypeVar("_Owned", ApiToken, Webhook)
_TENANT_OF: Final = "SELECT tenant_id FROM accounts_account WHERE id = %(account)s"
_TOKEN_FIELDS: Final = (
    *("id", "public_id", "digest", "tenant_id", "scopes", "networks", "enabled", "expires_at"),
    "last_used_at",
)
_TOKEN: Final = """
    SELECT id, public_id, digest, tenant_id, scopes, networks, enabled, expires_at, last_used_at
    FROM accounts_apitoken WHERE public_id = %(public_id)s
"""
_NO_ACCOUNT: Final = "There is no such account."
_NOT_WRITABLE: Final = "You may read this account, but not change it."


def tenant_get(*, slug: str) -> Tenant:
    """Raises NotFound."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise NotFound(f"There is no tenant {slug}.")
    return tenant


def tenant_ids() -> list[int]:
    """Every tenant, oldest first."""
    return list(Tenant.objects.order_by("pk").values_list("pk", flat=True))


def tenant_writable(*, principal: Principal, slug: str | None) -> Tenant:
    """The tenant named, or the principal's own.

    Raises
    ------
    ValidationFailed
        When the platform names none.
    NotFound, NotPermitted
        When there is no such tenant for this principal, or only to read.
    """
    if slug is None and principal.tenant_id is None:
        raise ValidationFailed.at("tenant", "is missing")
    wanted = {"pk": principal.tenant_id} if slug is None else {"slug": slug}
    tenant = Tenant.objects.filter(**wanted).first()
    if tenant is None or not principal.may_read(tenant.pk):
        raise NotFound("There is no such tenant.")
    if not principal.may_write(tenant.pk):
        raise NotPermitted("You have no grant for this tenant.")
    return tenant


def accounts_visible(*, principal: Principal) -> QuerySet[Account]:
    """All accounts for the platform, a tenant's own for its principals."""
    accounts = Account.objects.select_related("tenant")
    return accounts if principal.tenant_id is None else accounts.filter(tenant_id=principal.tenant_id)


def accounts_found(*, principal: Principal, term: str) -> QuerySet[Account]:
    """Accounts whose code or name begins with a term, by code."""
    begins = Q(code__istartswith=term) | Q(name__istartswith=term)
    return accounts_visible(principal=principal).filter(begins).order_by("code", "id")


def account_get(*, principal: Principal, account_id: int) -> Account:
    """Raises NotFound, also for an account that belongs to somebody else."""
    account = accounts_visible(principal=principal).filter(pk=account_id).first()
    if account is None:
        raise NotFound(_NO_ACCOUNT)
    return account


def account_check(*, principal: Principal, account_id: int, to_write: bool = False) -> None:
    """Raise as ``account_get`` or ``account_writable`` does, without reading more than it takes."""
    tenant: int | None = plain_value(query=_TENANT_OF, parameters={"account": account_id})
    tenant_check(principal=principal, tenant=tenant, to_write=to_write)


def tenant_check(*, principal: Principal, tenant: int | None, to_write: bool = False) -> None:
    """As ``account_check``, where the tenant of the account was read already; None is that of no account."""
    if tenant is None or not principal.may_read(tenant):
        raise NotFound(_NO_ACCOUNT)
    if to_write and not principal.may_write(tenant):
        raise NotPermitted(_NOT_WRITABLE)


def account_writable(*, principal: Principal, account_id: int) -> Account:
    """Raises NotFound as ``account_get`` does, NotPermitted for an account that may only be read."""
    account = account_get(principal=principal, account_id=account_id)
    if not principal.may_write(account.tenant_id):
        raise NotPermitted(_NOT_WRITABLE)
    return account


def account_balances(*, account: Account) -> QuerySet[Balance]:
    return Balance.objects.filter(account=account)


def account_positions(*, account: Account) -> QuerySet[Position]:
    return Position.objects.filter(account=account).select_related("instrument")


def account_orders(*, account: Account) -> QuerySet[Order]:
    """Orders of every state."""
    return Order.objects.filter(account=account).select_related("instrument")


def account_ledger(*, account: Account) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(account=account)


def account_hedge_limits(*, account: Account) -> QuerySet[HedgeLimit]:
    return HedgeLimit.objects.filter(account=account)


def account_fills(*, account: Account) -> QuerySet[Fill]:
    return Fill.objects.filter(account=account).select_related("instrument")


def account_transfers(*, account: Account) -> QuerySet[Transfer]:
    return Transfer.objects.filter(account=account)


def instruments_all() -> QuerySet[Instrument]:
    """Every instrument that was ever listed, by code."""
    return Instrument.objects.order_by("code")


def tenant_ids_granted(*, user_id: int) -> set[int]:
    """The tenants that a member of the platform staff may act in."""
    return set(TenantGrant.objects.filter(user=user_id).values_list("tenant_id", flat=True))


def tokens_visible(*, principal: Principal) -> QuerySet[ApiToken]:
    """The tokens of the principal's tenant, of every tenant for the platform; never the platform's own."""
    tokens = ApiToken.objects.filter(tenant__isnull=False).select_related("tenant")
    return tokens if principal.tenant_id is None else tokens.filter(tenant_id=principal.tenant_id)


def token_writable(*, principal: Principal, public_id: str) -> ApiToken:
    """Raises NotFound, NotPermitted as ``account_writable`` does."""
    return _writable(tokens_visible(principal=principal).filter(public_id=public_id), principal, "token")


def webhooks_visible(*, principal: Principal) -> QuerySet[Webhook]:
    """The webhooks of the principal's tenant; of every tenant for the platform."""
    webhooks = Webhook.objects.select_related("tenant")
    return webhooks if principal.tenant_id is None else webhooks.filter(tenant_id=principal.tenant_id)


def webhook_get(*, principal: Principal, webhook_id: int) -> Webhook:
    """Raises NotFound, also for somebody else's."""
    webhook = webhooks_visible(principal=principal).filter(pk=webhook_id).first()
    if webhook is None:
        raise NotFound("There is no such webhook.")
    return webhook


def webhook_writable(*, principal: Principal, webhook_id: int) -> Webhook:
    """Raises NotFound, NotPermitted as ``account_writable`` does; locks the row."""
    found = webhooks_visible(principal=principal).filter(pk=webhook_id).select_for_update(of=("self",))
    return _writable(found, principal, "webhook")


def webhook_deliveries(*, webhook: Webhook) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(webhook=webhook)


def deliveries_count() -> dict[str, int]:
    """Webhook calls by state; every state is there."""
    counts = WebhookDelivery.objects.order_by().values_list("state").annotate(count=Count("pk"))
    return {state.value: 0 for state in DeliveryState} | dict(counts)


def _writable(found: QuerySet[_Owned], principal: Principal, kind: str) -> _Owned:
    row = found.first()
    if row is None:
        raise NotFound(f"There is no such {kind}.")
    if row.tenant_id is None or not principal.may_write(row.tenant_id):
        raise NotPermitted(f"You may read this {kind}, but not change it.")
    return row


def token_by_public_id(*, public_id: str) -> ApiToken | None:
    """A token as far as a request is judged by it; what else there is of it is read when asked for."""
    row = plain_row(query=_TOKEN, parameters={"public_id": public_id})
    return None if row is None else ApiToken.from_db(None, _TOKEN_FIELDS, row)


def ledger_position() -> int:
    """The id of the newest ledger row that this transaction sees; 0 for an empty ledger."""
    newest: int | None = LedgerEntry.objects.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def account_ids_by_methodology() -> dict[str, list[int]]:
    """Account ids, ascending, by the methodology that is in force for them now."""
    groups = Account.objects.order_by("margin_methodology").values_list("margin_methodology")
    return dict(groups.annotate(ids=ArrayAgg("pk", order_by="pk")))


def ledger_positions(ids: Iterable[int]) -> dict[int, int]:
    """Ledger positions of accounts, by id."""
    return dict(Account.objects.filter(pk__in=list(ids)).values_list("pk", "ledger_position"))


def balance_rows(ids: Sequence[int]) -> list[tuple[int, str, Decimal]]:
    """(account id, currency, amount), by account and currency."""
    return _rows(Balance.objects.all(), ids, "currency", "amount")


def position_rows(ids: Sequence[int]) -> list[tuple[int, str, Decimal, Decimal]]:
    """(account id, instrument code, signed quantity, entry price), by account and instrument."""
    return _rows(Position.objects.all(), ids, "instrument__code", "quantity", "entry_price")


def order_rows(ids: Sequence[int]) -> list[tuple[int, str, str, Decimal, Decimal]]:
    """(account id, instrument code, side, open quantity, price) of open orders, by account and instrument."""
    orders = Order.objects.filter(state=OrderState.OPEN)
    return _rows(orders, ids, "instrument__code", "side", "open_quantity", "price")


def _rows(queryset: QuerySet[Any], ids: Sequence[int], subject: str, *figures: str) -> list[Any]:
    """Rows in an order that does not depend on how they were written."""
    chosen = queryset.filter(account_id__in=ids).order_by("account_id", subject, "pk")
    return list(chosen.values_list("account_id", subject, *figures))


def instrument_codes() -> dict[int, str]:
    """The code of every instrument that was ever listed, by row id."""
    return dict(Instrument.objects.order_by("pk").values_list("pk", "code"))


def instrument_terms(*, codes: Iterable[str]) -> dict[str, InstrumentDocument]:
    """Contract specifications by code, of instruments in any state; unknown codes are left out."""
    return {row.code: terms_of(row) for row in Instrument.objects.filter(code__in=list(codes))}


def terms_of(row: Instrument) -> InstrumentDocument:
    """The contract specification of an instrument."""
    return InstrumentDocument(
        id=row.code,
        kind=row.kind,
        underlying=row.underlying,
        settle=row.settle,
        contract_size=row.contract_size,
        style=row.style,
        expiry=row.expiry,
        strike=row.strike,
        option_type=row.option_type,
    )


def instruments_due(*, at: datetime) -> dict[str, int]:
    """Row ids by code, in its order, of what has expired by ``at`` and is still listed or held."""
    expired = Instrument.objects.filter(expiry__lte=at).order_by("code")
    held = Q(Exists(_positions_of(OuterRef("pk")))) | Q(Exists(_open_orders_of(OuterRef("pk"))))
    due = expired.filter(Q(state=InstrumentState.LISTED) | held)
    return dict(due.values_list("code", "pk"))


def instruments_in_use(*, at: datetime) -> list[str]:
    """Codes, in order, of what somebody has a position or an open order in and has not expired by ``at``."""
    held = Q(Exists(_positions_of(OuterRef("pk")))) | Q(Exists(_open_orders_of(OuterRef("pk"))))
    alive = Q(expiry__isnull=True) | Q(expiry__gt=at)
    return list(Instrument.objects.filter(held, alive).order_by("code").values_list("code", flat=True))


def account_ids_holding(*, instruments: Sequence[int]) -> list[int]:
    """Ids, ascending, of the accounts with a position or an open order in any of these instruments."""
    positions = Position.objects.filter(instrument_id__in=instruments).values_list("account_id", flat=True)
    orders = Order.objects.filter(instrument_id__in=instruments, state=OrderState.OPEN)
    return sorted({*positions, *orders.values_list("account_id", flat=True)})


def instruments_unheld(*, instruments: Sequence[int]) -> list[str]:
    """Codes of those among these instruments in which nobody has a position or an open order."""
    held = Q(Exists(_positions_of(OuterRef("pk")))) | Q(Exists(_open_orders_of(OuterRef("pk"))))
    chosen = Instrument.objects.filter(pk__in=instruments).exclude(held)
    return list(chosen.order_by("code").values_list("code", flat=True))


def book_names() -> tuple[list[str], list[str]]:
    """What the whole book needs priced, sorted: coins of held or ordered derivatives, and currencies."""
    held = Q(Exists(_positions_of(OuterRef("pk")))) | Q(Exists(_open_orders_of(OuterRef("pk"))))
    terms = Instrument.objects.filter(held).values_list("kind", "underlying", "settle")
    rows = list(terms.distinct())
    coins = {underlying for kind, underlying, _ in rows if kind != InstrumentKind.SPOT}
    traded = {name for kind, *names in rows if kind == InstrumentKind.SPOT for name in names}
    settled = {settle for _, _, settle in rows}
    cash = Balance.objects.values_list("currency", flat=True).distinct()
    return sorted(coins), sorted({*cash, *settled, *traded})


def balances_of(*, account_id: int) -> dict[str, Decimal]:
    """Cash by currency."""
    rows = Balance.objects.filter(account_id=account_id).order_by("currency")
    return dict(rows.values_list("currency", "amount"))


def _positions_of(instrument: OuterRef) -> QuerySet[Position]:
    return Position.objects.filter(instrument=instrument)


def _open_orders_of(instrument: OuterRef) -> QuerySet[Order]:
    return Order.objects.filter(instrument=instrument, state=OrderState.OPEN)
