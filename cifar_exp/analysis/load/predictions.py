"""predictions.npz of a run."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# What numpy and zip raise at files that are cut, damaged or something else.
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Predictions:
    """Of each test image, (N,): its class, the predicted class, and the confidence in [0, 1]."""

    label: np.ndarray
    prediction: np.ndarray
    confidence: np.ndarray


def read_predictions(folder: Path, classes: int) -> Predictions | None:
    """None where there are none, or they are not of so many classes."""
    try:
        # numpy would leave a torn file open
        with (
            (folder / "predictions.npz").open("rb") as stream,
            np.load(stream, allow_pickle=False) as file,
        ):
            label, prediction, confidence = (
                file[name] for name in ("label", "prediction", "confidence")
            )
    except UNREADABLE:
        return None
    is_fitting = label.ndim == 1 and label.shape == prediction.shape == confidence.shape
    kinds = label.dtype.kind + prediction.dtype.kind + confidence.dtype.kind
    if not (is_fitting and len(label) and set(kinds[:2]) <= set("iu") and kinds[2] == "f"):
        return None
    both = np.concatenate([label, prediction]).astype(np.int64)
    if not (0 <= both.min() <= both.max() < classes and np.isfinite(confidence).all()):
        return None
    label, prediction = np.split(both, 2)
    return Predictions(label, prediction, confidence.astype(np.float64))
