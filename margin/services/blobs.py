"""Content-addressed bytes: in the database, and in files of this host that spare it most reads."""

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

from margin import selectors
from margin.models import Blob
from pmplatform.common.columns import plain_execute
from pmplatform.common.sealed import sealed_read, sealed_write

_STORE: Final = """
    INSERT INTO margin_blob (key, content, last_used_at) VALUES (%(key)s, %(content)b, %(now)s)
    ON CONFLICT (key) DO UPDATE SET last_used_at = excluded.last_used_at
"""
#: Far less than what is unused rests before it is forgotten (`retention`).
_MARK_LASTS: Final = timedelta(minutes=1)
#: What the files may take together: the shards of two million accounts. The longest unused go first.
FILES_BYTES: Final = 2 * 2**30


def blob_store(*, key: str, content: bytes) -> None:
    """Store bytes under the hash of what they were made from; storing them twice marks them as used."""
    now, stored = timezone.now(), Blob.objects.filter(pk=key)
    # What is there already is not sent again, and a mark of this minute is as good as one of now.
    if stored.filter(last_used_at__gt=now - _MARK_LASTS).exists() or stored.update(last_used_at=now):
        return
    plain_execute(query=_STORE, parameters={"key": key, "content": content, "now": now})


def blob_keep(*, key: str, content: bytes) -> None:
    """Keep bytes in a file, too, for the workers of this host."""
    path = _file(key)
    if path.exists():
        os.utime(path)
        return
    sealed_write(path, content)
    _files_prune(path.parent)


def blob_read(*, key: str) -> bytes | memoryview | None:
    """The bytes under a key, from a file of this host or from the database; None where neither has them."""
    path = _file(key)
    kept = sealed_read(path)
    if kept is not None:
        with suppress(OSError):
            os.utime(path)
        return kept
    content = selectors.blob(key)
    if content is not None:
        path.unlink(missing_ok=True)
        blob_keep(key=key, content=content)
    return content


def _file(key: str) -> Path:
    return Path(settings.PM_DATA_DIR) / "blobs" / key


def _files_prune(directory: Path) -> None:
    with suppress(OSError):
        found = [(status.st_mtime, status.st_size, path) for path, status in _files(directory)]
        excess = sum(size for _, size, _ in found) - FILES_BYTES
        for _, size, path in sorted(found):
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size


def _files(directory: Path) -> list[tuple[Path, os.stat_result]]:
    return [(path, path.stat()) for path in directory.iterdir()]
