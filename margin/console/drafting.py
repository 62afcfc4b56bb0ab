"""The form in which a parameter version is drafted from another: its header as fields, its values as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django import forms

from margin import selectors
from margin.choices import VersionState
from margin.console.layout import Line, line_at, lines_of, text_of
from margin.console.versions import ChangeRow, change_row
from margin.engine.parameters.diff import HEADER_FIELDS, parameter_diff
from margin.engine.simulation import iso
from margin.models import ParameterVersion
from margin.services.validation import document_check
from margin.services.versions import version_draft, version_redraft
from pmplatform.common.errors import FieldError, ValidationFailed
from pmplatform.common.parsers import MIB
from pmplatform.common.principals import Actor
from pmplatform.common.strict_json import Numbers, strict_json_loads

_ROOT: Final = "parameters."
_METHODOLOGY: Final = "methodology"
_HEADER: Final = (_METHODOLOGY, *HEADER_FIELDS)
#: A browser leaves seconds out where there are none.
_MINUTES, _SECONDS = "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"


class DraftForm(forms.Form):
    """``base`` is the hash of the draft that was opened, so that nobody overwrites what he has not seen."""

    version = forms.CharField(label="Name of the version", max_length=64)
    effective_from = forms.DateTimeField(
        label="In force from, UTC",
        input_formats=[_SECONDS, _MINUTES],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_SECONDS),
    )
    source = forms.CharField(label="Source: the notice or decision behind it", max_length=500)
    values = forms.CharField(
        label="Values",
        max_length=MIB,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false", "class": "pm-editor"}),
    )
    base = forms.CharField(required=False, widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class FaultRow:
    """A fault of a value; ``line`` is None where it is about the whole, ``text`` what stands there."""

    path: str
    message: str
    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class DraftPage:
    """``changes`` is None until the document has been found valid; ``against`` is what it would replace."""

    start: ParameterVersion
    is_redraft: bool
    form: DraftForm
    faults: tuple[FaultRow, ...] = ()
    against: ParameterVersion | None = None
    changes: tuple[ChangeRow, ...] | None = None


def draft_opened(start: ParameterVersion) -> DraftPage:
    """The form as it is first seen: a draft as it is, another version's values under a name to be given."""
    is_redraft = start.state == VersionState.DRAFT
    values = {name: value for name, value in start.document.items() if name not in _HEADER}
    kept = {"version": start.version, "effective_from": start.effective_from, "base": start.sha256}
    form = DraftForm(
        initial={
            "source": start.document.get("source", "") if is_redraft else "",
            "values": text_of(values),
            **(kept if is_redraft else {}),
        }
    )
    return DraftPage(start, is_redraft, form)


def draft_checked(start: ParameterVersion, data: Mapping[str, Any]) -> DraftPage:
    """The form as it was sent, with every fault or else the difference to what it would take over from."""
    is_redraft = start.state == VersionState.DRAFT
    form, document = _read(start, data)
    if document is None:
        return DraftPage(start, is_redraft, form, _read_faults(form))
    try:
        document_check(document, instead_of=start.pk if is_redraft else None)
    except ValidationFailed as refusal:
        return DraftPage(start, is_redraft, form, _refused(form, document, refusal.errors))
    against = selectors.parameters_in_force(start.methodology, form.cleaned_data["effective_from"])
    changes = parameter_diff(against.document, document) if against else ()
    return DraftPage(start, is_redraft, form, (), against, tuple(map(change_row, changes)))


def draft_saved(
    start: ParameterVersion, data: Mapping[str, Any], actor: Actor, now: datetime
) -> ParameterVersion | DraftPage:
    """The draft that is stored, or the form with its faults.

    Raises
    ------
    NotFound
    Conflict
        When the draft was proposed, or changed by somebody else, since it was opened.
    """
    form, document = _read(start, data)
    if document is None:
        return draft_checked(start, data)
    try:
        if start.state != VersionState.DRAFT:
            return version_draft(document=document, actor=actor, now=now)
        seen = form.cleaned_data["base"]
        return version_redraft(version_id=start.pk, document=document, actor=actor, seen_sha256=seen)
    except ValidationFailed:
        return draft_checked(start, data)


def _read(start: ParameterVersion, data: Mapping[str, Any]) -> tuple[DraftForm, dict[str, Any] | None]:
    """The form and the document it makes; None, with errors in the form, where it makes none."""
    form = DraftForm(data)
    if not form.is_valid():
        return form, None
    try:
        values = strict_json_loads(form.cleaned_data["values"].encode(), numbers=Numbers.FLOAT)
        if not isinstance(values, dict):
            raise ValidationFailed.at("", "must be an object, in braces")
        if taken := [name for name in _HEADER if name in values]:
            raise ValidationFailed.at(taken[0], "has its place above, or follows from where the draft began")
    except ValidationFailed as refusal:
        form.add_error("values", [f"{fault.path} {fault.message}".strip() for fault in refusal.errors])
        return form, None
    header = {
        _METHODOLOGY: start.methodology,
        "version": form.cleaned_data["version"],
        "effective_from": iso(form.cleaned_data["effective_from"]),
        "source": form.cleaned_data["source"],
    }
    # Laid out anew, so that every fault can be shown on its line.
    form.data = {**{name: data.get(name) for name in form.fields}, "values": text_of(values)}
    return form, {**header, **values}


def _read_faults(form: DraftForm) -> tuple[FaultRow, ...]:
    return tuple(FaultRow("", str(message), None, "") for message in form.errors.get("values", ()))


def _refused(
    form: DraftForm, document: Mapping[str, Any], errors: Sequence[FieldError]
) -> tuple[FaultRow, ...]:
    """Faults of the header beside its fields, those of values by the line on which each stands."""
    lines = lines_of({name: value for name, value in document.items() if name not in _HEADER})
    rows = []
    for fault in errors:
        path = fault.path.removeprefix(_ROOT)
        if path in HEADER_FIELDS:
            form.add_error(path, fault.message)
        else:
            rows.append(_fault_row(lines, path, fault.message))
    return tuple(rows)


def _fault_row(lines: Sequence[Line], path: str, message: str) -> FaultRow:
    number = line_at(lines, path)
    return FaultRow(path, message, number, lines[number - 1].text.strip() if number else "")
