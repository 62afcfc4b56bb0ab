"""The life of parameter versions: who may move one, what stays frozen, what is in force when."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from margin import selectors
from margin.choices import VersionOrigin, VersionState
from margin.lifecycle import MOVES, may_move, states_at, steps_between
from margin.models import ParameterVersion
from margin.parameter_files import shipped_documents
from margin.services.approvals import approval_hold, version_approve
from margin.services.market import parameters_load_initial
from margin.services.versions import (
    version_draft,
    version_propose,
    version_redraft,
    version_reject,
    version_rollback,
    version_schedule,
    version_withdraw,
    versions_mirror,
)
from margin.versions import rollback_latest
from pmplatform.common.errors import Conflict, NotPermitted, Refused, ValidationFailed
from pmplatform.common.models import AuditRow, Event
from tests.margin.proposals import (
    ALICE,
    BOB,
    CAROL,
    CLASSIC,
    HOUR,
    NOW,
    classic_world,
    document_of,
    impact_of,
    proposal,
    proposed,
    snapshot_at,
)

pytestmark = pytest.mark.django_db(transaction=True)


def _in_force(at: str, methodology: str = CLASSIC) -> str:
    version = selectors.parameters_in_force(methodology, datetime.fromisoformat(at))
    assert version is not None
    return version.version


def _raw(statement: str, *arguments: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)


def _approved() -> ParameterVersion:
    classic_world(4)
    version = proposed()
    impact_of(version)
    return version_approve(version_id=version.pk, actor=BOB, now=NOW)


def test_the_rules_of_a_day_are_those_in_force_on_it() -> None:
    parameters_load_initial(documents=shipped_documents())
    assert _in_force("2024-03-01T00:00:00+00:00") == "2023-07-12"
    assert _in_force("2025-01-06T07:59:59+00:00") == "2024-06-05"
    assert _in_force("2025-01-06T08:00:00+00:00") == "2025-01-06"
    assert _in_force("2025-01-15T07:59:59+00:00") == "2025-01-06"
    assert _in_force("2025-01-15T08:00:00+00:00") == "2025-01-15"
    library = selectors.parameter_library()
    for at in ("2024-03-01T00:00:00+00:00", "2025-01-15T08:00:00+00:00"):
        chosen = library.in_force(CLASSIC, datetime.fromisoformat(at))
        assert chosen.header.version == _in_force(at)


def test_the_initial_load_mirrors_the_clock_and_is_audited() -> None:
    parameters_load_initial(documents=shipped_documents())
    states = dict(ParameterVersion.objects.filter(methodology=CLASSIC).values_list("version", "state"))
    assert states.pop("2025-01-15") == VersionState.ACTIVE
    assert set(states.values()) == {VersionState.SUPERSEDED}
    assert AuditRow.objects.filter(action="parameters.load").count() == 10


def test_the_database_allows_an_initial_load_only_while_there_is_no_version() -> None:
    parameters_load_initial(documents=shipped_documents())
    row = ParameterVersion.objects.filter(methodology=CLASSIC).values().first()
    assert row is not None
    again = {**row, "id": None, "version": "again", "effective_from": NOW, "state": VersionState.APPROVED}
    with pytest.raises(DatabaseError, match="only while their methodology has no version"):
        ParameterVersion.objects.create(**again)


def test_a_version_comes_into_force_at_its_instant_and_passes_every_state() -> None:
    version = _approved()
    assert version.state == VersionState.APPROVED
    assert (version.proposer, version.approver) == ("user:alice", "user:bob")
    assert version_schedule(version_id=version.pk, actor=BOB).state == VersionState.SCHEDULED
    eve = version.effective_from - timedelta(seconds=1)
    assert _in_force(eve.isoformat()) == "2024-06-05"
    assert _in_force(version.effective_from.isoformat()) == "next"
    versions_mirror(now=version.effective_from)
    version.refresh_from_db()
    assert version.state == VersionState.ACTIVE
    before = ParameterVersion.objects.get(methodology=CLASSIC, version="2024-06-05")
    assert before.state == VersionState.SUPERSEDED
    trail = AuditRow.objects.filter(object_type="parameter_version", object_id=str(version.pk))
    assert [row.action.partition(".")[2] for row in trail.order_by("id")] == [
        "draft",
        "propose",
        "approve",
        "schedule",
        "active",
    ]


def test_the_mirror_schedules_what_nobody_has_scheduled() -> None:
    version = _approved()
    versions_mirror(now=NOW)
    version.refresh_from_db()
    assert version.state == VersionState.SCHEDULED
    assert versions_mirror(now=NOW) == 0


def test_no_version_but_a_published_one_is_ever_in_force() -> None:
    classic_world(2)
    later = "2025-01-02T08:00:00Z"
    version_draft(document=proposal("draft", later), actor=ALICE, now=NOW)
    open_one = proposed(proposal("open"))
    gone = proposed(proposal("gone"))
    version_withdraw(version_id=gone.pk, reason="second thoughts", actor=ALICE, now=NOW)
    turned_down = proposed(proposal("down"))
    version_reject(version_id=turned_down.pk, reason="too low", actor=BOB, now=NOW)
    assert _in_force("2025-03-01T00:00:00+00:00") == "2024-06-05"
    library = selectors.parameter_library()
    assert [row.header.version for row in library.histories[CLASSIC]][-1] == "2024-06-05"
    assert open_one.state == VersionState.PROPOSED


def test_the_proposer_does_not_approve_and_the_database_agrees() -> None:
    classic_world(4)
    version = proposed()
    impact_of(version)
    with pytest.raises(NotPermitted):
        version_approve(version_id=version.pk, actor=ALICE, now=NOW)
    update = "UPDATE margin_parameterversion SET approver = %s WHERE id = %s"
    with pytest.raises(IntegrityError, match="parameter_approver_is_not_proposer"):
        _raw(update, "user:alice", version.pk)
    _raw(update, "user:bob", version.pk)
    again = "UPDATE margin_parameterversion SET second_approver = %s WHERE id = %s"
    for name in ("user:alice", "user:bob"):
        with pytest.raises(IntegrityError, match="parameter_second_approver_is_a_third_person"):
            _raw(again, name, version.pk)


def test_the_database_publishes_nothing_without_approval_ahead_of_time() -> None:
    classic_world(2)
    version = proposed()
    report = impact_of(version)
    publish = (
        "UPDATE margin_parameterversion SET state = 'approved', approver = %s, approved_at = %s,"
        " impact_id = %s WHERE id = %s"
    )
    past, late = NOW, version.effective_from
    for arguments in ((None, past, report.pk), ("user:bob", late, report.pk), ("user:bob", past, None)):
        with pytest.raises(IntegrityError, match="parameter_published_by_approval_ahead"):
            _raw(publish, *arguments, version.pk)
    with pytest.raises(IntegrityError, match="parameter_held_for_second_approver"):
        _raw(publish.replace("SET", "SET approvals_needed = 2,"), "user:bob", past, report.pk, version.pk)


@pytest.mark.parametrize(
    "change",
    [
        {"document": {}},
        {"effective_from": NOW + 99 * HOUR},
        {"sha256": "0" * 64},
        {"version": "another"},
        {"proposer": "user:mallory"},
        {"origin": VersionOrigin.INITIAL},
    ],
)
def test_a_proposed_version_is_frozen(change: dict[str, Any]) -> None:
    classic_world(1)
    version = proposed()
    with pytest.raises(DatabaseError, match="append-only"):
        ParameterVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(DatabaseError, match="append-only"):
        _raw("DELETE FROM margin_parameterversion WHERE id = %s", version.pk)


def test_the_trigger_and_the_table_of_moves_agree() -> None:
    classic_world(1)
    people = {"approver": "user:bob", "approved_at": NOW, "impact": impact_of(proposed(proposal("seen")))}
    ways = {
        VersionState.DRAFT: (),
        VersionState.PROPOSED: (VersionState.PROPOSED,),
        VersionState.APPROVED: (VersionState.PROPOSED, VersionState.APPROVED),
        VersionState.SCHEDULED: (VersionState.PROPOSED, VersionState.APPROVED, VersionState.SCHEDULED),
        VersionState.REJECTED: (VersionState.PROPOSED, VersionState.REJECTED),
        VersionState.WITHDRAWN: (VersionState.WITHDRAWN,),
    }
    for number, (state, way) in enumerate(ways.items()):
        document = proposal(f"v{number}", f"2024-12-2{number + 1}T08:00:00Z")
        version = version_draft(document=document, actor=ALICE, now=NOW)
        closing = {"closed_by": "user:bob", "closed_at": NOW}
        for step in way:
            if step == VersionState.PROPOSED:
                fields: dict[str, Any] = {"proposer": "user:alice", "proposed_at": NOW}
            else:
                fields = people if step == VersionState.APPROVED else {}
            _move(version, step, **fields, **(closing if step in way[-1:] and not MOVES[step] else {}))
        for to in VersionState:
            if to != state and not may_move(state, to):
                with pytest.raises(DatabaseError, match="does not go from"):
                    _move(version, to)


def _move(version: ParameterVersion, to: VersionState, **fields: Any) -> None:
    with transaction.atomic():
        ParameterVersion.objects.filter(pk=version.pk).update(state=to, **fields)


def test_a_draft_is_changed_until_it_is_proposed() -> None:
    classic_world(1)
    draft = version_draft(document=proposal(), actor=ALICE, now=NOW)
    changed = version_redraft(version_id=draft.pk, document=proposal(imr_factor=1.4), actor=ALICE)
    assert changed.sha256 != draft.sha256
    version_propose(version_id=draft.pk, actor=ALICE, now=NOW)
    with pytest.raises(Conflict, match="only a draft"):
        version_redraft(version_id=draft.pk, document=proposal(imr_factor=1.5), actor=ALICE)


def test_a_bad_document_is_refused_with_every_fault_and_its_path() -> None:
    classic_world(1)
    bad = proposal(imr_factor=0.9)
    bad["mr1"]["price_moves"]["tier1"] = [0.1, 0.05, 0.15]
    with pytest.raises(ValidationFailed) as refused:
        version_draft(document=bad, actor=ALICE, now=NOW)
    assert {error.path for error in refused.value.errors} == {
        "parameters.mr1.price_moves.tier1[1]",
        "parameters.imr_factor",
    }
    with pytest.raises(ValidationFailed, match="has a version of this name"):
        version_draft(document=proposal("2024-06-05"), actor=ALICE, now=NOW)


def test_a_document_that_does_not_price_the_live_book_is_refused() -> None:
    classic_world(20)
    bad = proposal()
    del bad["mr8"]["tiers"]["*"], bad["mr8"]["tiers"]["BTC"]
    with pytest.raises(ValidationFailed) as refused:
        version_draft(document=bad, actor=ALICE, now=NOW)
    assert "parameters.mr8.tiers.BTC" in {error.path for error in refused.value.errors}


def test_approval_needs_a_fresh_impact_report_of_this_very_document() -> None:
    classic_world(4)
    version = proposed()
    with pytest.raises(Refused, match="no impact report"):
        version_approve(version_id=version.pk, actor=BOB, now=NOW)
    impact_of(version, base="2024-05-11")
    with pytest.raises(Refused, match="no impact report"):
        version_approve(version_id=version.pk, actor=BOB, now=NOW)
    impact_of(version)
    with pytest.raises(Refused, match="old, more than 3600 s"):
        version_approve(version_id=version.pk, actor=BOB, now=NOW + HOUR + timedelta(seconds=1))
    assert version_approve(version_id=version.pk, actor=BOB, now=NOW + HOUR).state == VersionState.APPROVED


def test_approval_comes_before_the_version_does() -> None:
    classic_world(2)
    version = proposed()
    snapshot_at(version.effective_from)
    impact_of(version)
    with pytest.raises(Refused, match="which is past"):
        version_approve(version_id=version.pk, actor=BOB, now=version.effective_from)


def test_a_coefficient_off_by_a_unit_waits_for_a_second_approver() -> None:
    classic_world(2)
    document = proposal()
    document["mr6"]["price_move"]["tier1"] = 0.9
    document["mr7"]["futures_rate"]["tier1"] /= 100
    version = proposed(document)
    impact_of(version)
    [caution] = approval_hold(version=version, now=NOW).cautions
    assert caution.startswith("mr7.futures_rate.tier1 goes from")
    assert version_approve(version_id=version.pk, actor=BOB, now=NOW).state == VersionState.PROPOSED
    with pytest.raises(NotPermitted):
        version_approve(version_id=version.pk, actor=BOB, now=NOW)
    approved = version_approve(version_id=version.pk, actor=CAROL, now=NOW)
    assert (approved.state, approved.second_approver) == (VersionState.APPROVED, "user:carol")


def test_a_rollback_publishes_the_earlier_content_at_once_and_alarms() -> None:
    version = _approved()
    at = version.effective_from + HOUR
    versions_mirror(now=at)
    with pytest.raises(Refused, match="is in force now"):
        version_rollback(methodology=CLASSIC, restores="next", reason="no", actor=BOB, now=at)
    with pytest.raises(ValidationFailed, match="reason"):
        version_rollback(methodology=CLASSIC, restores="2024-06-05", reason=" ", actor=BOB, now=at)
    back = version_rollback(methodology=CLASSIC, restores="2024-06-05", reason="losses", actor=BOB, now=at)
    assert (back.state, back.origin) == (VersionState.ACTIVE, VersionOrigin.ROLLBACK)
    assert back.replaces == version
    header = ("version", "effective_from", "source")
    content = {name: value for name, value in back.document.items() if name not in header}
    assert content == {k: v for k, v in document_of("2024-06-05").items() if k not in header}
    assert _in_force((at - timedelta(seconds=1)).isoformat()) == "next"
    assert _in_force(at.isoformat()) == back.version
    told = Event.objects.latest("id")
    assert (told.kind, told.data["origin"], told.data["version"]) == ("parameters", "rollback", back.version)
    assert rollback_latest() == back


def test_an_approved_version_is_withdrawn_before_and_not_after_its_instant() -> None:
    version = _approved()
    late = version.effective_from
    with pytest.raises(Conflict, match="is in force"):
        version_withdraw(version_id=version.pk, reason="too late", actor=ALICE, now=late)
    version_withdraw(version_id=version.pk, reason="in time", actor=ALICE, now=NOW)
    assert _in_force(late.isoformat()) == "2024-06-05"


def test_states_follow_the_clock() -> None:
    hours = [NOW + hour * HOUR for hour in range(4)]
    assert states_at(hours, NOW + HOUR) == (
        VersionState.SUPERSEDED,
        VersionState.ACTIVE,
        VersionState.SCHEDULED,
        VersionState.SCHEDULED,
    )
    assert states_at([], NOW) == ()
    assert steps_between(VersionState.APPROVED, VersionState.ACTIVE) == (
        VersionState.SCHEDULED,
        VersionState.ACTIVE,
    )
    assert steps_between(VersionState.SUPERSEDED, VersionState.ACTIVE) == ()
