"""Files of a cache: mapped into memory, and trusted only while their checksum shows them whole."""

import hashlib
import logging
import mmap
import tempfile
from pathlib import Path
from typing import Final

_MAGIC: Final = b"PMSEAL01"
#: The content begins at this offset, behind magic and checksum, so that it is aligned.
_HEAD: Final = 64
logger = logging.getLogger(__name__)


def sealed_write(path: Path, content: bytes | memoryview) -> None:
    """Make this the content of a file, at once for whoever opens it next.

    A file that cannot be written is logged and nothing else: whoever needs it makes it again.
    """
    head = (_MAGIC + hashlib.sha256(content).digest()).ljust(_HEAD, b"\0")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".unfinished-", delete=False) as file:
            unfinished = Path(file.name)
            try:
                file.write(head)
                file.write(content)
                file.flush()
                # Never written in place: others have the old file mapped.
                unfinished.replace(path)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
    except OSError as error:
        logger.warning("%s is not written: %s", path, error)


def sealed_read(path: Path) -> memoryview | None:
    """The content of a file, mapped; None where there is none, or where it is not as it was written."""
    try:
        with path.open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        # An empty file cannot be mapped.
        logger.warning("%s cannot be read: %s", path, error)
        return None
    body = content[_HEAD:]
    if bytes(content[:_HEAD]) != (_MAGIC + hashlib.sha256(body).digest()).ljust(_HEAD, b"\0"):
        logger.warning("%s is not as it was written; it is made again", path)
        return None
    return body
