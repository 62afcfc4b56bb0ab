"""Parameter versions drafted in the console: from what is in force, by the rules of the API."""

import json
from collections.abc import Iterator
from html import unescape
from http import HTTPStatus
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from margin.choices import VersionState
from margin.console.layout import line_at, lines_of, text_of
from margin.models import ParameterVersion
from margin.parameter_files import shipped_documents
from margin.services.versions import version_propose, version_redraft
from margin.versions import version_named
from pmplatform.common.models import AuditRow
from pmplatform.console.roles import Role
from tests.console.people import person
from tests.margin.proposals import AHEAD, ALICE, CLASSIC, NOW, classic_world, proposal
from tests.support.client import TlsClient
from tests.support.console import enter

IN_FORCE = "2024-06-05"
HEADER = ("methodology", "version", "effective_from", "source")


@pytest.fixture(autouse=True)
def the_clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def start(transactional_db: None) -> ParameterVersion:
    classic_world(3)
    return version_named(methodology=CLASSIC, version=IN_FORCE)


def _proposer(name: str = "alice") -> TlsClient:
    return enter(TlsClient(), person(name, Role.PARAMETER_PROPOSER))


def _url(version: ParameterVersion) -> str:
    return reverse("admin:margin_parameterversion_draft", args=[version.pk])


def _sent(act: str, **changes: Any) -> dict[str, Any]:
    """The form as somebody sends it who has changed some values of the version in force."""
    values = {name: value for name, value in proposal(**changes).items() if name not in HEADER}
    return {
        "act": act,
        "version": "winter",
        "effective_from": AHEAD.removesuffix(":00Z"),
        "source": "decision 12",
        "values": json.dumps(values),
    }


def _answer(client: TlsClient, start: ParameterVersion, data: dict[str, Any]) -> str:
    response = client.post(_url(start), data, format="multipart")
    assert response.status_code == HTTPStatus.OK
    return unescape(response.content.decode())


@pytest.mark.parametrize(
    "document",
    [row for history in shipped_documents() for row in history["versions"]],
    ids=lambda row: row["version"],
)
def test_every_value_has_one_line_and_is_read_back_as_it_was(document: dict[str, Any]) -> None:
    assert json.loads(text_of(document)) == document
    assert max(len(line.text) for line in lines_of(document)) <= 200
    lines = lines_of(
        {"tiers": [{"up_to": 5, "rate": 0.1}, {"up_to": None, "rate": "x" * 120}], "one": [1, 2]}
    )
    assert lines[line_at(lines, "tiers[1].rate") - 1].text.strip().startswith('"rate": "xxx')  # type: ignore[operator]
    assert lines[line_at(lines, "tiers[0].rate") - 1].text.strip() == '{"rate": 0.1, "up_to": 5},'  # type: ignore[operator]
    assert lines[line_at(lines, "one[1]") - 1].text.strip() == '"one": [1, 2],'  # type: ignore[operator]
    assert line_at(lines, "ones") is None


def test_the_form_opens_with_the_values_in_force_and_without_a_name(start: ParameterVersion) -> None:
    client = _proposer()
    listing = client.get(reverse("admin:margin_parameterversion_changelist")).content.decode()
    assert _url(start) in listing
    form = client.get(_url(start)).context["page"].form
    values = json.loads(form["values"].value())
    assert values == {name: value for name, value in start.document.items() if name not in HEADER}
    assert not form["version"].value()


def test_a_check_shows_the_difference_to_what_is_in_force_and_stores_nothing(start: ParameterVersion) -> None:
    page = _answer(_proposer(), start, _sent("check", imr_factor=1.5))
    assert f"What it would change from {IN_FORCE}" in page
    assert "<code>imr_factor</code>" in page
    assert "+15.4 %" in page
    assert not ParameterVersion.objects.filter(version="winter").exists()


def test_every_fault_is_named_by_its_path_and_shown_on_its_line(start: ParameterVersion) -> None:
    for act in ("check", "save"):
        page = _answer(_proposer(act), start, _sent(act, imr_factor="much", thresholds={"warning": "high"}))
        assert "<code>imr_factor</code>" in page
        assert '<code>"imr_factor": "much",</code>' in page
        assert "<code>thresholds.warning</code>" in page
        assert 'data-line="' in page
    assert not ParameterVersion.objects.filter(version="winter").exists()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ('{"imr_factor" 1.3}', "(line 1, column 15)"),
        ('{"imr_factor": 1.3, "imr_factor": 1.4}', "imr_factor is given twice"),
        ('{"imr_factor": NaN}', "imr_factor is not a finite number"),
        ('{"version": "x"}', "version has its place above"),
        ("[1, 2]", "must be an object"),
    ],
)
def test_text_that_is_no_document_is_refused_as_it_was_typed(
    start: ParameterVersion, values: str, words: str
) -> None:
    page = _answer(_proposer(), start, {**_sent("save"), "values": values})
    assert words in page
    assert values in page


def test_a_name_that_is_taken_is_told_beside_its_field(start: ParameterVersion) -> None:
    page = _answer(_proposer(), start, {**_sent("save"), "version": IN_FORCE})
    [_, after] = page.split('id="id_version_error">')
    assert after.startswith(f"{CLASSIC} has a version of this name")


def test_a_saved_draft_is_a_draft_like_any_other_and_somebody_else_approves_it(
    start: ParameterVersion,
) -> None:
    client = _proposer()
    response = client.post(_url(start), _sent("save", imr_factor=1.5), format="multipart")
    draft = ParameterVersion.objects.get(version="winter")
    assert response["Location"] == reverse("admin:margin_parameterversion_change", args=[draft.pk])
    assert (draft.state, draft.created_by) == (VersionState.DRAFT, "user:alice")
    assert draft.document == {**proposal("winter", imr_factor=1.5), "source": "decision 12"}
    assert AuditRow.objects.filter(action="parameters.draft", actor="user:alice").count() == 1
    step = reverse("admin:margin_parameterversion_step", args=[draft.pk, "propose"])
    client.post(step, format="multipart")
    draft.refresh_from_db()
    assert (draft.state, draft.proposer) == (VersionState.PROPOSED, "user:alice")
    approve = reverse("admin:margin_parameterversion_step", args=[draft.pk, "approve"])
    assert client.post(approve, format="multipart").status_code == HTTPStatus.FORBIDDEN


def test_a_draft_is_edited_in_place_but_not_over_what_somebody_else_has_changed(
    start: ParameterVersion,
) -> None:
    client = _proposer()
    client.post(_url(start), _sent("save", imr_factor=1.5), format="multipart")
    draft = ParameterVersion.objects.get(version="winter")
    form = client.get(_url(draft)).context["page"].form
    assert (form["version"].value(), form["source"].value()) == ("winter", "decision 12")
    seen = {**_sent("save", imr_factor=1.6), "base": form["base"].value()}
    client.post(_url(draft), seen, format="multipart")
    draft.refresh_from_db()
    assert draft.document["imr_factor"] == 1.6
    version_redraft(version_id=draft.pk, document=proposal("winter", imr_factor=1.7), actor=ALICE)
    seen = {**_sent("save", imr_factor=1.8), "base": draft.sha256}
    assert "Somebody else has changed the draft" in _answer(client, draft, seen)
    draft.refresh_from_db()
    assert draft.document["imr_factor"] == 1.7


def test_what_was_proposed_since_it_was_opened_is_not_changed(start: ParameterVersion) -> None:
    client = _proposer()
    client.post(_url(start), _sent("save", imr_factor=1.5), format="multipart")
    draft = ParameterVersion.objects.get(version="winter")
    version_propose(version_id=draft.pk, actor=ALICE, now=NOW)
    data = {**_sent("save", imr_factor=1.9), "base": draft.sha256}
    assert "has a version of this name" in _answer(client, draft, data)
    draft.refresh_from_db()
    assert draft.document["imr_factor"] == 1.5


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PARAMETER_PROPOSER])
def test_nobody_else_drafts(start: ParameterVersion, role: Role) -> None:
    client = enter(TlsClient(), person("pat", role))
    assert client.get(_url(start)).status_code == HTTPStatus.FORBIDDEN
    assert client.post(_url(start), _sent("save"), format="multipart").status_code == HTTPStatus.FORBIDDEN
    for page in ("changelist", "change"):
        args = [start.pk] if page == "change" else []
        shown = client.get(reverse(f"admin:margin_parameterversion_{page}", args=args)).content.decode()
        assert _url(start) not in shown
