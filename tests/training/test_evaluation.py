import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from cifar_exp.runs.build import Components
from cifar_exp.training.evaluation import Evaluation, evaluate


def made(labels: list[int], predictions: list[int], confidence: list[float]) -> Evaluation:
    return Evaluation(
        labels=torch.tensor(labels),
        loss=torch.tensor([0.5] * len(labels)),
        prediction=torch.tensor(predictions),
        confidence=torch.tensor(confidence),
        in_top5=torch.tensor([True] * len(labels)),
    )


def test_evaluation_equals_one_image_at_a_time(
    make_small_components: Callable[..., Components],
) -> None:
    parts = make_small_components("model.dropout=0.5")
    found = evaluate(parts.network, parts.splits.test, parts.normalization, "fp32")
    mean, std = (np.array(v) for v in (parts.normalization.mean, parts.normalization.std))
    parts.network.eval()
    losses, right = [], 0
    for index, label in enumerate(parts.splits.test.labels):
        image = (parts.splits.test.images[index].numpy() / 255 - mean) / std
        batch = torch.tensor(image.transpose(2, 0, 1)[None], dtype=torch.float32)
        scores = parts.network(batch)[0].detach().double().numpy()
        losses.append(math.log(np.exp(scores - scores.max()).sum()) + scores.max() - scores[label])
        right += int(scores.argmax() == label)
    assert found.mean_loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert found.accuracy == right / 32
    assert found.top5_accuracy == 1.0  # of four classes


def test_evaluation_leaves_the_network_in_its_mode(
    make_small_components: Callable[..., Components],
) -> None:
    parts = make_small_components()
    for mode in (True, False):
        parts.network.train(mode)
        before = [value.clone() for value in parts.network.state_dict().values()]
        evaluate(parts.network, parts.splits.val, parts.normalization, "fp32")
        assert parts.network.training is mode
        after = parts.network.state_dict().values()
        assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_calibration_error_of_a_case_worked_by_hand() -> None:
    # bins of 1/15: [.9333, 1] holds two images, one right, mean confidence .97: gap .47 x 2/4;
    # (.4667, .5333] holds two, both right, mean confidence .5: gap .5 x 2/4
    result = made([0, 0, 1, 1], [0, 1, 1, 1], [0.96, 0.98, 0.49, 0.51])
    assert result.calibration_error() == pytest.approx(0.5 * 0.47 + 0.5 * 0.5)


def test_perfect_confidence_has_no_calibration_error() -> None:
    assert made([0, 1], [0, 1], [1.0, 1.0]).calibration_error() == 0.0


def test_a_wrong_class_of_the_right_group_counts_for_the_group() -> None:
    result = made([0, 1, 2, 3], [1, 1, 3, 0], [0.5] * 4)
    assert result.accuracy == 0.25
    assert result.group_accuracy(torch.tensor([0, 0, 1, 1])) == 0.75
