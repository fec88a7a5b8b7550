"""predictions.npz of a run."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np


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
            label, prediction = (file[name].astype(np.int64) for name in ("label", "prediction"))
            confidence = file["confidence"].astype(np.float64)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return None
    is_fitting = label.ndim == 1 and label.shape == prediction.shape == confidence.shape
    if not is_fitting or not len(label):
        return None
    both = np.concatenate([label, prediction])
    return (
        Predictions(label, prediction, confidence)
        if 0 <= both.min() <= both.max() < classes
        else None
    )
