import copy
import io
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from cifar_exp.runs.build import Components
from cifar_exp.training.evaluation import evaluate
from cifar_exp.training.schedules import PlateauSchedule
from cifar_exp.training.trainer import DivergedError, EpochMetrics, Trainer

Make = Callable[..., Components]


def never() -> bool:
    return False


def at(trainer: Trainer, step: int) -> Callable[[], bool]:
    return lambda: trainer.step >= step


def always() -> bool:
    return True


def weights(trainer: Trainer) -> list[torch.Tensor]:
    return [value.clone() for value in trainer.network.state_dict().values()]


def same(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def train_epoch(trainer: Trainer) -> EpochMetrics:
    return next(trainer.fit(never))


def train_step(trainer: Trainer) -> None:
    assert list(trainer.fit(always)) == []


def train_all(trainer: Trainer) -> list[torch.Tensor]:
    epochs = [metrics.epoch for metrics in trainer.fit(never)]
    assert epochs == list(range(1, trainer.section.epochs + 1))[-len(epochs) :]
    assert trainer.epoch == trainer.section.epochs
    return weights(trainer)


def without_times(metrics: EpochMetrics) -> dict:
    times = ("epoch_seconds", "elapsed_seconds", "images_per_second")
    return {name: value for name, value in vars(metrics).items() if name not in times}


def restored(state: dict, make: Make, *overrides: str) -> Trainer:
    """A new trainer that continues from `state`, as it comes back from a file."""
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    trainer = make(*overrides).trainer
    trainer.load_state_dict(torch.load(stream, weights_only=True))
    return trainer


def test_same_seed_gives_the_same_weights_bit_for_bit(make_small_components: Make) -> None:
    first = train_all(make_small_components("model.dropout=0.2").trainer)
    assert same(first, train_all(make_small_components("model.dropout=0.2").trainer))
    assert not same(first, train_all(make_small_components("model.dropout=0.2", "seed=1").trainer))


HARD = ("model.dropout=0.3", "augmentation=strong", "trainer.ema=0.9", "optimizer=muon")


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 4, 6, 9, 17, 18])
def test_stopped_after_any_step_it_continues_bit_for_bit(
    make_small_components: Make, steps: int
) -> None:
    undisturbed = make_small_components(*HARD).trainer
    expected = train_all(undisturbed)
    trainer = make_small_components(*HARD).trainer
    # an epoch whose last step was made still waits for its evaluation
    assert [metrics.step for metrics in trainer.fit(at(trainer, steps))] == list(range(6, steps, 6))
    state = trainer.state_dict()
    torch.rand(7)  # other code draws from torch's generator in between
    again = restored(state, make_small_components, *HARD)
    assert again.step == steps
    assert same(train_all(again), expected)
    assert undisturbed.ema is not None
    assert again.ema is not None
    assert same(list(again.ema.state_dict().values()), list(undisturbed.ema.state_dict().values()))
    assert [without_times(metrics) for metrics in again.history] == [
        without_times(metrics) for metrics in undisturbed.history
    ]


def test_stopped_during_an_evaluation_it_repeats_the_evaluation_alone(
    make_small_components: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = train_epoch(make_small_components(*HARD).trainer)
    trainer, calls = make_small_components(*HARD).trainer, iter(range(1))
    monkeypatch.setattr("cifar_exp.training.evaluation.BATCH", 10)  # several to an evaluation

    def stop() -> bool:  # once in the middle of validation, and from then on
        return trainer.step == 6 and trainer.step_in_epoch == 6 and next(calls, None) is None

    assert list(trainer.fit(stop)) == []
    monkeypatch.undo()
    again = restored(trainer.state_dict(), make_small_components, *HARD)
    again.network.register_forward_pre_hook(lambda network, _: 1 / 0 if network.training else None)
    assert without_times(train_epoch(again)) == without_times(expected)


def test_stopped_after_an_epoch_it_does_not_start_the_next(make_small_components: Make) -> None:
    trainer = make_small_components().trainer
    epochs = iter(trainer.fit(lambda: trainer.epoch == 2))
    assert [metrics.epoch for metrics in epochs] == [1, 2]
    assert trainer.step == 12


@pytest.mark.slow
def test_metrics_of_an_interrupted_epoch_equal_those_of_an_undisturbed_one(
    make_small_components: Make,
) -> None:
    expected = train_epoch(make_small_components().trainer)
    trainer = make_small_components().trainer
    assert list(trainer.fit(at(trainer, 3))) == []
    state = trainer.state_dict()
    assert state["totals"]["images"] == 3 * 16
    found = train_epoch(restored(state, make_small_components))
    assert without_times(found) == without_times(expected)
    seconds = 96 / found.images_per_second
    assert found.epoch_seconds == pytest.approx(seconds, abs=0.0005, rel=0.01)
    assert found.elapsed_seconds >= found.epoch_seconds > state["totals"]["seconds"] > 0


def test_running_metrics_equal_a_plain_loop_over_the_same_batches(
    make_small_components: Make,
) -> None:
    metrics = train_epoch(make_small_components().trainer)
    plain, losses, right = make_small_components().trainer, 0.0, 0
    sizes = [12 if step / 18 < 0.5 else 16 for step in range(6)]
    for step, batch in enumerate(plain.train_batches.batches(1, 0, sizes)):
        plain.schedule.before_step(step)
        logits = plain.network(batch.images)
        loss = F.cross_entropy(logits, batch.labels, label_smoothing=0.2)
        plain.optimizer.zero_grad()
        loss.backward()
        plain.optimizer.step()
        losses += loss.item() * len(batch.labels)
        right += int((logits.argmax(1) == batch.labels).sum())
    assert metrics.train_loss == pytest.approx(losses / 96, rel=1e-6)
    assert metrics.train_accuracy == right / 96
    assert metrics.lr == plain.optimizer.param_groups[0]["lr"]
    assert (metrics.epoch, metrics.step) == (1, 6)


def test_an_epoch_evaluates_the_weights_that_it_ends_with(make_small_components: Make) -> None:
    components = make_small_components("trainer.ema=0.5")
    trainer, splits = components.trainer, components.splits
    metrics = train_epoch(trainer)
    val, train_eval = (
        evaluate(trainer.eval_network, split, components.normalization, "fp32")
        for split in (splits.val, splits.train_eval)
    )
    found = (metrics.val_loss, metrics.val_accuracy, metrics.val_top5_accuracy)
    assert found == (val.mean_loss, val.accuracy, val.top5_accuracy)
    assert (metrics.train_eval_loss, metrics.train_eval_accuracy) == (
        train_eval.mean_loss,
        train_eval.accuracy,
    )


def test_without_validation_data_its_metrics_are_empty_and_the_last_epoch_is_best(
    make_small_components: Make,
) -> None:
    trainer = make_small_components("data.val_fraction=0").trainer
    assert trainer.best is None
    for metrics in trainer.fit(never):
        assert (metrics.val_loss, metrics.val_accuracy, metrics.val_top5_accuracy) == (None,) * 3
        assert trainer.best is metrics


def test_the_best_epoch_is_the_first_with_the_highest_val_accuracy(
    make_small_components: Make,
) -> None:
    trainer = make_small_components().trainer
    metrics = train_epoch(trainer)
    accuracies = (0.2, 0.5, 0.5, 0.4)
    trainer.history = [replace(metrics, val_accuracy=accuracy) for accuracy in accuracies]
    assert trainer.best is trainer.history[1]


def test_the_schedule_gets_the_validation_loss_after_the_rate_was_recorded(
    make_small_components: Make,
) -> None:
    overrides = ("scheduler=plateau", "scheduler.patience=0", "scheduler.factor=0.5")
    trainer = make_small_components(*overrides, "trainer.epochs=3").trainer
    assert isinstance(trainer.schedule, PlateauSchedule)
    trainer.schedule.lowest = 0.0  # no epoch is better
    assert [metrics.lr for metrics in trainer.fit(never)] == [0.05, 0.025, 0.0125]


def test_mixed_labels_leave_the_training_accuracy_empty(make_small_components: Make) -> None:
    metrics = train_epoch(make_small_components("augmentation.mixup=0.5").trainer)
    assert metrics.train_accuracy is None


def test_mixed_loss_weighs_both_labels_by_image(make_small_components: Make) -> None:
    components = make_small_components("augmentation.cutmix=1", "trainer.label_smoothing=0.1")
    batch = next(components.trainer.train_batches.batches(1))
    assert batch.mix is not None
    network = copy.deepcopy(components.network)
    logits = network(batch.images).log_softmax(1).detach()
    targets = torch.zeros_like(logits)
    for row, (own, other, weight) in enumerate(
        zip(batch.labels, batch.mix.other, batch.mix.weight, strict=True)
    ):
        targets[row, own] += weight
        targets[row, other] += 1 - weight
    targets = 0.9 * targets + 0.1 / 4
    expected = -(targets * logits).sum(1).mean()
    components.trainer.train_batches.batches = lambda *_: iter([batch])  # type: ignore[method-assign]
    train_step(components.trainer)
    found = components.trainer.state_dict()["totals"]["loss"] / len(batch.labels)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_ema_weights_follow_the_trained_ones_at_their_decay(
    make_small_components: Make,
) -> None:
    trainer = make_small_components("trainer.ema=0.75").trainer
    name = "head.1.weight"
    expected = None
    for _ in range(4):
        train_step(trainer)
        current = trainer.network.state_dict()[name].clone()
        # the first step's weights start the mean
        expected = current if expected is None else 0.75 * expected + 0.25 * current
    torch.testing.assert_close(trainer.eval_network.state_dict()[name], expected)


def test_without_ema_the_trained_network_is_evaluated(make_small_components: Make) -> None:
    trainer = make_small_components().trainer
    assert trainer.eval_network is trainer.network


def test_a_loss_that_is_not_finite_ends_training_and_says_where(
    make_small_components: Make,
) -> None:
    trainer = make_small_components("optimizer.lr=1e30").trainer
    with pytest.raises(DivergedError, match="training loss is not finite in epoch 1, step"):
        train_all(trainer)


def test_gradients_are_clipped_to_the_length_that_is_set(make_small_components: Make) -> None:
    trainer = make_small_components("trainer.gradient_clip=0.001").trainer
    train_step(trainer)
    squares = [p.grad.square().sum() for p in trainer.network.parameters() if p.grad is not None]
    assert float(sum(squares)) ** 0.5 == pytest.approx(0.001, rel=1e-3)


def test_resolution_follows_the_run_and_evaluation_is_at_full_size(
    make_small_components: Make,
) -> None:
    trainer = make_small_components().trainer
    seen: dict[bool, list[int]] = {True: [], False: []}
    trainer.network.register_forward_pre_hook(
        lambda network, inputs: seen[network.training].append(inputs[0].shape[-1])
    )
    train_all(trainer)
    assert seen == {True: [12] * 9 + [16] * 9, False: [16] * 6}


def test_convolutions_see_channels_last_memory(make_small_components: Make) -> None:
    trainer, seen = make_small_components().trainer, []
    trainer.network.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].is_contiguous(memory_format=torch.channels_last))
    )
    train_epoch(trainer)
    assert seen == [True] * (6 + 2)


def test_bf16_autocast_trains_in_half_the_bits_and_keeps_fp32_weights(
    make_small_components: Make,
) -> None:
    trainer, seen = make_small_components().trainer, []
    trainer.precision = "bf16"
    trainer.network.head.register_forward_hook(lambda _, __, output: seen.append(output.dtype))
    train_epoch(trainer)
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in trainer.network.parameters()} == {torch.float32}


def test_a_compiled_network_is_the_one_that_trains(
    make_small_components: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = train_all(make_small_components().trainer)
    calls = []

    def compiled(network: torch.nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda images: (calls.append(len(images)), network(images))[1]

    monkeypatch.setattr(torch, "compile", compiled)
    found = train_all(make_small_components("trainer.compile=true").trainer)
    assert same(found, expected)
    assert calls == [16] * 18
