"""Run a command of the user when a sweep ends, however it ends."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cifar_exp.errors import DONE, FAILED, INTERRUPTED, Interrupted
from cifar_exp.sweeps.plan import Plan

LONGEST_SECONDS = 60.0  # a sweep must not hang because its alert does


@dataclass
class Alarm:
    """What the command is told; None: the sweep goes on elsewhere, and there is no alert."""

    exit_code: int | None = None


@contextmanager
def alert(plan: Plan) -> Iterator[Alarm]:
    """At the end of the block, run the command that `on_end` names, in a shell.

    It gets CIFAR_EXP_SWEEP, the sweep's folder, CIFAR_EXP_STATUS (done, failed, interrupted) and
    CIFAR_EXP_EXIT_CODE. It may fail: the sweep has ended already.
    """
    alarm = Alarm()
    try:
        yield alarm
    except Interrupted as interruption:
        alarm.exit_code = interruption.exit_code
        raise
    except KeyboardInterrupt:
        alarm.exit_code = INTERRUPTED
        raise
    except Exception:
        alarm.exit_code = FAILED
        raise
    finally:
        if plan.settings.on_end is not None and alarm.exit_code is not None:
            _run(plan.settings.on_end, plan, alarm.exit_code)


def _run(command: str, plan: Plan, exit_code: int) -> None:
    status = {DONE: "done", FAILED: "failed"}.get(exit_code, "interrupted")
    told = {
        "CIFAR_EXP_SWEEP": str(plan.folder.resolve()),
        "CIFAR_EXP_STATUS": status,
        "CIFAR_EXP_EXIT_CODE": str(exit_code),
    }
    try:
        done = subprocess.run(
            command, shell=True, env={**os.environ, **told}, timeout=LONGEST_SECONDS, check=False
        )
        problem = f"ended with exit code {done.returncode}" if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem is not None:
        print(f"note     on_end: {problem}", file=sys.stderr)
