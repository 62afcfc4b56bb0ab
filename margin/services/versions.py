"""Parameter versions on their way into force: drafted, proposed, withdrawn, mirrored, rolled back."""

from datetime import datetime
from typing import Any

from django.db import transaction

from margin import selectors
from margin.choices import VersionOrigin, VersionState
from margin.engine.parameters.library import Parameters
from margin.engine.simulation import iso
from margin.lifecycle import PUBLISHED, may_move, states_at, steps_between
from margin.models import ParameterVersion
from margin.services.telling import version_event
from margin.services.validation import document_check
from margin.versions import history, version_named
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import Conflict, Refused, ValidationFailed
from pmplatform.common.events import events_append
from pmplatform.common.locking import rows_lock
from pmplatform.common.principals import Actor

_OBJECT = "parameter_version"
#: Nobody in particular: what the passing of time does.
CLOCK = Actor(name="system:parameters", request_id="mirror")


@transaction.atomic
def version_draft(*, document: Any, actor: Actor, now: datetime) -> ParameterVersion:
    """Store a valid document as a draft; ValidationFailed with every fault of another."""
    parameters = document_check(document)
    version = ParameterVersion.objects.create(
        origin=VersionOrigin.PROPOSAL, created_at=now, created_by=actor.name, **_content(parameters, document)
    )
    version_audit(version, "draft", actor, before=None)
    return version


@transaction.atomic
def version_redraft(
    *, version_id: int, document: Any, actor: Actor, seen_sha256: str | None = None
) -> ParameterVersion:
    """Replace the document of a draft, the one with `seen_sha256` if that is given; its methodology stays.

    Raises
    ------
    ValidationFailed, NotFound
    Conflict
        When it is no draft any more, since what has been proposed does not change; or not the one seen.
    """
    version = version_lock(version_id)
    if version.state != VersionState.DRAFT:
        raise Conflict(f"The version is {version.state}; only a draft can be changed.")
    if seen_sha256 not in (None, version.sha256):
        raise Conflict("Somebody else has changed the draft since you opened it.")
    parameters = document_check(document, instead_of=version.pk)
    if parameters.header.methodology != version.methodology:
        raise ValidationFailed.at("parameters.methodology", f"must be {version.methodology}")
    before = version.sha256
    for name, value in _content(parameters, document).items():
        setattr(version, name, value)
    version.save()
    version_audit(version, "redraft", actor, before={"sha256": before})
    return version


@transaction.atomic
def version_propose(*, version_id: int, actor: Actor, now: datetime) -> ParameterVersion:
    """Freeze a draft and put it before an approver.

    It is checked again, since the book may have come to need more since it was drafted.

    Raises
    ------
    ValidationFailed, NotFound, Conflict
    """
    version = version_lock(version_id)
    document_check(version.document, instead_of=version.pk)
    version_move(version, VersionState.PROPOSED, "propose", actor, proposer=actor.name, proposed_at=now)
    return version


@transaction.atomic
def version_withdraw(*, version_id: int, reason: str, actor: Actor, now: datetime) -> ParameterVersion:
    """Take back a version that is not in force yet, whatever it has passed already.

    Raises
    ------
    NotFound, Conflict, ValidationFailed
    """
    version = version_lock(version_id)
    _close(version, VersionState.WITHDRAWN, "withdraw", reason, actor, now)
    return version


@transaction.atomic
def version_reject(*, version_id: int, reason: str, actor: Actor, now: datetime) -> ParameterVersion:
    """Turn a proposal down, with the reason.

    Raises
    ------
    NotFound, Conflict, ValidationFailed
    """
    version = version_lock(version_id)
    _close(version, VersionState.REJECTED, "reject", reason, actor, now)
    return version


@transaction.atomic
def version_schedule(*, version_id: int, actor: Actor) -> ParameterVersion:
    """Put an approved version on the calendar, which the housekeeping would do within seconds.

    Raises
    ------
    NotFound, Conflict
    """
    version = version_lock(version_id)
    version_move(version, VersionState.SCHEDULED, "schedule", actor)
    return version


@transaction.atomic
def version_rollback(
    *, methodology: str, restores: str, reason: str, actor: Actor, now: datetime
) -> ParameterVersion:
    """Publish an earlier version's content as a new version, in force at once; one person may, and it alarms.

    What was in force before stays on record as it was, up to now.

    Raises
    ------
    NotFound, ValidationFailed
    Refused
        When the version named was never in force, or is what is in force now.
    """
    reason_check(reason)
    earlier = version_named(methodology=methodology, version=restores)
    current = selectors.parameters_in_force(methodology, now)
    if earlier.state not in PUBLISHED or earlier.effective_from > now or current is None:
        raise Refused([f"{earlier} has never been in force."])
    if current.pk == earlier.pk:
        raise Refused([f"{earlier} is in force now."])
    name = f"{now:%Y-%m-%dT%H:%M:%S}-rollback"
    document = {
        **earlier.document,
        "version": name,
        "effective_from": iso(now),
        "source": f"rollback to {restores}",
    }
    version = ParameterVersion.objects.create(
        origin=VersionOrigin.ROLLBACK,
        state=VersionState.APPROVED,
        created_at=now,
        created_by=actor.name,
        proposer=actor.name,
        proposed_at=now,
        reason=reason,
        replaces=current,
        restores=earlier,
        **_content(document_check(document), document),
    )
    version_audit(version, "rollback", actor, before={"in_force": current.version}, reason=reason)
    versions_mirror(now=now)
    version.refresh_from_db()
    return version


@transaction.atomic
def versions_mirror(*, now: datetime) -> int:
    """Bring the state column of published versions in line with the time; returns how many moved.

    Every state on the way is passed, each with its audit row.
    """
    moved = 0
    begun: list[ParameterVersion] = []
    methodologies = selectors.parameters_published().values_list("methodology", flat=True)
    for methodology in sorted(set(methodologies)):
        rows = history(methodology=methodology)
        due = states_at([row.effective_from for row in rows], now)
        late = [(row, state) for row, state in zip(rows, due, strict=True) if row.state != state]
        for row, state in late:
            version = version_lock(row.pk)
            if steps := _mirror(version, state):
                moved += steps
                if state == VersionState.ACTIVE and not _is_just_loaded(row):
                    begun.append(version)
    events_append(events=[version_event(version) for version in begun], now=now)
    return moved


def _mirror(version: ParameterVersion, state: VersionState) -> int:
    """Take a locked version to the state of the moment; returns in how many steps."""
    if version.state not in PUBLISHED:
        return 0
    steps = steps_between(VersionState(version.state), state)
    for step in steps:
        version_move(version, step, str(step), CLOCK)
    return len(steps)


def _is_just_loaded(version: ParameterVersion) -> bool:
    """What the initial load finds in force is no news."""
    return version.origin == VersionOrigin.INITIAL and version.state == VersionState.APPROVED


def version_lock(version_id: int) -> ParameterVersion:
    """The version, locked until the transaction ends; NotFound, LockTimeout."""
    [version] = rows_lock(queryset=ParameterVersion.objects.all(), ids=[version_id])
    return version


def version_move(
    version: ParameterVersion, to: VersionState, action: str, actor: Actor, *, reason: str = "", **fields: Any
) -> None:
    """Move a locked version on, with its audit row; Conflict where its state does not allow it."""
    before = VersionState(version.state)
    if not may_move(before, to):
        raise Conflict(f"A version that is {before} cannot become {to}.")
    for name, value in {"state": to, **fields}.items():
        setattr(version, name, value)
    version.save(update_fields=["state", *fields])
    version_audit(version, action, actor, before={"state": before}, reason=reason)


def version_audit(
    version: ParameterVersion, action: str, actor: Actor, *, before: object, reason: str = ""
) -> None:
    """The audit row of what has just happened to a version."""
    audit_append(
        actor=actor,
        action=f"parameters.{action}",
        object_type=_OBJECT,
        object_id=version.pk,
        tenant_id=None,
        before=before,
        after={
            "methodology": version.methodology,
            "version": version.version,
            "state": version.state,
            "sha256": version.sha256,
            "effective_from": version.effective_from.isoformat(),
        },
        reason=reason,
    )


def reason_check(reason: str) -> None:
    """ValidationFailed for an empty reason."""
    if not reason.strip():
        raise ValidationFailed.at("reason", "is missing: it goes into the audit")


def _close(
    version: ParameterVersion, to: VersionState, action: str, reason: str, actor: Actor, now: datetime
) -> None:
    reason_check(reason)
    if version.approved_at is not None and version.effective_from <= now:
        raise Conflict("The version is in force; roll back instead.")
    fields = {"closed_by": actor.name, "closed_at": now}
    version_move(version, to, action, actor, reason=reason, **fields)
    if version.approved_at is not None:
        events_append(events=[version_event(version)], now=now)


def _content(parameters: Parameters, document: Any) -> dict[str, Any]:
    """The columns that a document decides."""
    header = parameters.header
    return {
        "methodology": header.methodology,
        "version": header.version,
        "effective_from": header.effective_from,
        "document": document,
        "sha256": header.sha256,
    }
