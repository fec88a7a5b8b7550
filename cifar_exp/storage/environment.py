"""The `environment` of run.json: versions, host and commit."""

import importlib.metadata
import platform
import socket
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import cifar_exp

ROOT = Path(cifar_exp.__file__).parent.parent


@cache  # of the code as it was loaded; git is slow, and a worker trains many runs
def environment() -> dict[str, Any]:
    """Versions, host and the commit of the code, which is None outside a git checkout."""
    commit = _git("rev-parse", "HEAD")
    return {
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "cifar_exp": cifar_exp.__version__,
        "git_commit": commit,
        "git_dirty": None if commit is None else bool(_git("status", "--porcelain", "-uno")),
        "host": socket.gethostname(),
    }


def _git(*arguments: str) -> str | None:
    # Only the package's own checkout counts, not a repository that contains its installation.
    if not (ROOT / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
