"""Training speed: our loop, the usual loops, and the limit that the step itself sets.

    python benchmarks/throughput.py [--rounds 7] [--steps 25] [--threads 2] [--model base]

All train the same network on the same images with the same batch size and threads, in turns in one
process, so that a machine that slows down slows all of them. The output is the median of images per
second over all rounds, and the median of the ratios within a round. Lightning needs the extra
`bench`.
"""

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.data.batches import Batch, TrainingBatches
from cifar_exp.data.dataset import ImageSet
from cifar_exp.data.normalization import Normalization
from cifar_exp.data.shapes import load_shapes
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import open_composer, settings_tree
from cifar_exp.runs.build import Components, Compute, build_components
from cifar_exp.training.devices import device_name, use_threads
from cifar_exp.training.trainer import Trainer

WARM_UP = 4  # steps before the clock starts, which use up what workers have prefetched
Timed = Callable[[int], float]  # steps -> images per second
LAYOUTS = {"channels_first": torch.contiguous_format, "channels_last": torch.channels_last}
FULL_SIZE = ("trainer.resolution_scales=[]", "trainer.resolution_until=[]")
OURS, LIMIT = "cifar_exp", "limit: one prepared batch"


class PreparedBatches(TrainingBatches):
    """Returns the same batch for every step, so that only the step is timed."""

    def batches(
        self, epoch: int, first_step: int = 0, sizes: Sequence[int] | None = None
    ) -> Iterator[Batch]:
        """The epoch's first batch, for every step."""
        batch = next(super().batches(epoch, 0, sizes))
        for _ in range(first_step, self.steps_per_epoch):
            yield batch


class PillowImages(Dataset[tuple[Tensor, int]]):
    """Images as in torchvision's CIFAR100: an array, turned into PIL images for the transforms."""

    def __init__(self, images: ImageSet, normalization: Normalization) -> None:
        self.images, self.labels = images.images, images.labels
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(self.images.shape[1], padding=2, padding_mode="reflect"),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(normalization.mean, normalization.std),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), int(self.labels[index])


def timed_trainer(trainer: Trainer, batch_size: int) -> Timed:
    """Time steps of our trainer. Another call continues, or starts the epoch again near its end."""

    def run(steps: int) -> float:
        if trainer.step_in_epoch + WARM_UP + steps >= trainer.train_batches.steps_per_epoch:
            trainer.step_in_epoch = 0
        for count in (WARM_UP, steps):
            target = trainer.step + count
            started = time.perf_counter()
            list(trainer.fit(lambda target=target: trainer.step >= target))  # type: ignore[misc]
        return steps * batch_size / (time.perf_counter() - started)

    return run


def timed_idiom(
    parts: Components, loader: DataLoader[tuple[Tensor, int]], memory_format: torch.memory_format
) -> Timed:
    """Time the loop that an experienced user would write."""
    network = parts.network
    optimizer = parts.trainer.optimizer
    network.to(memory_format=memory_format).train()
    batches = _endless(loader)

    def step() -> None:
        images, labels = next(batches)
        images = images.to(memory_format=memory_format)
        loss = F.cross_entropy(network(images), labels, label_smoothing=0.2)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    def run(steps: int) -> float:
        for _ in range(WARM_UP):
            step()
        started = time.perf_counter()
        for _ in range(steps):
            step()
        return steps * (loader.batch_size or 1) / (time.perf_counter() - started)

    return run


def timed_lightning(parts: Components, loader: DataLoader[tuple[Tensor, int]]) -> Timed:
    """Time Lightning's Trainer between the end of the warm-up and the last step."""
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network, self.times = parts.network, list[float]()

        def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
            self.times.append(time.perf_counter())
            return F.cross_entropy(self.network(batch[0]), batch[1], label_smoothing=0.2)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return parts.trainer.optimizer

    def run(steps: int) -> float:
        module = Module()
        trainer = lightning.Trainer(
            max_steps=WARM_UP + steps + 1,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, loader)
        return steps * (loader.batch_size or 1) / (module.times[-1] - module.times[WARM_UP])

    return run


def make(settings: Settings, threads: int) -> Components:
    """All components of a run on generated images."""
    dataset = load_shapes(settings.data, lambda *_: None)
    compute = Compute(torch.device("cpu"), "fp32", use_threads(threads))
    return build_components(settings, dataset, compute, runs=Path())


def prepared_trainer(settings: Settings, threads: int) -> Trainer:
    """Our trainer on one prepared batch."""
    parts = make(settings, threads)
    parts.trainer.train_batches = PreparedBatches(
        parts.splits.train,
        normalization=parts.normalization,
        section=settings.augmentation,
        batch_size=settings.trainer.batch_size,
        seed=0,
    )
    return parts.trainer


def contenders(settings: Settings, threads: int) -> dict[str, Timed]:
    """All loops by name, each with its own network and optimizer."""
    size = settings.trainer.batch_size

    def parts() -> Components:
        return make(settings, threads)

    def loader(workers: int) -> DataLoader[tuple[Tensor, int]]:
        made = parts()
        images = PillowImages(made.dataset.train, made.normalization)
        return DataLoader(
            images, size, shuffle=True, num_workers=workers, persistent_workers=workers > 0
        )

    found = {
        OURS: timed_trainer(parts().trainer, size),
        LIMIT: timed_trainer(prepared_trainer(settings, threads), size),
    }
    for name, layout in LAYOUTS.items():
        for workers in (0, 1, 2):
            timed = timed_idiom(parts(), loader(workers), layout)
            found[f"DataLoader, {workers} workers, {name}"] = timed
    if importlib.util.find_spec("lightning"):
        found["Lightning, 0 workers, channels_first"] = timed_lightning(parts(), loader(0))
    return found


def measure(found: dict[str, Timed], rounds: int, steps: int) -> dict[str, list[float]]:
    """Images per second of each contender in every round; each round starts with another one."""
    speeds: dict[str, list[float]] = {name: [] for name in found}
    names = list(found)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            speeds[name].append(found[name](steps))
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return speeds


def report(speeds: dict[str, list[float]]) -> str:
    """A table of medians, and the median of our ratio to each."""
    lines = [f"{'':<40} {'images/s':>9} {'min':>7} {'max':>7}   cifar_exp is"]
    for name, values in speeds.items():
        ratio = statistics.median(
            own / other for own, other in zip(speeds[OURS], values, strict=True)
        )
        median = statistics.median(values)
        lines.append(
            f"{name:<40} {median:>9.0f} {min(values):>7.0f} {max(values):>7.0f}   {ratio:.2f}x"
        )
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", default="base")
    options = parser.parse_args()
    overrides = ["data=shapes", f"model={options.model}", "trainer.batch_size=128", *FULL_SIZE]
    with open_composer(parse_arguments([])) as compose:
        settings = validate(settings_tree(compose.compose(overrides)))
    found = contenders(settings, options.threads)
    print(
        f"model={options.model}, batch 128, {settings.data.image_size} pixels, fp32, "
        f"{options.threads} threads, {device_name(torch.device('cpu'))}, "
        f"torch {torch.__version__}, {options.rounds} rounds of {options.steps} steps"
    )
    print(report(measure(found, options.rounds, options.steps)))


def _endless(loader: DataLoader[tuple[Tensor, int]]) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        yield from loader


if __name__ == "__main__":
    main()
