"""Portfolio margin in the console: who may enrol an account there, and what a refusal shows."""

from decimal import Decimal
from http import HTTPStatus

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.choices import LedgerKind
from accounts.models import Account, DeclarationAcceptance, EligibilityTransition, Tenant, TenantGrant
from accounts.services.accounts import account_create
from accounts.services.changes import account_changing, balance_set
from accounts.services.eligibility import declaration_publish
from pmplatform.common.models import AuditRow
from pmplatform.console.roles import Role
from tests.console.people import ACTOR, person
from tests.margin.falling import linear_market
from tests.margin.world import world
from tests.support.client import TlsClient
from tests.support.console import enter

pytestmark = pytest.mark.django_db(transaction=True)

ENROL = {"act": "enrol", "methodology": "okx-2025", "hedge_mode": "", "confirmed": "yes"}
BUTTONS = ("Accept for the holder</button>", ">Enrol</button>", ">Leave</button>")


def _opened(usdt: int) -> Account:
    """An account outside portfolio margin with so much cash, whose holder is asked for a declaration."""
    now = timezone.now()
    world(linear_market(), now, [])
    tenant = Tenant.objects.get()
    account = account_create(tenant_id=tenant.pk, code="A", methodology="okx-2025", actor=ACTOR, now=now)
    with account_changing(account_id=account.pk, kind=LedgerKind.TRANSFER, actor=ACTOR, now=now) as change:
        balance_set(change=change, currency="USDT", amount=Decimal(usdt))
    declaration_publish(version="1", text="I understand.", actor=ACTOR, now=now)
    return account


def _somebody(role: Role, account: Account, *, is_granted: bool) -> TlsClient:
    user = person("olga", role)
    if is_granted:
        TenantGrant.objects.create(user=user, tenant_id=account.tenant_id, granted_by=user, reason="test")
    return enter(TlsClient(), user)


def _section(client: TlsClient, account: Account) -> str:
    response = client.get(reverse("admin:account_enrolment", args=[account.pk]))
    assert response.status_code == HTTPStatus.OK
    return str(response.content.decode())


def _act(client: TlsClient, account: Account, fields: dict[str, str]) -> int:
    url = reverse("admin:account_enrolment_act", args=[account.pk])
    return int(client.post(url, fields, format="multipart").status_code)


@pytest.mark.parametrize(("role", "is_granted"), [(Role.VIEWER, True), (Role.RISK_OFFICER, False)])
def test_without_the_role_or_a_grant_there_is_no_button_and_no_way(role: Role, is_granted: bool) -> None:
    account = _opened(10_100)
    client = _somebody(role, account, is_granted=is_granted)
    page = _section(client, account)
    assert not [button for button in BUTTONS if button in page]
    assert _act(client, account, ENROL) == HTTPStatus.FORBIDDEN
    account.refresh_from_db()
    assert account.eligibility_state == "standard"


def test_a_refusal_shows_every_reason() -> None:
    account = _opened(9_000)
    client = _somebody(Role.RISK_OFFICER, account, is_granted=True)
    page = _section(client, account)
    assert _act(client, account, ENROL) == HTTPStatus.FOUND
    told = client.get(reverse("admin:account", args=[account.pk])).content.decode()
    for word in ("declaration", "below the minimum"):
        assert word in page, word
        assert word in told, word
    account.refresh_from_db()
    assert account.eligibility_state == "standard"


def test_an_officer_accepts_enrols_and_leaves() -> None:
    account = _opened(10_100)
    client = _somebody(Role.RISK_OFFICER, account, is_granted=True)
    _act(client, account, {"act": "accept", "version": "1", "confirmed": "yes"})
    acceptance = DeclarationAcceptance.objects.latest("id")
    assert (acceptance.declaration.version, acceptance.by) == ("1", "user:olga")
    assert acceptance.address
    _act(client, account, {**ENROL, "confirmed": ""})
    account.refresh_from_db()
    assert account.eligibility_state == "standard"
    _act(client, account, {**ENROL, "hedge_mode": "spot_hedge"})
    account.refresh_from_db()
    assert (account.eligibility_state, account.hedge_mode) == ("active", "spot_hedge")
    assert ">Leave</button>" in _section(client, account)
    _act(client, account, {"act": "leave", "confirmed": "yes"})
    account.refresh_from_db()
    assert account.eligibility_state == "standard"
    acts = AuditRow.objects.filter(actor="user:olga").order_by("id").values_list("action", flat=True)
    assert list(acts) == ["declaration.accept", "eligibility.enrolled", "eligibility.left"]
    moves = EligibilityTransition.objects.filter(by="user:olga").order_by("id")
    assert [move.kind for move in moves] == ["enrolled", "left"]
