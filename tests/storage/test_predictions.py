"""Reading and writing predictions.npz, and damaged files."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cifar_exp.storage.predictions import Predictions, read_predictions, write_predictions

LABEL, CONFIDENCE = np.arange(4), np.full(4, 0.5)


def test_predictions_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_predictions(tmp_path, 4) is None
    write_predictions(
        tmp_path, Predictions(np.array([0, 1, 3]), np.array([0, 1, 2]), np.array([0.5, 0.25, 1]))
    )
    found = read_predictions(tmp_path, 4)
    assert found is not None
    assert (found.label.tolist(), found.prediction.tolist()) == ([0, 1, 3], [0, 1, 2])
    assert found.confidence.tolist() == [0.5, 0.25, 1]
    assert read_predictions(tmp_path, 3) is None  # of another number of classes


@pytest.mark.parametrize("damage", ["torn", "flipped", "array", "shapes", "nan", "words"])
def test_damaged_predictions_are_none(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "predictions.npz"
    np.savez_compressed(path, label=LABEL, prediction=LABEL, confidence=CONFIDENCE)
    assert read_predictions(tmp_path, 4) is not None
    content = bytearray(path.read_bytes())
    if damage == "torn":
        path.write_bytes(content[:-50])
    elif damage == "flipped":
        content[40:60] = bytes(byte ^ 0xFF for byte in content[40:60])
        path.write_bytes(content)
    elif damage == "array":
        np.save(tmp_path / "x.npy", LABEL)
        (tmp_path / "x.npy").rename(path)
    elif damage == "shapes":
        np.savez(path, label=LABEL, prediction=LABEL[:3], confidence=CONFIDENCE)
    elif damage == "nan":
        np.savez(path, label=LABEL, prediction=LABEL, confidence=CONFIDENCE * np.nan)
    else:
        np.savez(path, label=LABEL.astype(str), prediction=LABEL, confidence=CONFIDENCE)
    assert read_predictions(tmp_path, 4) is None


def test_a_header_that_claims_more_items_than_there_are_reserves_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = io.BytesIO()
    claim = {"descr": "<i2", "fortran_order": False, "shape": (10**13,)}
    np.lib.format.write_array_header_1_0(header, claim)
    with zipfile.ZipFile(tmp_path / "predictions.npz", "w") as file:
        for name in ("label", "prediction", "confidence"):
            file.writestr(f"{name}.npy", header.getvalue() + bytes(8))

    def read_array(*_arguments: object, **_options: object) -> None:
        raise AssertionError("numpy would reserve 20 TB")

    monkeypatch.setattr(np.lib.format, "read_array", read_array)
    assert read_predictions(tmp_path, 4) is None


def test_a_pipe_in_place_of_predictions_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "predictions.npz")
    assert read_predictions(tmp_path, 4) is None
