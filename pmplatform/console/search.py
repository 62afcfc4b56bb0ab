"""What the console's search finds besides its pages: accounts, by the beginning of their code or name."""

from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from accounts import selectors
from accounts.authentication import session_principal

_MOST: Final = 20


def results(request: HttpRequest, term: str) -> list[SearchResult]:
    """Accounts that whoever asks may see, by code."""
    if not request.user.has_perm("margin.view_marginresult"):
        return []
    found = selectors.accounts_found(principal=session_principal(request), term=term)[:_MOST]
    return [
        SearchResult(
            title=account.code,
            description=f"Account of {account.tenant.name}",
            link=reverse("admin:account", args=[account.pk]),
            icon="account_balance_wallet",
        )
        for account in found
    ]
