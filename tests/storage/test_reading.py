"""Files that lie in outputs/, whoever put them there."""

import os
from pathlib import Path

import pytest

from cifar_exp.storage.reading import UnreadableError, read_bytes, read_text


@pytest.mark.parametrize("content", [b"", b"a", b"a" * 3_000_000])
def test_a_file_is_read_whole(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_bytes(tmp_path / "file") == content


def test_a_pipe_or_a_folder_is_no_file_and_blocks_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            read_bytes(path)


def test_a_text_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(b"\xff")
    with pytest.raises(UnreadableError, match=r"^notes cannot be read: not UTF-8 text$"):
        read_text(tmp_path / "notes")
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "absent")
