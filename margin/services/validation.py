"""A parameter document as a whole: its own rules, its place among the versions, and the live book."""

from typing import Any

from accounts import selectors as accounts
from margin.engine.documents.schema import Faults
from margin.engine.errors import DocumentError, Fault
from margin.engine.parameters.library import Parameters, read_version
from margin.models import ParameterVersion
from pmplatform.common.errors import FieldError, ValidationFailed

_ROOT = "parameters"
#: Room of the column that keeps a version's name.
_NAME_CHARACTERS = 64


def document_check(document: Any, *, instead_of: int | None = None) -> Parameters:
    """Read a document that is to become a version, or to replace the draft `instead_of`.

    Raises
    ------
    ValidationFailed
        With every fault and its path, coins and currencies that the live book needs included.
    """
    try:
        parameters = read_version(document, _ROOT)
        faults = Faults()
        parameters.check_covers(*accounts.book_names(), faults)
        faults.raise_if_any()
    except DocumentError as error:
        raise refusal(error.faults) from error
    header = parameters.header
    named = ParameterVersion.objects.filter(methodology=header.methodology, version=header.version)
    named = named if instead_of is None else named.exclude(pk=instead_of)
    if len(header.version) > _NAME_CHARACTERS:
        raise ValidationFailed.at(f"{_ROOT}.version", f"must have at most {_NAME_CHARACTERS} characters")
    if named.exists():
        raise ValidationFailed.at(f"{_ROOT}.version", f"{header.methodology} has a version of this name")
    return parameters


def refusal(faults: tuple[Fault, ...]) -> ValidationFailed:
    """The engine's faults as the platform's error."""
    return ValidationFailed(FieldError(fault.path, fault.message) for fault in faults)
