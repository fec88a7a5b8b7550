import copy
import io
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from cifar_exp.runs.build import Components
from cifar_exp.training.trainer import DivergedError, Loop

Make = Callable[..., Components]


def never() -> bool:
    return False


def after(steps: int) -> Callable[[], bool]:
    left = iter(range(steps - 1))
    return lambda: next(left, None) is None


def weights(loop: Loop) -> list[torch.Tensor]:
    return [value.clone() for value in loop.network.state_dict().values()]


def same(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def train_all(loop: Loop) -> list[torch.Tensor]:
    while loop.epoch < loop.section.epochs:
        assert loop.train_epoch(never) is not None
    return weights(loop)


def restored(state: dict, make: Make, *overrides: str) -> Loop:
    """A fresh loop that goes on from `state`, as it comes back from a file."""
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    loop = make(*overrides).loop
    loop.load_state_dict(torch.load(stream, weights_only=True))
    return loop


def test_same_seed_gives_the_same_weights_bit_for_bit(make_small_components: Make) -> None:
    first = train_all(make_small_components("model.dropout=0.2").loop)
    assert same(first, train_all(make_small_components("model.dropout=0.2").loop))
    assert not same(first, train_all(make_small_components("model.dropout=0.2", "seed=1").loop))


HARD = ("model.dropout=0.3", "augmentation=strong", "trainer.ema=0.9", "optimizer=muon")


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 4, 6, 9, 17])
def test_stopped_after_any_step_it_goes_on_bit_for_bit(
    make_small_components: Make, steps: int
) -> None:
    undisturbed = make_small_components(*HARD).loop
    expected = train_all(undisturbed)
    loop, left = make_small_components(*HARD).loop, steps
    while left >= loop.feed.steps_per_epoch:
        loop.train_epoch(never)
        left -= loop.feed.steps_per_epoch
    if left:
        assert loop.train_epoch(after(left)) is None
    state = loop.state_dict()
    torch.rand(7)  # somebody else draws from torch's generator in between
    again = restored(state, make_small_components, *HARD)
    assert again.step == steps
    assert same(train_all(again), expected)
    assert undisturbed.averaged is not None
    assert again.averaged is not None
    assert same(
        list(again.averaged.state_dict().values()), list(undisturbed.averaged.state_dict().values())
    )


@pytest.mark.slow
def test_figures_of_an_interrupted_epoch_equal_those_of_an_undisturbed_one(
    make_small_components: Make,
) -> None:
    expected = make_small_components().loop.train_epoch(never)
    loop = make_small_components().loop
    assert loop.train_epoch(after(3)) is None
    found = restored(loop.state_dict(), make_small_components).train_epoch(never)
    assert expected is not None
    assert found is not None
    assert (found.loss, found.accuracy, found.lr) == (
        expected.loss,
        expected.accuracy,
        expected.lr,
    )
    assert found.images == 96


def test_running_figures_equal_a_plain_loop_over_the_same_batches(
    make_small_components: Make,
) -> None:
    parts, plain = make_small_components(), make_small_components()
    figures = parts.loop.train_epoch(never)
    loop, losses, right = plain.loop, 0.0, 0
    sizes = [12 if step / 18 < 0.5 else 16 for step in range(6)]
    for step, batch in enumerate(loop.feed.batches(1, 0, sizes)):
        loop.schedule.before_step(step)
        logits = loop.network(batch.images)
        loss = F.cross_entropy(logits, batch.labels, label_smoothing=0.2)
        loop.optimizer.zero_grad()
        loss.backward()
        loop.optimizer.step()
        losses += loss.item() * len(batch.labels)
        right += int((logits.argmax(1) == batch.labels).sum())
    assert figures is not None
    assert figures.loss == pytest.approx(losses / 96, rel=1e-6)
    assert figures.accuracy == right / 96
    assert figures.lr == loop.optimizer.param_groups[0]["lr"]


def test_mixed_labels_leave_the_training_accuracy_empty(make_small_components: Make) -> None:
    figures = make_small_components("augmentation.mixup=0.5").loop.train_epoch(never)
    assert figures is not None
    assert figures.accuracy is None


def test_mixed_loss_weighs_both_labels_by_image(make_small_components: Make) -> None:
    parts = make_small_components("augmentation.cutmix=1", "trainer.label_smoothing=0.1")
    batch = next(parts.loop.feed.batches(1))
    assert batch.mix is not None
    network = copy.deepcopy(parts.network)
    logits = network(batch.images).log_softmax(1).detach()
    targets = torch.zeros_like(logits)
    for row, (own, other, weight) in enumerate(
        zip(batch.labels, batch.mix.other, batch.mix.weight, strict=True)
    ):
        targets[row, own] += weight
        targets[row, other] += 1 - weight
    targets = 0.9 * targets + 0.1 / 4
    expected = -(targets * logits).sum(1).mean()
    parts.loop.feed.batches = lambda *_: iter([batch])  # type: ignore[method-assign]
    parts.loop.train_epoch(after(1))
    found = parts.loop.state_dict()["sums"]["loss"] / len(batch.labels)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_averaged_weights_follow_the_trained_ones_at_their_decay(
    make_small_components: Make,
) -> None:
    loop = make_small_components("trainer.ema=0.75").loop
    name = "head.1.weight"
    expected = None
    for _ in range(4):
        loop.train_epoch(after(1))
        current = loop.network.state_dict()[name].clone()
        # the first step's weights start the mean
        expected = current if expected is None else 0.75 * expected + 0.25 * current
    torch.testing.assert_close(loop.evaluated.state_dict()[name], expected)


def test_without_averaging_the_trained_network_counts(make_small_components: Make) -> None:
    loop = make_small_components().loop
    assert loop.evaluated is loop.network


def test_a_loss_that_is_not_finite_ends_training_and_says_where(
    make_small_components: Make,
) -> None:
    loop = make_small_components("optimizer.lr=1e30").loop
    with pytest.raises(DivergedError, match="training loss is not finite in epoch 1, step"):
        train_all(loop)


def test_gradients_are_clipped_to_the_length_asked_for(make_small_components: Make) -> None:
    loop = make_small_components("trainer.gradient_clip=0.001").loop
    loop.train_epoch(after(1))
    squares = [p.grad.square().sum() for p in loop.network.parameters() if p.grad is not None]
    assert float(sum(squares)) ** 0.5 == pytest.approx(0.001, rel=1e-3)


def test_resolution_follows_the_run(make_small_components: Make) -> None:
    loop, seen = make_small_components().loop, []
    loop.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-1]))
    train_all(loop)
    assert seen == [12] * 9 + [16] * 9


def test_convolutions_see_channels_last_memory(make_small_components: Make) -> None:
    loop, seen = make_small_components().loop, []
    loop.network.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].is_contiguous(memory_format=torch.channels_last))
    )
    loop.train_epoch(never)
    assert seen == [True] * 6


def test_bf16_autocast_trains_in_half_the_bits_and_keeps_fp32_weights(
    make_small_components: Make,
) -> None:
    loop, seen = make_small_components().loop, []
    loop.precision = "bf16"
    loop.network.head.register_forward_hook(lambda _, __, output: seen.append(output.dtype))
    figures = loop.train_epoch(never)
    assert figures is not None
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in loop.network.parameters()} == {torch.float32}


def test_a_compiled_network_is_the_one_that_trains(
    make_small_components: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = train_all(make_small_components().loop)
    calls = []

    def compiled(network: torch.nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda images: (calls.append(len(images)), network(images))[1]

    monkeypatch.setattr(torch, "compile", compiled)
    found = train_all(make_small_components("trainer.compile=true").loop)
    assert same(found, expected)
    assert calls == [16] * 18
