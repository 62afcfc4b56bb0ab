"""Commands that make tenants, people and tokens, run as an operator runs them."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import ApiToken, Declaration, Tenant, User
from pmplatform.common.models import AuditRow
from pmplatform.common.tokens import token_parse

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def exit_code(*arguments: str) -> int:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value.returncode


def test_a_tenant_is_founded_and_audited() -> None:
    assert run("tenant_create", "acme", "--name", "Acme Trading") == "acme\n"
    assert Tenant.objects.get().name == "Acme Trading"
    assert AuditRow.objects.get().action == "tenant.create"


def test_a_token_is_printed_alone_and_only_its_digest_is_kept() -> None:
    run("tenant_create", "acme")
    out = run(
        "token_create", "--tenant", "acme", "--scopes", "read,trade", "--days", "7", "--network", "10.0.0.0/8"
    )
    parts = token_parse(out.removesuffix("\n"))
    row = ApiToken.objects.get()
    assert parts is not None
    assert parts.matches(row.digest)
    assert (row.scopes, row.networks) == (["read", "trade"], ["10.0.0.0/8"])
    assert timedelta(days=6) < row.expires_at - timezone.now() <= timedelta(days=7)


def test_a_token_of_the_platform_has_no_tenant() -> None:
    run("token_create", "--platform", "--scopes", "read,risk,parameters,liquidation")
    assert ApiToken.objects.get().tenant is None


def test_a_revoked_token_is_disabled_and_revoking_is_audited_once() -> None:
    token = run("token_create", "--platform").strip()
    run("token_revoke", token)
    run("token_revoke", ApiToken.objects.get().public_id)
    assert not ApiToken.objects.get().enabled
    assert list(AuditRow.objects.order_by("id").values_list("action", flat=True)) == [
        "token.create",
        "token.revoke",
    ]


def test_a_generated_password_is_printed_and_works() -> None:
    run("tenant_create", "acme")
    password = run("user_create", "ada", "--tenant", "acme", "--scopes", "trade").strip()
    user = User.objects.get()
    assert user.check_password(password)
    assert user.has_perm("accounts.scope_trade")
    assert not user.is_staff


def test_a_password_from_stdin_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert run("user_create", "eve", "--platform", "--superuser", "--password-stdin") == "eve\n"
    assert User.objects.get().check_password("correct horse battery")
    assert User.objects.get().is_staff


@pytest.mark.parametrize(
    "arguments",
    [
        ("tenant_create", "no spaces"),
        ("token_create", "--tenant", "nobody"),
        ("token_create", "--platform", "--scopes", "read,everything"),
        ("token_create", "--platform", "--days", "0"),
        ("token_create", "--platform", "--network", "10.0.0.1/8"),
        ("token_revoke", "0123456789abcdef"),
        ("user_create", "a b", "--platform"),
    ],
)
def test_bad_input_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert exit_code(*arguments) == 2
    assert not AuditRow.objects.exists()


def test_what_exists_already_exits_with_1() -> None:
    run("tenant_create", "acme")
    assert exit_code("tenant_create", "acme") == 1


def test_a_tenants_token_cannot_have_a_scope_of_the_platform() -> None:
    run("tenant_create", "acme")
    assert exit_code("token_create", "--tenant", "acme", "--scopes", "read,risk") == 2


def test_a_short_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert exit_code("user_create", "eve", "--platform", "--password-stdin") == 2


def test_a_declaration_is_published_from_a_file_or_as_it_ships(tmp_path: Path) -> None:
    assert "2025-01" in run("declaration_publish")
    file = tmp_path / "house-2.txt"
    file.write_text("I understand more.")
    assert "house-2" in run("declaration_publish", str(file))
    assert list(Declaration.objects.values_list("version", flat=True)) == ["house-2", "2025-01"]
    with pytest.raises(CommandError, match="cannot be read"):
        run("declaration_publish", str(tmp_path / "absent.txt"))
