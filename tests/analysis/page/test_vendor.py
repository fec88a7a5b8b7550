"""The charts' library is what its authors published, and it travels with the page."""

import hashlib
import re
from pathlib import Path

import cifar_exp.analysis.page

VENDOR = Path(cifar_exp.analysis.page.__file__).parent / "vendor"
ROW = re.compile(
    r"^\| (?P<name>\S+\.js) \| (?P<version>[\d.]+) \| (?P<size>\d+) \| `(?P<hash>\w{64})` \|$", re.M
)


def test_each_file_is_listed_with_its_version_size_and_hash() -> None:
    listed = {
        match["name"]: (match["version"], int(match["size"]), match["hash"])
        for match in ROW.finditer((VENDOR / "README.md").read_text(encoding="utf-8"))
    }
    found = {}
    for path in VENDOR.glob("*.js"):
        content = path.read_bytes()
        (version,) = re.findall(rb"^// \S+ v([\d.]+) Copyright", content)
        found[path.name] = (version.decode(), len(content), hashlib.sha256(content).hexdigest())
    assert found == listed
    assert len(found) == 16


def test_the_licenses_are_beside_the_files() -> None:
    for name, text in (
        ("LICENSE-d3", "Permission to use, copy, modify, and/or distribute"),
        ("LICENSE-d3-contour", "Permission to use, copy, modify, and/or distribute"),
        ("LICENSE-d3-ease", "Redistribution and use in source and binary forms"),
    ):
        assert text in (VENDOR / name).read_text(encoding="utf-8")


def test_the_files_can_stand_in_a_page() -> None:
    for path in VENDOR.glob("*.js"):
        content = path.read_text(encoding="utf-8").lower()
        assert "</script" not in content
        assert "<!--" not in content
