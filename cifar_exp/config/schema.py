"""Every setting: its type, its range, one line of meaning, and whether it names a run.

The values are in conf/. A key added after a release has a default here, the value that means "as
before": the files of that release still load, and its runs keep their ids (identity.py).
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from cifar_exp.config.confirm import ConfirmSection
from cifar_exp.config.fields import Flag, Integer, Nuisance, Number, Section, TargetSection, Word
from cifar_exp.config.pruning import PruningSection
from cifar_exp.config.search import SearchSection
from cifar_exp.errors import UserError

Positive = Annotated[Number, Field(gt=0)]
NonNegative = Annotated[Number, Field(ge=0)]
Fraction = Annotated[Number, Field(ge=0, lt=1)]
UnitInterval = Annotated[Number, Field(ge=0, le=1)]
Scale = Annotated[Number, Field(gt=0, le=1)]
Share = Annotated[Number, Field(gt=0, lt=1)]
Seed = Annotated[Integer, Field(ge=0, lt=2**32)]
ControlFlag = Annotated[Flag, Nuisance]
# Upper bounds far above any use: what is computed from these numbers must not overflow.
Count = Annotated[Integer, Field(ge=1, le=1_000_000_000)]
Epochs = Annotated[Integer, Field(ge=1, le=1_000_000)]
COMMAND_GROUPS = frozenset({"confirm", "search", "pruning"})  # of words of a command, not of a run


class DataSection(Section):
    """Which images to use, and how to split them."""

    name: Literal["cifar100", "cifar10", "folder", "shapes"] = Field(description="the dataset")
    root: Annotated[str, Nuisance, Field(min_length=1)] = Field(
        description="folder of the images; shapes needs none"
    )
    download: ControlFlag = Field(description="download CIFAR if it is not at data.root")
    image_size: Annotated[Integer, Field(ge=8, le=512)] = Field(
        description="side in pixels; other images are resized once, when they are first read"
    )
    limit_train: Count | None = Field(description="train on a stratified part of this many images")
    limit_test: Count | None = Field(description="test on a stratified part of this many images")
    val_fraction: Fraction = Field(description="share of training images held out for validation")
    split_seed: Seed = Field(
        description="decides which images are used and held out, independently of seed"
    )

    @property
    def folder(self) -> Path:
        """`root` as a path, with `~` as the home folder. Raises UserError if that is not known."""
        try:
            return Path(self.root).expanduser()
        except RuntimeError as error:
            home = self.root.partition("/")[0]
            raise UserError(f"data.root={self.root}: no home folder is known for {home}") from error


class ConvNetSection(Section):
    """The built-in convolutional network."""

    name: Literal["convnet"] = Field(description="the built-in convolutional network")
    width: Annotated[Integer, Field(ge=1, le=4096)] = Field(description="channels of stage 1")
    depth: Annotated[Integer, Field(ge=1, le=64)] = Field(description="convolutions in each stage")
    stages: Annotated[Integer, Field(ge=1, le=8)] = Field(description="each halves the resolution")
    growth: Annotated[Number, Field(ge=1, le=8)] = Field(
        description="ratio of each stage's width to that of the stage before"
    )
    dropout: Fraction = Field(description="dropout probability, after every stage and in the head")
    activation: Literal["relu", "leaky_relu", "silu", "gelu"] = Field(
        description="activation function"
    )
    stem: Literal["whitened", "none"] = Field(
        description="whitened: a fixed first convolution that decorrelates image patches"
    )
    residual: Flag = Field(
        description="skip connections around all convolutions of a stage but the first"
    )
    pooling: Literal["early", "late"] = Field(
        description="max pooling after the convolution (early, cheaper) or the activation (late)"
    )
    head_pooling: Literal["max_mean", "mean"] = Field(description="global pooling before the head")
    head_width: Annotated[Integer, Field(ge=0, le=65536)] = Field(
        description="units of the hidden layer in the head; 0: no hidden layer"
    )
    initialisation: Literal["dirac", "default"] = Field(
        description="of convolutions: dirac (partial identity) or torch's default"
    )


class AugmentationSection(Section):
    """Random changes to each training image."""

    flip: Literal["none", "random", "alternate"] = Field(
        description="horizontal flip: with probability 1/2, or alternating between epochs"
    )
    crop_padding: Annotated[Integer, Field(ge=0, le=64)] = Field(
        description="pad by this many reflected pixels, then crop at random; 0: off"
    )
    cutout: Annotated[Integer, Field(ge=0, le=512)] = Field(
        description="side in pixels of a square set to the mean color; 0: off"
    )
    jitter: UnitInterval = Field(
        description="strength of random brightness, contrast and saturation; 0: off"
    )
    mixup: NonNegative = Field(
        description="alpha of the Beta distribution for blending two images; 0: off"
    )
    cutmix: NonNegative = Field(
        description="alpha of the Beta distribution for pasting a part of another image; 0: off"
    )


class _OptimizerSection(Section):
    lr: Positive = Field(description="peak learning rate")
    weight_decay: NonNegative = Field(description="on weights only, not on norms and biases")
    bias_lr_scale: Positive = Field(
        description="ratio of the learning rate of biases to that of weights"
    )


class SGDSection(_OptimizerSection):
    """Nesterov SGD."""

    name: Literal["sgd"] = Field(description="Nesterov SGD")
    momentum: Fraction = Field(description="decay of the running mean of the gradient")


class AdamSection(_OptimizerSection):
    """Adam and AdamW."""

    name: Literal["adam", "adamw"] = Field(description="adamw: with decoupled weight decay")
    beta1: Fraction = Field(description="decay of the running mean of the gradient")
    beta2: Fraction = Field(description="decay of the running mean of the squared gradient")


class MuonSection(_OptimizerSection):
    """Muon for convolutions and hidden layers, Nesterov SGD for all other parameters."""

    name: Literal["muon"] = Field(description="Muon, with Nesterov SGD for head, norms and biases")
    momentum: Fraction = Field(description="momentum of both Muon and SGD")
    iterations: Annotated[Integer, Field(ge=1, le=20)] = Field(
        description="Newton-Schulz iterations for each orthogonalization"
    )
    sgd_lr: Positive = Field(description="peak learning rate of the SGD part")


class OneCycleSection(Section):
    """Linear warmup, then linear decay."""

    name: Literal["one_cycle"] = Field(description="linear warmup, then linear decay")
    warmup: Fraction = Field(description="share of the run spent on warmup")
    final: UnitInterval = Field(description="learning rate at the end, relative to the peak")


class CosineSection(Section):
    """Linear warmup, then cosine decay."""

    name: Literal["cosine"] = Field(description="linear warmup, then cosine decay")
    warmup: Fraction = Field(description="share of the run spent on warmup")
    final: UnitInterval = Field(description="learning rate at the end, relative to the peak")


class StepSection(Section):
    """Drops at fixed points of the run."""

    name: Literal["step"] = Field(description="drops at fixed points of the run")
    milestones: tuple[Share, ...] = Field(description="shares of the run at which the rate drops")
    factor: Share = Field(description="factor that each drop multiplies the rate by")


class PlateauSection(Section):
    """Drops when the validation loss stops falling."""

    name: Literal["plateau"] = Field(description="drops when val_loss stops falling")
    patience: Annotated[Integer, Field(ge=0, le=1_000_000)] = Field(
        description="epochs without improvement in val_loss before the rate drops"
    )
    factor: Share = Field(description="factor that each drop multiplies the rate by")


class ConstantSection(Section):
    """A constant rate."""

    name: Literal["constant"] = Field(description="a constant rate")


class TargetSchedulerSection(TargetSection):
    """Any scheduler class with torch's interface."""

    interval: Literal["epoch", "step"] = Field("epoch", description="when to step it")


class TrainerSection(Section):
    """How to train."""

    epochs: Epochs = Field(description="passes over the training images")
    batch_size: Count = Field(
        description="images per step; the batches of an epoch differ by at most one image"
    )
    label_smoothing: Fraction = Field(description="share of the label spread over all classes")
    gradient_clip: Positive | None = Field(
        description="upper bound on the gradient's L2 norm over all parameters; null: none"
    )
    ema: Fraction = Field(description="decay per step of the averaged weights; 0: no averaging")
    resolution_scales: tuple[Scale, ...] = Field(
        description="image sizes in early epochs, relative to data.image_size"
    )
    resolution_until: tuple[Scale, ...] = Field(
        description="share of the run at which each of those sizes ends"
    )
    evaluate: Literal["last", "best"] = Field(
        description="weights used for test and predictions: the last epoch's, or the best on val"
    )
    device: Annotated[str, Nuisance, Word, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = Field(
        description="auto: cuda, then mps, then cpu",
        json_schema_extra={"allowed": "one of auto, cpu, mps, cuda, cuda:N"},
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        description="auto: bf16 autocast if the device supports it, else fp32"
    )
    compile: Flag = Field(description="use torch.compile")
    threads: Annotated[Literal["auto"] | Annotated[Integer, Field(ge=1, le=1024)], Nuisance] = (
        Field(description="CPU threads; auto: all cores")
    )
    progress: Annotated[Literal["auto", "bar", "plain", "none"], Nuisance] = Field(
        description="auto: a progress bar on a terminal, plain lines otherwise"
    )


def _run_id_of(value: Any) -> Any:
    """A run's folder is accepted for its id, which ends the folder's name."""
    if isinstance(value, str):
        return value.rstrip("/").rpartition("/")[2].rpartition("-")[2]
    return value


RunReference = Annotated[str, BeforeValidator(_run_id_of), Field(pattern=r"^[0-9a-f]{10}$")]


def variant(value: Any) -> str | None:
    """The tag of the section that a group's value belongs to: its name, or `_target_`."""
    if isinstance(value, TargetSection):
        return "_target_"
    if isinstance(value, Section):
        return str(getattr(value, "name", None))
    if not isinstance(value, dict):
        return None
    return "_target_" if "_target_" in value else str(value.get("name"))


Model = Annotated[
    Annotated[ConvNetSection, Tag("convnet")] | Annotated[TargetSection, Tag("_target_")],
    Discriminator(variant),
]
Optimizer = Annotated[
    Annotated[SGDSection, Tag("sgd")]
    | Annotated[AdamSection, Tag("adam")]
    | Annotated[AdamSection, Tag("adamw")]
    | Annotated[MuonSection, Tag("muon")]
    | Annotated[TargetSection, Tag("_target_")],
    Discriminator(variant),
]
Scheduler = Annotated[
    Annotated[OneCycleSection, Tag("one_cycle")]
    | Annotated[CosineSection, Tag("cosine")]
    | Annotated[StepSection, Tag("step")]
    | Annotated[PlateauSection, Tag("plateau")]
    | Annotated[ConstantSection, Tag("constant")]
    | Annotated[TargetSchedulerSection, Tag("_target_")],
    Discriminator(variant),
]


class Settings(Section):
    """Everything that decides a run, and the control words."""

    seed: Seed = Field(description="seed of initialization, order and augmentation")
    data: DataSection
    model: Model
    augmentation: AugmentationSection
    optimizer: Optimizer
    scheduler: Scheduler
    trainer: TrainerSection
    init_from: RunReference | None = Field(
        description="start from the weights of this run",
        json_schema_extra={"allowed": "a run's id (10 hex digits), its folder, or null"},
    )
    rerun: ControlFlag = Field(
        description="train a completed run again; it is replaced when the new one is done"
    )
    keep: Annotated[Literal["weights", "all", "none"], Nuisance] = Field(
        description="which checkpoints to keep when the run is complete"
    )
    retry_failed: ControlFlag = Field(True, description="try failed runs again")
    plan: Annotated[Flag | Literal["all"], Nuisance] = Field(
        False, description="show what would be trained (all: every run), and train nothing"
    )
    report: ControlFlag = Field(True, description="write a report at the end of a sweep")
    confirm: ConfirmSection = Field(ConfirmSection(), description="confirm the best of a sweep")
    search: SearchSection = Field(SearchSection(), description="search a space")
    pruning: PruningSection = Field(PruningSection(), description="pause weak runs early")
    sweep_name: Annotated[str, Nuisance, Field(min_length=1)] | None = Field(
        None, description="the sweep whose other runs a run is compared with; a sweep sets it"
    )
    retries: Annotated[Integer, Nuisance, Field(ge=0, le=1000)] = Field(
        0, description="how often a command tries a failed run of a sweep again"
    )
    max_failures: Annotated[Integer, Nuisance, Field(ge=1, le=50_000)] | None = Field(
        None, description="failed or diverged runs after which a command stops its sweep"
    )
    on_end: Annotated[str, Nuisance, Field(min_length=1)] | None = Field(
        None,
        description="a shell command to run at a sweep's end, whatever that is",
        json_schema_extra={"allowed": "a command, or null"},
    )
    wait: ControlFlag = Field(
        True, description="false: queue the jobs of a cluster and return; run it again to collect"
    )
