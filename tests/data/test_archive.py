import socket
import struct
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError

import pytest
import torchvision

from cifar_exp.data.archive import Archive, check_members, ensure_archive, missing_message
from cifar_exp.data.cifar import CIFAR10, CIFAR100, Cifar
from cifar_exp.errors import EnvironmentFailure, UserError

FOLDER = "cifar-100-python"
NAME = "cifar-100-python.tar.gz"


class Handler(BaseHTTPRequestHandler):
    """Sends `server.body` in the way that `server.manner` says."""

    server: "Server"

    def do_GET(self):
        self.server.paths.append(self.path)
        time.sleep(self.server.delay)
        body, manner = self.server.body, self.server.manner
        if manner == "absent":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if manner == "whole" else body[: len(body) // 2])
        self.wfile.flush()
        if manner == "cut":
            self._reset()

    def _reset(self):
        # closing with unsent data refused, the system answers the other side with a reset
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    body, manner, delay = b"", "whole", 0.0

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: list[str] = []

    def handle_error(self, *_):
        """Ignore clients that hang up."""


@pytest.fixture
def server(made_cifar, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        server.body = made_cifar.packed
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def archive(made_cifar, server) -> Archive:
    url = f"http://127.0.0.1:{server.server_address[1]}/{NAME}"
    return replace(made_cifar.archive, url=url)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


def failed_download(root, archive) -> str:
    with pytest.raises(EnvironmentFailure) as caught:
        ensure_archive(root, True, archive)
    cause = caught.value.__cause__
    if isinstance(cause, HTTPError):
        cause.close()  # or its socket stays open until the garbage collector warns of it
    return str(caught.value)


def is_whole(root, made_cifar) -> bool:
    found = {path.name: path.read_bytes() for path in (root / FOLDER).iterdir()}
    return found == made_cifar.files


def test_the_archive_is_downloaded_checked_and_unpacked(root, archive, server, made_cifar):
    ensure_archive(root, True, archive)
    assert is_whole(root, made_cifar)
    assert [path.name for path in root.iterdir()] == [FOLDER]
    assert set(server.paths) == {f"/{NAME}"}


def test_an_archive_that_is_there_is_not_downloaded_again(root, archive, server, made_cifar):
    made_cifar.unpack(root)
    ensure_archive(root, True, archive)
    ensure_archive(root, False, archive)
    assert server.paths == []


@pytest.mark.parametrize("root_exists", [True, False])
@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("short", "it arrived incomplete or altered"),
        ("cut", "Connection reset by peer"),
        ("absent", "HTTP Error 404: Not Found"),
    ],
)
def test_a_failed_download_is_an_error_and_leaves_nothing(
    root, archive, server, made_cifar, manner, said, root_exists
):
    if root_exists:
        root.mkdir()
    server.manner = manner
    message = failed_download(root, archive)
    assert message.startswith(f"could not download {archive.url} (")
    assert said in message
    assert message.endswith(
        f"nothing was kept. Run the same command again, or get {NAME} another way and put it "
        f"into {root} (behind a proxy: set HTTPS_PROXY)"
    )
    assert root.exists() == root_exists
    assert not root_exists or list(root.iterdir()) == []
    server.manner = "whole"
    ensure_archive(root, True, archive)
    assert is_whole(root, made_cifar)


def test_a_download_with_another_checksum_is_refused(root, archive, server):
    server.body = server.body[:-1] + bytes([server.body[-1] ^ 1])
    message = failed_download(root, archive)
    assert message.startswith(f"could not download {archive.url} (")
    assert "; nothing was kept. Run the same command again" in message
    assert not root.exists()


def test_an_archive_of_other_files_is_not_put_in_place(root, archive):
    other = replace(archive, members={**archive.members, "train": archive.members["test"]})
    with pytest.raises(
        (UserError, EnvironmentFailure), match="does not contain a valid cifar-100-python/train"
    ):
        ensure_archive(root, True, other)
    assert not root.exists()


def test_a_server_that_does_not_answer_is_an_error(root, archive):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so that nobody else answers; not listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/{NAME}"
        message = failed_download(root, replace(archive, url=url))
    assert "Connection refused" in message
    assert not root.exists()


def test_an_interrupted_download_leaves_nothing(root, archive, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("torchvision.datasets.utils.download_url", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ensure_archive(root, True, archive)
    assert not root.exists()


def test_other_files_at_the_root_are_left_alone(root, archive, server):
    root.mkdir()
    (root / "notes.txt").write_text("mine")
    server.manner = "absent"
    failed_download(root, archive)
    assert [path.name for path in root.iterdir()] == ["notes.txt"]
    server.manner = "whole"
    ensure_archive(root, True, archive)
    assert sorted(path.name for path in root.iterdir()) == [FOLDER, "notes.txt"]


def test_the_rest_of_a_killed_download_is_not_used_as_data(root, archive, server, made_cifar):
    left = root / ".fetching-before"
    (left / FOLDER).mkdir(parents=True)
    (left / FOLDER / "train").write_bytes(b"half")
    (left / NAME).write_bytes(server.body[:50])
    ensure_archive(root, True, archive)
    assert is_whole(root, made_cifar)


@pytest.mark.parametrize("download", [True, False])
def test_an_archive_put_there_by_hand_is_unpacked_without_a_request(
    root, archive, server, made_cifar, download
):
    root.mkdir()
    (root / NAME).write_bytes(made_cifar.packed)
    ensure_archive(root, download, archive)
    assert is_whole(root, made_cifar)
    assert (root / NAME).read_bytes() == made_cifar.packed
    assert server.paths == []


@pytest.mark.parametrize("download", [True, False])
def test_a_damaged_archive_put_there_by_hand_is_named_and_kept(
    root, archive, server, made_cifar, download
):
    root.mkdir()
    (root / NAME).write_bytes(made_cifar.packed[:-100])
    with pytest.raises(UserError) as caught:
        ensure_archive(root, download, archive)
    assert str(caught.value) == (
        f"data.root: {root / NAME} is truncated or damaged (its MD5 is not {archive.md5}); "
        "delete it and run again"
    )
    assert [path.name for path in root.iterdir()] == [NAME]
    assert server.paths == []


@pytest.mark.parametrize("root_exists", [True, False])
def test_missing_data_that_may_not_be_downloaded_is_an_error(root, archive, server, root_exists):
    if root_exists:
        root.mkdir()
    with pytest.raises(UserError) as caught:
        ensure_archive(root, False, archive)
    assert str(caught.value) == (
        f"data.root={root}: CIFAR-100 is not there (neither {FOLDER}/ nor train/<class>/*.png), "
        "and data.download is false; set data.root to its folder, or data.download=true"
    )
    assert root.exists() == root_exists
    assert server.paths == []


def test_of_two_that_need_the_archive_one_downloads_it_and_the_other_waits(
    root, archive, server, made_cifar, tmp_path
):
    ensure_archive(tmp_path / "lone", True, archive)
    requests_of_one = len(server.paths)
    server.delay = 0.2  # so that the second comes while the first still fetches
    threads = [threading.Thread(target=ensure_archive, args=(root, True, archive)) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.paths) == 2 * requests_of_one
    assert is_whole(root, made_cifar)


@pytest.mark.parametrize("name", ["train", "test", "meta"])
def test_an_unpacked_file_that_is_missing_or_damaged_is_named(root, made_cifar, name):
    made_cifar.unpack(root)
    check_members(root, made_cifar.archive)
    path = root / FOLDER / name
    content = path.read_bytes()
    for damage in (lambda: path.write_bytes(content + b"\0"), path.unlink):
        damage()
        with pytest.raises(UserError) as caught:
            check_members(root, made_cifar.archive)
        assert str(caught.value) == (
            f"data.root: {path} is missing or damaged; delete {root / FOLDER} and run again"
        )


@pytest.mark.parametrize("cifar", [CIFAR100, CIFAR10], ids=lambda cifar: cifar.name)
def test_the_archives_are_torchvision_s(cifar: Cifar):
    theirs = getattr(torchvision.datasets, cifar.name.upper())
    archive = cifar.archive
    assert (archive.url, archive.filename) == (theirs.url, theirs.filename)
    assert archive.md5 == theirs.tgz_md5
    assert archive.folder == theirs.base_folder
    listed = {split: dict(getattr(theirs, f"{split}_list")) for split in ("train", "test")}
    meta = {theirs.meta["filename"]: theirs.meta["md5"]}
    assert archive.members == {**listed["train"], **listed["test"], **meta}
    assert cifar.files == {split: tuple(files) for split, files in listed.items()}
    assert (cifar.meta, cifar.names_key.decode()) == (theirs.meta["filename"], theirs.meta["key"])


def test_the_line_about_a_download_says_what_and_where(root, archive, capsys):
    ensure_archive(root, True, archive)
    assert f"downloading {archive.url} to {root}\n" in capsys.readouterr().err


def test_nothing_is_downloaded_into_a_folder_whose_parent_is_not_there(tmp_path, archive, server):
    root = tmp_path / "typo" / "data"
    for make in (lambda: None, (tmp_path / "typo").touch):
        make()
        with pytest.raises(UserError) as caught:
            ensure_archive(root, True, archive)
        assert str(caught.value) == (
            f"data.root={root}: CIFAR-100 is not there, and it cannot be downloaded because there "
            f"is no folder {root.parent}; correct data.root, or make that folder"
        )
    assert server.paths == []
    assert [path.name for path in tmp_path.iterdir()] == ["typo"]


def test_a_root_that_is_a_file_is_an_error(tmp_path, archive):
    (tmp_path / "file").touch()
    assert missing_message(tmp_path / "file", True, archive) == (
        f"data.root={tmp_path / 'file'}: CIFAR-100 is not there, and it cannot be downloaded "
        f"because {tmp_path / 'file'} is not a writable folder"
    )


@pytest.mark.parametrize("download", [True, False])
def test_the_unpacked_archive_itself_is_one_folder_too_deep(root, made_cifar, archive, download):
    deep = made_cifar.unpack(root) / FOLDER
    with pytest.raises(UserError) as caught:
        ensure_archive(deep, download, archive)
    assert str(caught.value) == (
        f"data.root={deep}: is the unpacked archive itself; set data.root={root}"
    )


def test_the_rest_of_a_killed_download_is_removed(root, archive):
    (root / ".fetching-abc").mkdir(parents=True)
    (root / ".fetching-abc" / "half").touch()
    ensure_archive(root, True, archive)
    assert [path.name for path in root.iterdir()] == [FOLDER]
