"""A dataset's archive: downloaded, checked and unpacked whole, or not at all."""

import hashlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from cifar_exp.data.cache import cache_lock
from cifar_exp.errors import EnvironmentFailure, UserError

DOWNLOADING = ".fetching-"
STALLED_SECONDS = 60.0


@dataclass(frozen=True)
class Archive:
    """An archive on the web.

    `title` names the dataset in messages, `folder` is what the archive unpacks to, `md5` is of the
    archive and `members` of those files in `folder` that are read.
    """

    title: str
    url: str
    md5: str
    folder: str
    members: Mapping[str, str]

    @property
    def filename(self) -> str:
        """The archive's name on disk."""
        return self.url.rpartition("/")[2]


def missing_message(root: Path, download: bool, archive: Archive) -> str | None:
    """A sentence if the archive is not at `root` and cannot get there; looks at names only."""
    if (root / archive.folder).is_dir() or (root / archive.filename).is_file():
        return None
    if all((root / name).is_file() for name in archive.members):
        return f"data.root={root}: is the unpacked archive itself; set data.root={root.parent}"
    if not download:
        return (
            f"data.root={root}: {archive.title} is not there (neither {archive.folder}/ nor "
            "train/<class>/*.png), and data.download is false; set data.root to its folder, "
            "or data.download=true"
        )
    if not root.exists() and not root.parent.is_dir():
        return (
            f"data.root={root}: {archive.title} is not there, and it cannot be downloaded because "
            f"there is no folder {root.parent}; correct data.root, or make that folder"
        )
    place = root if root.exists() else root.parent
    if not (place.is_dir() and os.access(place, os.W_OK)):
        return (
            f"data.root={root}: {archive.title} is not there, and it cannot be downloaded because "
            f"{place} is not a writable folder"
        )
    return None


def ensure_archive(root: Path, download: bool, archive: Archive) -> None:
    """Make sure that the unpacked archive is at `root`: unpack the one there, or download it.

    If two processes need it, one downloads it and the other waits. Raises UserError if it is not
    there and may not or cannot be downloaded, or is damaged; EnvironmentFailure if the download
    failed.
    """
    if (root / archive.folder).is_dir():
        return
    problem = missing_message(root, download, archive)
    if problem is not None:
        raise UserError(problem)
    with cache_lock(hashlib.sha256(os.fsencode(root.resolve())).hexdigest()):
        if not (root / archive.folder).is_dir():
            _obtain(root, archive)


def check_members(root: Path, archive: Archive) -> None:
    """Raise UserError if an unpacked file is missing or damaged."""
    name = _damaged(root / archive.folder, archive)
    if name is not None:
        raise UserError(
            f"data.root: {root / archive.folder / name} is missing or damaged; "
            f"delete {root / archive.folder} and run again"
        )


def _damaged(folder: Path, archive: Archive) -> str | None:
    for name, md5 in archive.members.items():
        if not (folder / name).is_file() or _md5(folder / name) != md5:
            return name
    return None


def _obtain(root: Path, archive: Archive) -> None:
    is_new = not root.exists()
    try:
        root.mkdir(exist_ok=True)
        for leftover in root.glob(f"{DOWNLOADING}*"):  # of a killed process: the lock is ours
            shutil.rmtree(leftover, ignore_errors=True)
        workplace = Path(tempfile.mkdtemp(dir=root, prefix=DOWNLOADING))
    except OSError as error:
        raise UserError(f"data.root={root}: cannot be written to ({error})") from error
    try:
        _unpack(_packed(root, workplace, archive), workplace, archive)
        os.replace(workplace / archive.folder, root / archive.folder)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
        if is_new:
            with suppress(OSError):  # not empty: the archive is there
                root.rmdir()


def _packed(root: Path, workplace: Path, archive: Archive) -> Path:
    """The archive: the one at `root`, or else downloaded."""
    own = root / archive.filename
    if not own.is_file():
        return _download(workplace, archive)
    if _md5(own) != archive.md5:
        raise UserError(
            f"data.root: {own} is truncated or damaged (its MD5 is not {archive.md5}); "
            "delete it and run again"
        )
    return own


def _unpack(packed: Path, workplace: Path, archive: Archive) -> None:
    try:
        shutil.unpack_archive(packed, workplace, filter="data")
    except (OSError, EOFError, shutil.ReadError) as error:
        raise EnvironmentFailure(
            f"could not unpack {packed.name} into {workplace.parent} ({error}); nothing was kept"
        ) from error
    name = _damaged(workplace / archive.folder, archive)
    if name is not None:
        raise UserError(
            f"data.root: {packed.name} does not contain a valid {archive.folder}/{name}"
        )


def _download(workplace: Path, archive: Archive) -> Path:
    from torchvision.datasets.utils import download_url

    root = workplace.parent
    print(f"downloading {archive.url} to {root}", file=sys.stderr, flush=True)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED_SECONDS)  # download_url sets none, and would wait for ever
    try:
        download_url(archive.url, str(workplace), archive.filename, archive.md5)
    except (HTTPException, OSError, RuntimeError, EOFError) as error:
        if isinstance(error, HTTPError):
            error.close()
        reason = "it arrived incomplete or altered" if "corrupted" in str(error) else str(error)
        raise EnvironmentFailure(
            f"could not download {archive.url} ({reason}); nothing was kept. Run the same command "
            f"again, or get {archive.filename} another way and put it into {root} "
            "(behind a proxy: set HTTPS_PROXY)"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    return workplace / archive.filename


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()
