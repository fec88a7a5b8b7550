import subprocess
from pathlib import Path

import pytest

from cifar_exp.storage import environment

# as a process reads it that has not read it yet
read_environment = environment.environment.__wrapped__


def test_a_plain_copy_of_the_files_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    found = read_environment()
    assert found["git_commit"] is None
    assert found["git_dirty"] is None
    assert found["torch"].startswith("2.")


def test_a_checkout_has_its_commit_and_whether_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        names = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *names, *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-qm", "first")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    assert read_environment()["git_commit"] == git("rev-parse", "HEAD")
    assert read_environment()["git_dirty"] is False
    (tmp_path / "file").write_text("2")
    assert read_environment()["git_dirty"] is True
