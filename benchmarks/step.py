"""What each choice inside a training step gains: the default step against one change at a time.

    python benchmarks/step.py [--rounds 7] [--steps 12] [--threads 2] [--batch-size 256]

Each change is timed in turns with the default step, on one prepared batch, in one process. The
output is how much faster the default is: the median of the ratios of all rounds.
"""

import argparse
import ctypes
import statistics
import sys
from collections.abc import Callable

import torch
from throughput import FULL_SIZE, Timed, prepared_trainer, timed_trainer

from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import open_composer, settings_tree
from cifar_exp.training.devices import M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, device_name, use_threads
from cifar_exp.training.trainer import Trainer

# glibc's own thresholds when a process starts
GLIBC_MMAP, GLIBC_TRIM = 128 * 1024, 128 * 1024

Change = Callable[[Trainer], None]


def train_stem(trainer: Trainer) -> None:
    """Train the filters in front of the first convolution."""
    for parameter in trainer.network.parameters():
        parameter.requires_grad_(True)


def channels_first(trainer: Trainer) -> None:
    """Keep weights and inputs in torch's default memory layout."""
    trainer.network.to(memory_format=torch.contiguous_format)
    trainer.network.register_forward_pre_hook(lambda _, images: images[0].contiguous())


CHANGES: dict[str, tuple[tuple[str, ...], Change | None]] = {
    "the stem trained": ((), train_stem),
    "channels_first": ((), channels_first),
    "pooling after the activation": (("model.pooling=late",), None),
    "dropout 0.1": (("model.dropout=0.1",), None),
    "silu": (("model.activation=silu",), None),
    "gelu": (("model.activation=gelu",), None),
    "mean pooling alone in the head": (("model.head_pooling=mean",), None),
    "muon": (("optimizer=muon",), None),
}


def compose(batch_size: int, *overrides: str) -> Settings:
    """The default recipe at full resolution."""
    fixed = ("data=shapes", f"trainer.batch_size={batch_size}", *FULL_SIZE)
    with open_composer(parse_arguments([])) as compose_with:
        return validate(settings_tree(compose_with.compose([*fixed, *overrides])))


def variants(batch_size: int, threads: int) -> dict[str, Timed]:
    """The default step and all changed ones, by name."""
    found = {"default": timed_trainer(prepared_trainer(compose(batch_size), threads), batch_size)}
    for name, (overrides, change) in CHANGES.items():
        trainer = prepared_trainer(compose(batch_size, *overrides), threads)
        if change is not None:
            change(trainer)
        found[name] = timed_trainer(trainer, batch_size)
    found["one thread"] = _around(found["default"], lambda: torch.set_num_threads(1), threads)
    found["denormals kept"] = _around(
        found["default"], lambda: torch.set_flush_denormal(False), threads
    )
    found["freed memory given back"] = _around(found["default"], _give_back_memory, threads)
    return found


def _around(timed: Timed, before: Callable[[], object], threads: int) -> Timed:
    def run(steps: int) -> float:
        before()
        try:
            return timed(steps)
        finally:
            use_threads(threads)

    return run


def _give_back_memory() -> None:
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, GLIBC_MMAP)
    libc.mallopt(M_TRIM_THRESHOLD, GLIBC_TRIM)
    libc.malloc_trim(0)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=256)
    options = parser.parse_args()
    found = variants(options.batch_size, options.threads)
    ratios: dict[str, list[float]] = {name: [] for name in found}
    speeds = []
    for turn in range(options.rounds):
        for name, timed in found.items():
            default = found["default"](options.steps)
            speeds.append(default)
            ratios[name].append(default / timed(options.steps))
        print(f"round {turn + 1} of {options.rounds}", file=sys.stderr)
    print(
        f"model=base, batch {options.batch_size}, 32 pixels, fp32, {options.threads} threads, "
        f"{device_name(torch.device('cpu'))}, torch {torch.__version__}, {options.rounds} rounds "
        f"of {options.steps} steps; default: {statistics.median(speeds):.0f} images/s"
    )
    print(f"{'against':<34} the default is")
    for name, values in ratios.items():
        low, high = min(values), max(values)
        print(f"{name:<34} {statistics.median(values):.2f}x   ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
