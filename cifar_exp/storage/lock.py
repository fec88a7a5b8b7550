"""outputs/runs/.locks/<run_id>: who trains a run, on a folder that several machines may share.

A lock file holds the lease of its holder (storage/lease.py), who renews it every `RENEW_SECONDS`.
Nothing rests on flock, which is local or absent on some shared file systems, on synchronized
clocks, or on host names. What is needed of the file system: a rename replaces a file atomically,
and whoever opens a file or lists a folder into which he has just written sees what other machines
did before. NFS promises this (close-to-open consistency), Lustre and local file systems more.

**Acquiring.** A claimant who found the lock file free, or its holder dead (storage/liveness.py),
1. writes his lease into a claim: a file of a unique name in `.locks/.claims/<run_id>/`;
2. reads the lock file again, and gives up if it has changed;
3. renames his claim over the lock file;
4. removes all other claims;
5. reads the lock file once more: he is the holder if it has his lease.

Two claimants never both become holders. Say that B's rename (3) follows A's, and that A has found
his own lease (5), which means before B's rename. Had B's claim been there at A's removal (4), B's
rename would have failed. If B made it (1) later, B has read (2) A's lease and given up.

**Losing.** A holder that is frozen or cut off for longer than `LEASE_SECONDS` is taken for dead by
other machines, and does not know it when it wakes up. Therefore `check_fence` stands before
everything that it makes visible, and raises `RunTakenOverError` if the lock file has another lease.
A process may be frozen after this check too, just before it renames what it wrote. Therefore a new
holder that takes over removes the temporary files of the run before it does anything else: a rename
that was checked before the take-over finds nothing to rename, by the argument above. What remains
is one removal or one move of a folder, at a run's end or beginning, that was checked in the
instant before the process was frozen.

**Releasing.** The lock file is emptied and stays. Emptying and renewing write in place: a lease
that was replaced meanwhile is in a file without a name.

Reading a holder writes nothing. A holder on another machine counts as alive until it has been
watched for `LEASE_SECONDS`. On the same machine it is alive exactly while its process exists.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cifar_exp.storage import liveness
from cifar_exp.storage.atomic import remove_unfinished
from cifar_exp.storage.failures import explained
from cifar_exp.storage.fence import TakenOverError, fenced
from cifar_exp.storage.lease import Holder, Lease, LockHolder, parse_holder, read_content

CLAIMS = ".claims"
LOOK_SECONDS = 0.5  # between two looks at a holder that is being watched
WAIT_SECONDS = 0.02  # between two attempts to get a lock that is held for moments
MOST_ATTEMPTS = 100  # to write into a folder that other claimants remove

_watch = liveness.Watch()


class RunLockedError(Exception):
    """The run is being trained by another process."""

    @classmethod
    def by(cls, run_id: str, holder: LockHolder | None) -> "RunLockedError":
        """The error that names the holder."""
        return cls(f"run {run_id} is being trained by {_name(holder)}")


class RunTakenOverError(RunLockedError, TakenOverError):
    """The run was being trained by this process, until another one took it over."""


class LockedError(Exception):
    """The lock file is held by another process."""

    def __init__(self, holder: LockHolder | None) -> None:
        super().__init__(f"held by {_name(holder)}")
        self.holder = holder


def lock_path(runs: Path, run_id: str) -> Path:
    """The file of a run's lock."""
    return runs / ".locks" / run_id


@contextmanager
def lock_run(runs: Path, run_id: str) -> Iterator[None]:
    """Hold the run during the block, on this thread.

    Raises RunLockedError immediately if another process holds it or may hold it, UserError or
    EnvironmentFailure if the lock cannot be written. What the block writes with storage/ raises
    RunTakenOverError, and changes nothing, if another process has taken the run over.
    """
    path = lock_path(runs, run_id)
    try:
        with explained(path.parent):
            hold = Hold(path, f"run {run_id}")
            was_held = hold.acquire()
    except LockedError as error:
        raise RunLockedError.by(run_id, error.holder) from error
    with hold.kept():
        if was_held:
            with explained(runs):
                for folder in sorted(runs.glob(f"[!.]*-{run_id}*")):
                    remove_unfinished(folder)
        yield


@contextmanager
def lock_file(path: Path, what: str) -> Iterator[None]:
    """Hold a lock that every process holds for moments only; waits for it.

    `what` names what it protects, for RunTakenOverError. Raises OSError.
    """
    hold = Hold(path, what)
    while True:
        try:
            hold.acquire()
            break
        except LockedError:
            time.sleep(WAIT_SECONDS)
    with hold.kept():
        yield


def lock_holder(runs: Path, run_id: str) -> LockHolder | None:
    """The process that holds the run, or None. One that may be alive counts as alive."""
    path = lock_path(runs, run_id)
    return _living_holder(path, _read(path))


def is_abandoned(runs: Path, run_id: str) -> bool:
    """Whether a process died while it held the run, and nobody has taken it over."""
    path = lock_path(runs, run_id)
    content = _read(path)
    return parse_holder(content) is not None and _living_holder(path, content) is None


def wait_for_holder(
    runs: Path, run_id: str, report: Callable[[LockHolder], None]
) -> LockHolder | None:
    """As `lock_holder`, but a holder that may be dead is watched until this is known.

    `report` is called before, with the holder. This takes up to `RENEW_SECONDS` if the holder is
    alive, and `LEASE_SECONDS` if it is dead.
    """
    path, first = lock_path(runs, run_id), b""
    while True:
        content = _read(path)
        holder = _living_holder(path, content)
        if holder is None or liveness.is_alive(path, holder) or first not in (b"", content):
            return holder
        if not first:
            first = content
            report(holder)
        time.sleep(LOOK_SECONDS)


def read_holder(path: Path) -> Holder | None:
    """The holder that a lock file names, alive or not; None if it is free or damaged."""
    return parse_holder(_read(path))


class Hold:
    """A lock file in the hands of this process. `what` it protects: `run 0123456789`."""

    def __init__(self, path: Path, what: str) -> None:
        self.path, self.what = path, what
        self._lease = Lease()
        self._lost, self._ended = threading.Event(), threading.Event()

    def acquire(self) -> bool:
        """Get the lock; returns whether it was taken over from a holder that has died.

        Raises LockedError if it is held, or may be, and OSError if it cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        before = read_content(self.path)
        holder = _living_holder(self.path, before)
        if holder is not None:
            raise LockedError(holder)
        liveness.held_here.add(self._lease.token)
        try:
            self._replace(before)
        except BaseException:
            self._release()
            raise
        return parse_holder(before) is not None

    def _replace(self, before: bytes) -> None:
        """Steps 1 to 5 of acquiring."""
        claim = self._make_claim()
        try:
            now = read_content(self.path)
            if now != before:
                raise LockedError(parse_holder(now))
            with suppress(FileNotFoundError):  # a quicker claimant has removed it
                os.replace(claim, self.path)
        finally:
            claim.unlink(missing_ok=True)
        _remove_claims(claim.parent)
        now = read_content(self.path)
        if not self._lease.is_in(now):
            raise LockedError(parse_holder(now))

    def _make_claim(self) -> Path:
        folder = self.path.parent / CLAIMS / self.path.name
        for _ in range(MOST_ATTEMPTS):
            folder.mkdir(parents=True, exist_ok=True)
            claim = folder / self._lease.token
            try:
                descriptor = os.open(claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            except FileNotFoundError:  # another claimant has removed the empty folder
                continue
            try:
                os.pwrite(descriptor, self._lease.text, 0)
            finally:
                os.close(descriptor)
            return claim
        raise LockedError(None)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease during the block, let it write only as long as it holds, and release."""
        thread = threading.Thread(target=self._renew, name=f"lease of {self.what}", daemon=True)
        try:
            thread.start()
            with fenced(self):
                yield
        finally:
            self._ended.set()
            thread.join()
            self._release()

    def _renew(self) -> None:
        while not self._ended.wait(liveness.RENEW_SECONDS):
            with suppress(OSError):  # an outage must not end the run; the next renewal may succeed
                if not self._lease.renew(self.path):
                    self._lost.set()
                    break

    def _release(self) -> None:
        liveness.held_here.discard(self._lease.token)
        with suppress(OSError):
            self._lease.release(self.path)

    @property
    def is_lost(self) -> bool:
        """Whether the loss has been noticed. Reads no file."""
        return self._lost.is_set()

    def check(self) -> None:
        """Raise RunTakenOverError if another process has the lock. Raises OSError too."""
        content = read_content(self.path)
        if self._lease.is_in(content):
            return
        self._lost.set()
        raise RunTakenOverError(
            f"{self.what} was taken over by {_name(parse_holder(content))} while this process "
            "gave no sign of life; this process has changed nothing since"
        )


def _remove_claims(folder: Path) -> None:
    with suppress(FileNotFoundError):
        for claim in list(folder.iterdir()):
            claim.unlink(missing_ok=True)
    with suppress(OSError):  # another claimant is there already
        folder.rmdir()


def _living_holder(path: Path, content: bytes) -> Holder | None:
    """The holder in this content of a lock file, unless it is known to be dead."""
    holder = parse_holder(content)
    known = False if holder is None else liveness.is_alive(path, holder)
    if known is not None:
        _watch.forget(path)
        return holder if known else None
    return None if _watch.has_expired(path, content) else holder


def _read(path: Path) -> bytes:
    """The content of a lock file; empty where it cannot be read."""
    try:
        return read_content(path)
    except OSError:
        return b""


def _name(holder: LockHolder | None) -> str:
    return f"process {holder.pid} on {holder.host}" if holder else "another process"
