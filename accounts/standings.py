"""Reads of eligibility: where accounts stand, how they came there, and which declaration is asked for."""

from collections.abc import Sequence

from django.db.models import QuerySet

from accounts.choices import EligibilityState, Methodology, OrderState
from accounts.eligibility import Standing
from accounts.models import (
    Account,
    Declaration,
    DeclarationAcceptance,
    EligibilityTransition,
    EligibilityWatch,
    Order,
    Position,
)


def account_transitions(*, account: Account) -> QuerySet[EligibilityTransition]:
    """Moves of an account's eligibility."""
    return EligibilityTransition.objects.filter(account=account).select_related("acceptance__declaration")


def account_by_id(*, account_id: int) -> Account:
    """An account with all that its standing is told by."""
    return Account.objects.select_related("watch", "activation").get(pk=account_id)


def account_standing(*, account_id: int) -> Standing:
    """Where an account stands now."""
    return standing_of(account_by_id(account_id=account_id))


def standing_of(account: Account) -> Standing:
    """The standing that an account's row and its watch tell."""
    watch: EligibilityWatch | None = getattr(account, "watch", None)
    return Standing(
        state=EligibilityState(account.eligibility_state),
        methodology=Methodology(account.methodology),
        margin_methodology=Methodology(account.margin_methodology),
        in_liquidation=account.in_liquidation,
        count=watch.count if watch else 0,
        snapshot=watch.snapshot if watch else 0,
        margin_due_at=watch.margin_due_at if watch else None,
    )


def declaration_current() -> Declaration | None:
    """The newest text of the declaration of understanding."""
    return Declaration.objects.order_by("-id").first()


def declaration_acceptance(*, account_id: int) -> DeclarationAcceptance | None:
    """The account's acceptance of the current declaration."""
    current = declaration_current()
    acceptances = DeclarationAcceptance.objects.filter(account_id=account_id, declaration=current)
    return acceptances.first() if current else None


def account_ids_invested(*, ids: Sequence[int]) -> set[int]:
    """Those of the accounts that have a position or an open order."""
    positions = Position.objects.filter(account_id__in=ids).values_list("account_id", flat=True)
    orders = Order.objects.filter(account_id__in=ids, state=OrderState.OPEN)
    return set(positions) | set(orders.values_list("account_id", flat=True))


def account_ids_of(*, methodology: Methodology) -> list[int]:
    """The accounts that have chosen a methodology, enrolled or not."""
    return list(Account.objects.filter(methodology=methodology).order_by("pk").values_list("pk", flat=True))
