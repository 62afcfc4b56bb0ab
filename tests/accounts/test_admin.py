"""The console's lists render, show no secret, and let nobody edit what carries risk."""

import re
from http import HTTPStatus

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, ApiToken, Position, TenantGrant, User
from accounts.services.tenants import user_create
from accounts.services.tokens import token_create
from pmplatform.common.console import exact
from pmplatform.common.models import AuditRow
from pmplatform.common.tokens import Scope
from tests.accounts.books import ACTOR, account_document, list_instruments, load, make_tenant
from tests.support.client import TlsClient
from tests.support.console import enter

pytestmark = pytest.mark.django_db

READ_ONLY = [
    "accounts_account",
    "accounts_instrument",
    "accounts_ledgerentry",
    "accounts_balance",
    "accounts_position",
    "accounts_order",
    "accounts_fill",
    "accounts_transfer",
    "accounts_settlement",
    "accounts_hedgelimit",
    "accounts_declaration",
    "accounts_eligibilitytransition",
    "accounts_apitoken",
    "common_auditrow",
    "common_outboxrow",
]


@pytest.fixture
def console() -> TlsClient:
    list_instruments()
    load(make_tenant("acme"), account_document())
    root = user_create(
        username="root", password="correct horse battery", tenant=None, is_superuser=True, actor=ACTOR
    )
    token_create(tenant=None, scopes=frozenset({Scope.READ}), days=1, actor=ACTOR, now=timezone.now())
    client = TlsClient()
    enter(client, root)
    return client


@pytest.mark.parametrize("model", [*READ_ONLY, "accounts_tenant", "accounts_user", "auth_group"])
def test_every_list_renders_and_can_be_searched(console: TlsClient, model: str) -> None:
    url = reverse(f"admin:{model}_changelist")
    assert console.get(url).status_code == HTTPStatus.OK
    assert console.get(url, {"q": "acme"}).status_code == HTTPStatus.OK


def test_lists_write_numbers_without_idle_zeros_and_flags_as_words(console: TlsClient) -> None:
    position = Position.objects.exclude(entry_price=0).latest("id")
    page = console.get(reverse("admin:accounts_position_changelist")).content.decode()
    assert exact(position.quantity) in page
    assert f">{position.quantity}<" not in page
    account = Account.objects.get()
    for flag, word in ((True, "yes"), (False, "\N{EN DASH}")):
        Account.objects.filter(pk=account.pk).update(reduce_only=flag)
        page = console.get(reverse("admin:accounts_account_changelist"), {"o": "-6"}).content.decode()
        assert re.search(rf'class="field-reduce_only[^>]*>\s*{word}\s*<', page)


@pytest.mark.parametrize("model", READ_ONLY)
def test_rows_that_carry_risk_cannot_be_added_by_form(console: TlsClient, model: str) -> None:
    assert console.get(reverse(f"admin:{model}_add")).status_code == HTTPStatus.FORBIDDEN


def test_an_account_cannot_be_changed_or_deleted_by_form(console: TlsClient) -> None:
    pk = Account.objects.get().pk
    change, delete = (reverse(f"admin:accounts_account_{verb}", args=[pk]) for verb in ("change", "delete"))
    assert console.get(change).status_code == HTTPStatus.OK
    assert console.post(change, {"reduce_only": "on"}).status_code == HTTPStatus.FORBIDDEN
    assert console.post(delete, {"post": "yes"}).status_code == HTTPStatus.FORBIDDEN
    assert not Account.objects.get().reduce_only


def test_the_digest_of_a_token_is_never_shown(console: TlsClient) -> None:
    token = ApiToken.objects.get()
    page = console.get(reverse("admin:accounts_apitoken_change", args=[token.pk])).content.decode()
    assert token.public_id in page
    assert token.digest not in page


def test_tokens_are_revoked_from_their_list_and_that_is_audited(console: TlsClient) -> None:
    token = ApiToken.objects.get()
    data = {"action": "revoke", "_selected_action": [str(token.pk)]}
    console.post(reverse("admin:accounts_apitoken_changelist"), data, format="multipart")
    token.refresh_from_db()
    assert not token.enabled
    assert AuditRow.objects.filter(action="token.revoke", actor="user:root").count() == 1


def test_a_tenant_made_by_form_has_an_audit_row(console: TlsClient) -> None:
    url = reverse("admin:accounts_tenant_add")
    console.post(url, {"slug": "nova", "name": "Nova"}, format="multipart")
    assert AuditRow.objects.get(action="tenant.create", actor="user:root").tenant is None


def test_a_grant_made_by_form_names_who_gave_it(console: TlsClient) -> None:
    staff = user_create(username="eve", password="correct horse battery", tenant=None, actor=ACTOR)
    url = reverse("admin:accounts_user_change", args=[staff.pk])
    tenant_id = Account.objects.get().tenant_id
    data = {
        "username": "eve",
        "is_active": "on",
        "is_staff": "on",
        "date_joined_0": "2025-01-15",
        "date_joined_1": "10:00:00",
        "grants-TOTAL_FORMS": "1",
        "grants-INITIAL_FORMS": "0",
        "grants-0-tenant": str(tenant_id),
        "grants-0-reason": "support case 7",
    }
    assert console.post(url, data, format="multipart").status_code == HTTPStatus.FOUND
    grant = TenantGrant.objects.get()
    assert (grant.user, grant.granted_by, grant.tenant_id) == (
        staff,
        User.objects.get(username="root"),
        tenant_id,
    )


def test_the_page_of_an_account_shows_its_eligibility_and_its_history(console: TlsClient) -> None:
    account = Account.objects.get()
    page = console.get(reverse("admin:accounts_account_change", args=[account.pk])).content.decode()
    assert "eligibility history" in page.lower()
    assert "the loader vouches for equity and declaration" in page
