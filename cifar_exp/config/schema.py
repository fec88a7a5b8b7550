"""Every setting: its type, its range and one line of meaning. The values stand in conf/.

A key added after a release carries a default here, the value that means "as before": folders and
files of that release then still load, and the run keeps its id (identity.py).
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from cifar_exp.config.fields import Integer, Number, Section, TargetSection

Fraction = Annotated[Number, Field(ge=0, lt=1)]
Count = Annotated[Integer, Field(ge=1)]


class DataSection(Section):
    """Which images, and how they are split."""

    name: Literal["cifar100", "folder", "shapes"] = Field(description="where the images come from")
    root: str = Field(min_length=1, description="folder of the images; shapes needs none")
    download: bool = Field(description="fetch CIFAR-100 when it is not at data.root")
    image_size: Annotated[Integer, Field(ge=8, le=512)] = Field(
        description="side in pixels; other images are resized to it once, when first read"
    )
    limit_train: Count | None = Field(description="train on a stratified part of so many images")
    limit_test: Count | None = Field(description="test on a stratified part of so many images")
    val_fraction: Fraction = Field(description="part of train held out for choosing; 0: none")
    split_seed: Annotated[Integer, Field(ge=0, lt=2**32)] = Field(
        description="fixes which images are taken and held out, whatever the seed"
    )

    @property
    def folder(self) -> Path:
        """`root` as a path, with `~` as the home folder."""
        return Path(self.root).expanduser()


class ConvNetSection(Section):
    """The network of our own."""

    name: Literal["convnet"] = Field(description="the network of our own")
    width: Annotated[Integer, Field(ge=1, le=4096)] = Field(description="channels of stage 1")
    depth: Annotated[Integer, Field(ge=1, le=64)] = Field(description="convolutions a stage")
    stages: Annotated[Integer, Field(ge=1, le=8)] = Field(description="each halves the resolution")
    growth: Annotated[Number, Field(ge=1, le=8)] = Field(
        description="how much wider each stage is than the one before"
    )
    dropout: Fraction = Field(description="probability, after every stage and in the head")
    activation: Literal["relu", "leaky_relu", "silu", "gelu"] = Field(
        description="the nonlinearity"
    )
    stem: Literal["whitened", "none"] = Field(
        description="fixed first convolution that decorrelates the training images' patches"
    )
    residual: bool = Field(description="add each further convolution of a stage to its input")
    pooling: Literal["early", "late"] = Field(
        description="max pooling right after the convolution (cheaper) or after the activation"
    )
    head_pooling: Literal["max_mean", "mean"] = Field(description="global pooling before the head")
    head_width: Annotated[Integer, Field(ge=0, le=65536)] = Field(
        description="units of the head's hidden layer; 0: none"
    )
    initialisation: Literal["dirac", "default"] = Field(
        description="partial identity, or torch's own"
    )


class AugmentationSection(Section):
    """What happens to a training image before the network sees it."""

    flip: Literal["none", "random", "alternate"] = Field(
        description="mirror left-right: by a coin, or every other epoch"
    )
    crop_padding: Annotated[Integer, Field(ge=0, le=64)] = Field(
        description="reflect-pad by so many pixels and crop at random"
    )
    cutout: Annotated[Integer, Field(ge=0, le=512)] = Field(
        description="side of a square set to the mean; 0: none"
    )
    jitter: Annotated[Number, Field(ge=0, le=1)] = Field(
        description="strength of random brightness, contrast and saturation"
    )
    mixup: Annotated[Number, Field(ge=0)] = Field(
        description="alpha of the Beta that blends two images; 0: none"
    )
    cutmix: Annotated[Number, Field(ge=0)] = Field(
        description="alpha of the Beta that pastes one image's part on another; 0: none"
    )


class _OptimizerSection(Section):
    lr: Annotated[Number, Field(gt=0)] = Field(description="the highest learning rate")
    weight_decay: Annotated[Number, Field(ge=0)] = Field(
        description="on weights only, never on norms and biases"
    )
    bias_lr_scale: Annotated[Number, Field(gt=0)] = Field(
        description="how much faster the biases learn"
    )


class SGDSection(_OptimizerSection):
    """Nesterov SGD."""

    name: Literal["sgd"] = Field(description="Nesterov SGD")
    momentum: Fraction = Field(description="of the gradient's running mean")


class AdamSection(_OptimizerSection):
    """Adam and AdamW."""

    name: Literal["adam", "adamw"] = Field(description="adamw decouples the weight decay")
    beta1: Fraction = Field(description="decay of the gradient's running mean")
    beta2: Fraction = Field(description="decay of the squared gradient's running mean")


class MuonSection(_OptimizerSection):
    """Muon for convolutions and hidden layers, Nesterov SGD for all else."""

    name: Literal["muon"] = Field(description="Muon, with Nesterov SGD for head, norms and biases")
    momentum: Fraction = Field(description="of the gradient's running mean, both rules")
    iterations: Annotated[Integer, Field(ge=1, le=20)] = Field(
        description="Newton-Schulz steps of the orthogonalisation"
    )
    sgd_lr: Annotated[Number, Field(gt=0)] = Field(description="learning rate of the SGD part")


class OneCycleSection(Section):
    """Linear up, linear down."""

    name: Literal["one_cycle"] = Field(description="linear warm-up, then linear to the end")
    warmup: Fraction = Field(description="part of the run that the warm-up takes")
    final: Annotated[Number, Field(ge=0, le=1)] = Field(description="rate at the end, relative")


class CosineSection(Section):
    """Half a cosine down, after a linear warm-up."""

    name: Literal["cosine"] = Field(description="linear warm-up, then half a cosine down")
    warmup: Fraction = Field(description="part of the run that the warm-up takes")
    final: Annotated[Number, Field(ge=0, le=1)] = Field(description="rate at the end, relative")


class StepSection(Section):
    """Drops at fixed parts of the run."""

    name: Literal["step"] = Field(description="drops at fixed parts of the run")
    milestones: tuple[Annotated[Number, Field(gt=0, lt=1)], ...] = Field(
        description="parts of the run after which the rate drops"
    )
    factor: Annotated[Number, Field(gt=0, lt=1)] = Field(description="what each drop multiplies by")


class PlateauSection(Section):
    """Drops when the validation loss stops falling."""

    name: Literal["plateau"] = Field(description="drops when val_loss stops falling")
    patience: Annotated[Integer, Field(ge=0)] = Field(
        description="epochs without a lower val_loss that are borne"
    )
    factor: Annotated[Number, Field(gt=0, lt=1)] = Field(description="what each drop multiplies by")


class ConstantSection(Section):
    """The same rate throughout."""

    name: Literal["constant"] = Field(description="the same rate throughout")


class TargetSchedulerSection(TargetSection):
    """A scheduler class of the user's own, or one of torch's."""

    interval: Literal["epoch", "step"] = Field("epoch", description="when it is stepped")


class TrainerSection(Section):
    """The loop."""

    epochs: Count = Field(description="passes over the training images")
    batch_size: Count = Field(description="images a step; an epoch's batches differ by one at most")
    label_smoothing: Fraction = Field(description="part of the label spread over all classes")
    gradient_clip: Annotated[Number, Field(gt=0)] | None = Field(
        description="longest allowed gradient (L2 norm over all parameters)"
    )
    ema: Fraction = Field(description="decay a step of the averaged weights; 0: none")
    resolution_scales: tuple[Annotated[Number, Field(gt=0, le=1)], ...] = Field(
        description="sizes of the early epochs' images, relative to data.image_size"
    )
    resolution_until: tuple[Annotated[Number, Field(gt=0, le=1)], ...] = Field(
        description="parts of the run at which each of those sizes ends"
    )
    evaluate: Literal["last", "best"] = Field(
        description="which weights test and predictions read: the last epoch's or val's best"
    )
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = Field(
        description="auto: cuda, then mps, then cpu",
        json_schema_extra={"allowed": "one of auto, cpu, mps, cuda, cuda:N"},
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        description="auto: bf16 autocast where the device has it"
    )
    compile: bool = Field(description="torch.compile the network")
    threads: Literal["auto"] | Annotated[Integer, Field(ge=1, le=1024)] = Field(
        description="CPU threads; auto: all cores"
    )
    progress: Literal["auto", "bar", "plain", "none"] = Field(
        description="auto: a bar on a terminal, plain lines elsewhere"
    )


def _run_id_of(value: Any) -> Any:
    """A run's folder stands for its id, which ends the folder's name."""
    if isinstance(value, str):
        return value.rstrip("/").rpartition("/")[2].rpartition("-")[2]
    return value


RunReference = Annotated[str, BeforeValidator(_run_id_of), Field(pattern=r"^[0-9a-f]{10}$")]


def variant(value: Any) -> str | None:
    """The tag of the section that a group's value asks for: its name, or `_target_`."""
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
    """All that decides a run, and the control words beside it."""

    seed: Annotated[Integer, Field(ge=0, lt=2**32)] = Field(
        description="of initialisation, order and augmentation"
    )
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
    rerun: bool = Field(description="train a completed run anew; it is replaced when done")
    keep: Literal["weights", "all", "none"] = Field(
        description="what of the checkpoints stays when the run is complete"
    )
    retry_failed: bool = Field(True, description="try failed runs again")
    plan: bool = Field(False, description="tell what would be trained, and train nothing")
    report: bool = Field(True, description="write a sweep's report at its end")
