"""Files of a cache are read as they were written, or not at all."""

from pathlib import Path

import pytest

from pmplatform.common.sealed import sealed_read, sealed_write

CONTENT = bytes(range(256)) * 40


def test_content_comes_back_mapped_and_aligned(tmp_path: Path) -> None:
    path = tmp_path / "below" / "file"
    sealed_write(path, CONTENT)
    content = sealed_read(path)
    assert content is not None
    assert bytes(content) == CONTENT
    assert content.readonly
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o077 == 0


def test_who_has_a_file_mapped_keeps_it_while_another_is_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    sealed_write(path, CONTENT)
    before = sealed_read(path)
    sealed_write(path, b"short")
    after = sealed_read(path)
    assert before is not None
    assert after is not None
    assert bytes(before) == CONTENT
    assert bytes(after) == b"short"


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, -1])
def test_a_truncated_file_is_none(tmp_path: Path, length: int) -> None:
    path = tmp_path / "file"
    sealed_write(path, CONTENT)
    path.write_bytes(path.read_bytes()[:length])
    assert sealed_read(path) is None


@pytest.mark.parametrize("place", [0, 9, 50, 64, -1])
def test_a_file_with_one_bit_changed_is_none(tmp_path: Path, place: int) -> None:
    path = tmp_path / "file"
    sealed_write(path, CONTENT)
    whole = bytearray(path.read_bytes())
    whole[place] ^= 1
    path.write_bytes(whole)
    assert sealed_read(path) is None


def test_a_missing_file_is_none_and_one_that_cannot_be_written_harms_nobody(tmp_path: Path) -> None:
    assert sealed_read(tmp_path / "none") is None
    (tmp_path / "file").write_bytes(b"")
    sealed_write(tmp_path / "file" / "below", CONTENT)
    assert sealed_read(tmp_path / "file" / "below") is None
