"""Opening accounts and changing their settings."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts import rules, states
from accounts.choices import EligibilityState, HedgeMode, LedgerKind, Methodology
from accounts.documents import HedgeLimitDocument
from accounts.models import Account, HedgeLimit
from accounts.services.changes import AccountChange, account_changing, faults_refuse, ledger_append
from accounts.states import AccountSettings
from pmplatform.common.errors import Conflict
from pmplatform.common.principals import Actor
from pmplatform.common.strict_json import key_path


def account_create(
    *,
    tenant_id: int,
    code: str,
    name: str = "",
    methodology: str,
    hedge_mode: str | None = None,
    actor: Actor,
    now: datetime,
) -> Account:
    """Open an empty account; it is margined by ``standard`` until it has been enrolled.

    Raises
    ------
    ValidationFailed, Conflict
        Conflict when the tenant has an account with this code.
    """
    faults = [*rules.code_faults(code, "code"), *rules.methodology_faults(methodology, hedge_mode, "")]
    faults_refuse(faults)
    settings = AccountSettings(
        methodology=Methodology(methodology),
        margin_methodology=Methodology.STANDARD,
        hedge_mode=HedgeMode(hedge_mode) if hedge_mode else None,
        eligibility_state=EligibilityState.STANDARD,
    )
    account = Account(tenant_id=tenant_id, code=code, name=name, created_at=now, **settings.state)
    with transaction.atomic():
        _account_insert(account)
        with account_changing(account_id=account.pk, kind=LedgerKind.OPENING, actor=actor, now=now) as change:
            subject = states.ACCOUNT_SUBJECT
            ledger_append(change=change, subject=subject, before=None, after=settings.state)
    return change.account


def account_settings_set(*, change: AccountChange, settings: AccountSettings) -> None:
    """Change methodology, hedge mode, eligibility state or restrictions; whether to is decided above."""
    faults_refuse(rules.methodology_faults(settings.methodology, settings.hedge_mode, ""))
    account = change.account
    before = AccountSettings.of(account).state
    for name, value in settings.state.items():
        setattr(account, name, value)
    account.save(update_fields=list(settings.state))
    ledger_append(change=change, subject=states.ACCOUNT_SUBJECT, before=before, after=settings.state)


def hedge_limits_set(*, change: AccountChange, limits: Mapping[str, HedgeLimitDocument]) -> None:
    """Replace all hedge limits of an account; a coin without one hedges with all of its spot."""
    faults_refuse(
        fault
        for coin, limit in limits.items()
        for path in [key_path("hedge_limits", coin)]
        for fault in [*rules.currency_faults(coin, path), *rules.hedge_limit_faults(limit, path)]
    )
    rows = HedgeLimit.objects.filter(account=change.account)
    before = states.hedge_limits_state(
        {row.coin: HedgeLimitDocument(row.ratio, row.max_amount) for row in rows}
    )
    rows.delete()
    HedgeLimit.objects.bulk_create(
        HedgeLimit(account=change.account, coin=coin, ratio=limit.ratio, max_amount=limit.max_amount)
        for coin, limit in limits.items()
    )
    after = states.hedge_limits_state(limits)
    ledger_append(change=change, subject=states.HEDGE_LIMITS_SUBJECT, before=before, after=after)


def _account_insert(account: Account) -> None:
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError as error:
        if "account_code_once_in_tenant" in str(error):
            raise Conflict(f"There is an account with the code {account.code}.") from None
        raise
