"""The sidebar: the reader's questions first, then records, then people; what one may not see is absent."""

from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

#: Title, symbol, route and permission of each entry, by group.
_GROUPS: Final = (
    (
        "Watch",
        (
            ("Overview", "monitoring", "index", ""),
            (
                "Accounts",
                "account_balance_wallet",
                "margin_marginresult_changelist",
                "margin.view_marginresult",
            ),
            ("Liquidation", "gavel", "liquidation_queue", "liquidation.view_liquidationcase"),
            ("Controls", "emergency_home", "liquidation_controls", "liquidation.view_liquidationcontrols"),
            ("Parameters", "tune", "margin_parameterversion_changelist", "margin.view_parameterversion"),
            ("Runs", "play_circle", "margin_marginrun_changelist", "margin.view_marginrun"),
        ),
    ),
    (
        "Market",
        (
            (
                "Snapshots",
                "candlestick_chart",
                "margin_marketsnapshot_changelist",
                "margin.view_marketsnapshot",
            ),
            (
                "Guards",
                "security",
                "margin_marketguardevent_changelist",
                "margin.view_marketguardevent",
            ),
            ("Instruments", "list_alt", "accounts_instrument_changelist", "accounts.view_instrument"),
        ),
    ),
    (
        "Records",
        (
            ("Register", "badge", "accounts_account_changelist", "accounts.view_account"),
            ("Ledger", "receipt_long", "accounts_ledgerentry_changelist", "accounts.view_ledgerentry"),
            ("Positions", "stacked_bar_chart", "accounts_position_changelist", "accounts.view_position"),
            ("Balances", "payments", "accounts_balance_changelist", "accounts.view_balance"),
            ("Orders", "swap_vert", "accounts_order_changelist", "accounts.view_order"),
            ("Fills", "handshake", "accounts_fill_changelist", "accounts.view_fill"),
            ("Transfers", "sync_alt", "accounts_transfer_changelist", "accounts.view_transfer"),
            ("Settlements", "event_available", "accounts_settlement_changelist", "accounts.view_settlement"),
            (
                "Eligibility",
                "verified_user",
                "accounts_eligibilitytransition_changelist",
                "accounts.view_eligibilitytransition",
            ),
            ("Audit", "policy", "common_auditrow_changelist", "common.view_auditrow"),
            ("Platform settings", "settings", "platform_settings", "margin.view_marketsnapshot"),
        ),
    ),
    (
        "People",
        (
            ("Users", "person", "accounts_user_changelist", "accounts.view_user"),
            ("Roles", "groups", "auth_group_changelist", "auth.view_group"),
            ("Tenants", "domain", "accounts_tenant_changelist", "accounts.view_tenant"),
            ("API tokens", "key", "accounts_apitoken_changelist", "accounts.view_apitoken"),
            (
                "Second factors",
                "phonelink_lock",
                "otp_totp_totpdevice_changelist",
                "otp_totp.view_totpdevice",
            ),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's navigation for whoever asks."""
    groups = (
        (title, [_item(*entry) for entry in entries if _may(request, entry[3])]) for title, entries in _GROUPS
    )
    return [{"title": title, "separator": True, "items": items} for title, items in groups if items]


def _item(title: str, symbol: str, route: str, _: str) -> dict[str, Any]:
    return {"title": title, "icon": symbol, "link": reverse(f"admin:{route}")}


def _may(request: HttpRequest, permission: str) -> bool:
    return not permission or request.user.has_perm(permission)
