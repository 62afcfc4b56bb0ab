"""Book documents on the command line: read from files, their faults as one line each."""

from pathlib import Path

from margin.engine.errors import DocumentError, Fault
from pmplatform.common.errors import ValidationFailed
from pmplatform.common.strict_json import Numbers, strict_json_loads

WHOLE = "document"


def read_document(book: Path) -> object:
    """The JSON value in a file; DocumentError for whatever keeps it from being read."""
    try:
        return strict_json_loads(book.read_bytes(), numbers=Numbers.FLOAT)
    except OSError as error:
        raise DocumentError([Fault(WHOLE, f"cannot be read: {error.strerror}")]) from error
    except ValidationFailed as error:
        raise DocumentError(Fault(fault.path, fault.message) for fault in error.errors) from error


def fault_line(book: Path, error: DocumentError) -> str:
    """One line that names the book and each of its faults, whatever the document's keys contain."""
    faults = "; ".join(f"{fault.path or WHOLE}: {fault.message}" for fault in error.faults)
    return " ".join(f"{book}: {faults}".splitlines())
