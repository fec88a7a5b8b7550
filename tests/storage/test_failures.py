import errno
import os
from pathlib import Path

import pytest

from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.storage.failures import explained


def raised(error: OSError, folder: Path) -> Exception:
    with pytest.raises((UserError, EnvironmentFailure)) as caught, explained(folder, "all is well"):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def os_error(number: int, path: Path | None = None) -> OSError:
    return OSError(number, os.strerror(number), None if path is None else str(path))


@pytest.mark.parametrize("number", [errno.EEXIST, errno.ENOTDIR, errno.EISDIR])
def test_what_is_in_the_way_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs").touch()
    error = raised(os_error(number, tmp_path / "outputs" / "sweeps" / "x"), Path("outputs"))
    assert isinstance(error, UserError)
    assert str(error) == "outputs exists but is not a writable folder"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "permission denied"),
        (errno.EPERM, "operation not permitted"),
        (errno.EROFS, "read-only file system"),
    ],
)
def test_what_is_not_allowed_is_named_with_the_reason(
    tmp_path: Path, number: int, reason: str
) -> None:
    error = raised(os_error(number), tmp_path)
    assert isinstance(error, UserError)
    assert str(error) == f"cannot access {tmp_path}: {reason}"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (
            errno.ENOSPC,
            "no space is left on the disk of outputs; all is well: "
            "make room and run the same command again to continue",
        ),
        (
            errno.EDQUOT,
            "no space is left on the disk of outputs; all is well: "
            "make room and run the same command again to continue",
        ),
        (
            errno.EMFILE,
            "too many files are open; all is well: raise the limit (ulimit -n) or lower "
            "hydra.launcher.n_jobs, and run the same command again",
        ),
        (
            errno.EIO,
            "[Errno 5] Input/output error; all is well: run the same command again to continue",
        ),
    ],
)
def test_what_the_user_did_not_cause_says_how_to_continue(number: int, sentence: str) -> None:
    error = raised(os_error(number), Path("outputs"))
    assert isinstance(error, EnvironmentFailure)
    assert str(error) == sentence


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="x"), explained(Path()):
        raise ValueError("x")
