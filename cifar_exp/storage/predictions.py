"""predictions.npz: what a run predicted for each test image."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cifar_exp.storage.atomic import write_whole
from cifar_exp.storage.reading import open_regular

NAME = "predictions.npz"
ARRAYS = ("label", "prediction", "confidence")
# What numpy and zip raise for files that are torn, damaged or something else.
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    MemoryError,  # a damaged header may claim any number of items
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Predictions:
    """For each test image, (N,): its class, the predicted class, and the confidence in [0, 1]."""

    label: np.ndarray
    prediction: np.ndarray
    confidence: np.ndarray


def write_predictions(folder: Path, predictions: Predictions) -> None:
    """Write predictions.npz: classes as int16 (int32 if there are more), confidence as float16."""
    kind = np.int16 if int(predictions.label.max()) < 2**15 else np.int32
    arrays: dict[str, Any] = {
        "label": predictions.label.astype(kind),
        "prediction": predictions.prediction.astype(kind),
        "confidence": predictions.confidence.astype(np.float16),
    }
    write_whole(folder / NAME, lambda stream: np.savez_compressed(stream, **arrays))


def read_predictions(folder: Path, classes: int) -> Predictions | None:
    """Read predictions.npz; None if it is missing, damaged or not about `classes` classes."""
    try:
        with (  # opened here, because numpy leaves a torn file open
            open_regular(folder / NAME) as stream,
            np.load(stream, allow_pickle=False) as file,
        ):
            label, prediction, confidence = (_member(file, name) for name in ARRAYS)
    except UNREADABLE:
        return None
    has_one_shape = label.ndim == 1 and label.shape == prediction.shape == confidence.shape
    kinds = label.dtype.kind + prediction.dtype.kind + confidence.dtype.kind
    if not (has_one_shape and len(label) and set(kinds[:2]) <= set("iu") and kinds[2] == "f"):
        return None
    both = np.concatenate([label, prediction]).astype(np.int64)
    if not (0 <= both.min() <= both.max() < classes and np.isfinite(confidence).all()):
        return None
    label, prediction = np.split(both, 2)
    return Predictions(label, prediction, confidence.astype(np.float64))


def _member(file: Any, name: str) -> np.ndarray:
    """One array, once its header has been compared with its size: numpy reserves memory first."""
    info = file.zip.getinfo(f"{name}.npy")
    with file.zip.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, kind = read_header(stream)
    if int(np.prod(shape, dtype=object)) * kind.itemsize > info.file_size:
        raise ValueError(f"{name} claims more items than it has")
    return np.asarray(file[name])
