"""CIFAR-100's archive: fetched, checked and unpacked whole, or not at all."""

import hashlib
import os
import shutil
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from cifar_exp.data.cache import cache_lock
from cifar_exp.errors import EnvironmentFailure, UserError

FOLDER = "cifar-100-python"
FETCHING = ".fetching-"
STALLED_SECONDS = 60.0


@dataclass(frozen=True)
class Archive:
    """Where the archive is, and the MD5 of it and of the files in it that are read.

    `pixels`: by split, the SHA-256 of the images ordered by class name and file name.
    """

    url: str = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    md5: str = "eb9058c3a382ffc7106e4002c42a8d85"
    members: dict[str, str] = field(
        default_factory=lambda: {
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "meta": "7973b15100ade9c7d40fb424638fde48",
        }
    )
    pixels: dict[str, str] = field(
        default_factory=lambda: {
            "train": "2aa2e92a742ec0fbd361b0b1386394899dfac5a05c448330d3371fd9b63b3e87",
            "test": "2716d826d85ee9ca7f948fb4dc3b3d7515225d1a436d1c4b7e6975855da3d9ee",
        }
    )

    @property
    def filename(self) -> str:
        """The archive's name on disk."""
        return self.url.rpartition("/")[2]


def ensure_archive(root: Path, download: bool, archive: Archive) -> None:
    """See that root/cifar-100-python is there: unpack an archive that lies at `root`, or fetch it.

    Of two processes that want the same, one fetches and the other waits. Raises UserError where
    it is absent and may not be fetched, or the archive at `root` is damaged; EnvironmentFailure
    where fetching failed.
    """
    if (root / FOLDER).is_dir():
        return
    if not download and not (root / archive.filename).is_file():
        raise UserError(absent(root))
    with cache_lock(hashlib.sha256(os.fsencode(root.resolve())).hexdigest()):
        if not (root / FOLDER).is_dir():
            _obtain(root, archive)


def absent(root: Path) -> str:
    """The sentence on data that is not there."""
    return (
        f"data.root={root}: no CIFAR-100 is there (neither {FOLDER}/ nor train/<class>/*.png), "
        "and data.download is false; name its folder, or allow the download"
    )


def check_members(root: Path, archive: Archive) -> None:
    """Raise UserError if an unpacked file is missing or damaged."""
    name = _damaged(root / FOLDER, archive)
    if name is not None:
        raise UserError(
            f"data.root: {root / FOLDER / name} is missing or damaged; "
            f"delete {root / FOLDER} and run again"
        )


def _damaged(folder: Path, archive: Archive) -> str | None:
    for name, md5 in archive.members.items():
        if not (folder / name).is_file() or _md5(folder / name) != md5:
            return name
    return None


def _obtain(root: Path, archive: Archive) -> None:
    made = [folder for folder in (root, *root.parents) if not folder.exists()]
    try:
        root.mkdir(parents=True, exist_ok=True)
        for leftover in root.glob(f"{FETCHING}*"):  # of a killed process: the lock is ours
            shutil.rmtree(leftover, ignore_errors=True)
        workplace = Path(tempfile.mkdtemp(dir=root, prefix=FETCHING))
    except OSError as error:
        raise UserError(f"data.root={root}: cannot be written to ({error})") from error
    try:
        _unpack(_packed(root, workplace, archive), workplace, archive)
        os.replace(workplace / FOLDER, root / FOLDER)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
        with suppress(OSError):  # not empty: something came of it
            for folder in made:
                folder.rmdir()


def _packed(root: Path, workplace: Path, archive: Archive) -> Path:
    """The archive: the one that lies at `root`, or else fetched."""
    own = root / archive.filename
    if not own.is_file():
        return _fetch(workplace, archive)
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
    name = _damaged(workplace / FOLDER, archive)
    if name is not None:
        raise UserError(f"data.root: {packed.name} holds no valid {FOLDER}/{name}")


def _fetch(workplace: Path, archive: Archive) -> Path:
    from torchvision.datasets.utils import download_url

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED_SECONDS)  # download_url sets none, and would wait for ever
    try:
        download_url(archive.url, str(workplace), archive.filename, archive.md5)
    except (HTTPException, OSError, RuntimeError, EOFError) as error:
        if isinstance(error, HTTPError):
            error.close()
        reason = "it arrived incomplete or altered" if "corrupted" in str(error) else str(error)
        raise EnvironmentFailure(
            f"could not fetch {archive.url} ({reason}); nothing was kept. Run the same command "
            f"again, or get {archive.filename} another way and put it into {workplace.parent} "
            "(behind a proxy: set HTTPS_PROXY)"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    return workplace / archive.filename


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()
