"""`parameters` on the command line, with workers where it waits for them."""

import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command

from accounts.services.tenants import user_create
from margin.engine.parameters.diff import Change
from margin.management.texts import bin_label, change_lines
from margin.models import ParameterVersion
from tests.margin.proposals import CLASSIC, NOW, classic_world, document_of, impact_of, proposal, proposed
from tests.margin.world import ACTOR
from tests.support.processes import start_worker

pytestmark = pytest.mark.django_db(transaction=True)


def _staff(name: str, *roles: str) -> None:
    user = user_create(username=name, password="correct horse battery", tenant=None, actor=ACTOR)
    codes = [f"{role}_parameterversion" for role in roles]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))


def _file(tmp_path: Path, document: dict[str, Any]) -> str:
    file = tmp_path / "next.json"
    file.write_text(json.dumps(document))
    return str(file)


def test_a_version_is_proposed_by_one_and_approved_by_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classic_world(3)
    _staff("alice", "propose", "approve")
    _staff("bob", "approve")
    named = ("--methodology", CLASSIC, "--version", "next")
    with time_machine.travel(NOW, tick=False):
        call_command("parameters", "propose", _file(tmp_path, proposal()), "--by", "alice")
        with pytest.raises(CommandError, match="no impact report"):
            call_command("parameters", "approve", *named, "--by", "bob")
        impact_of(ParameterVersion.objects.get(version="next"))
        with pytest.raises(CommandError, match="neither who proposed"):
            call_command("parameters", "approve", *named, "--by", "alice")
        with pytest.raises(CommandError, match="bob may not propose"):
            call_command("parameters", "withdraw", *named, "--by", "bob", "--reason", "x")
        call_command("parameters", "approve", *named, "--by", "bob")
        call_command("parameters", "withdraw", *named, "--by", "alice", "--reason", "postponed")
        back = ("--methodology", CLASSIC, "--version", "2024-05-11", "--reason", "losses")
        call_command("parameters", "rollback", *back, "--by", "bob")
    said = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in said] == [
        "okx-classic next is proposed",
        "okx-classic next is approved",
        "okx-classic next is withdrawn",
        "okx-classic 2024-12-20T10:00:00-rollback is active",
    ]


def test_a_bad_document_ends_in_two_with_its_paths(tmp_path: Path) -> None:
    classic_world(1)
    _staff("alice", "propose")
    with pytest.raises(CommandError, match=r"parameters\.imr_factor: must be at least 1") as refused:
        call_command("parameters", "propose", _file(tmp_path, proposal(imr_factor=0.5)), "--by", "alice")
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="no member of the staff"):
        call_command("parameters", "propose", _file(tmp_path, proposal()), "--by", "nobody")


def test_a_rejection_carries_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    classic_world(1)
    _staff("bob", "approve")
    proposed()
    named = ("--methodology", CLASSIC, "--version", "next", "--reason", "too low")
    call_command("parameters", "reject", *named, "--by", "bob")
    assert "okx-classic next is rejected" in capsys.readouterr().out


def test_a_difference_reads_by_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("parameters", "import")
    pair = ("--methodology", CLASSIC, "--base", "2024-06-05", "--proposed", "2025-01-06")
    call_command("parameters", "diff", *pair)
    assert "mr6.price_move.tier1: 0.3 -> 0.24  (-20.0%)" in capsys.readouterr().out.splitlines()


def test_an_impact_report_is_printed_when_the_workers_are_done(capsys: pytest.CaptureFixture[str]) -> None:
    classic_world(40)
    proposed(document_of("2025-01-06"))
    pair = ("--methodology", CLASSIC, "--base", "2024-06-05", "--proposed", "2025-01-06")
    with start_worker(concurrency=2):
        call_command("parameters", "impact", *pair)
    said = capsys.readouterr().out
    assert "40 accounts compared, 0 could not be margined before" in said
    assert "newly liquidatable: 0" in said
    assert "below -50%" in said
    with pytest.raises(CommandError, match="another version than itself"):
        call_command("parameters", "impact", *pair[:4], "--proposed", "2024-06-05")


def test_lines_say_what_comes_and_what_goes() -> None:
    changes = (Change("t[up_to 50]", None, {"rate": 0.3}), Change("tier2[EOS]", "EOS", None))
    assert list(change_lines(changes)) == ["t[up_to 50]: - -> rate 0.3", "tier2[EOS]: EOS -> -"]
    assert list(change_lines(())) == ["no change"]
    assert [bin_label(None, -0.5), bin_label(-0.01, 0.01), bin_label(1.0, None)] == [
        "below -50%",
        "-1% to +1%",
        "+100% and more",
    ]
