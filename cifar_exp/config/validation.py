"""Turn a plain mapping into checked settings, or into a sentence on each mistake."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from cifar_exp.config.fields import TargetSection, choices, describe_allowed
from cifar_exp.config.identity import leaves
from cifar_exp.config.launcher import OPTIONS
from cifar_exp.config.metadata import all_fields, variants
from cifar_exp.config.schema import (
    COMMAND_GROUPS,
    PlateauSection,
    Settings,
    TrainerSection,
    variant,
)
from cifar_exp.errors import UserError
from cifar_exp.text import did_you_mean, format_value

MIN_PIXELS = 8


def validate(raw: Mapping[str, Any]) -> Settings:
    """Type and check `raw`, nested as in conf/.

    Raises UserError with a sentence on each mistake: key, value, what is allowed, nearest name.
    """
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        sentences = [_sentence(details, raw) for details in error.errors()]
        raise UserError(list(dict.fromkeys(sentences))) from error
    conflicts = list(_conflicts(settings))
    if conflicts:
        raise UserError(conflicts)
    return settings


def section_class(group: str, value: Any) -> type[BaseModel] | None:
    """The section class of `group` for this value: `optimizer` with name=sgd -> SGDSection."""
    field = Settings.model_fields.get(group)
    if field is None:
        return None
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return field.annotation
    return variants(field).get(variant(value) or "")


def find_field(key: str, raw: Mapping[str, Any]) -> FieldInfo | None:
    """The field of a dotted key in the schema, or None."""
    group, _, name = key.partition(".")
    if not name:
        return Settings.model_fields.get(group)
    return _fields(group, raw).get(name.partition(".")[0])


def known_keys(raw: Mapping[str, Any]) -> list[str]:
    """All dotted keys that exist with the options chosen in `raw`."""
    keys = []
    for group in Settings.model_fields:
        keys += [f"{group}.{name}" for name in _names(group, raw)] or [group]
    return keys


def unknown_key(key: str, raw: Mapping[str, Any], typed: str = "") -> str:
    """The sentence on a key that does not exist: with the nearest one, or all of its group.

    `typed` is the override as the user wrote it, for an argument that a class may well have.
    """
    group, _, name = key.partition(".")
    own = [field for field in _names(group, raw) if field not in ("name", "_target_")]
    near, shown = same_name(key, raw), format_value(key)
    near = near or did_you_mean(name, own).replace("did you mean ", f"did you mean {group}.")
    near = near or (f"; {group} has {', '.join(own)}" if own else "")
    if _is_class_of_the_users(group, raw):
        begin = " To" if near.endswith("?") else "; to"
        return f"{shown}: no such setting{near}{begin} pass another argument, write +{typed or key}"
    return f"{shown}: no such setting{near or did_you_mean(key, known_keys(raw))}"


def same_name(key: str, raw: Mapping[str, Any]) -> str:
    """`; did you mean optimizer.lr?` for a key that ends in `lr`; nothing where no setting does."""
    name = key.rpartition(".")[2]
    launchers = [f"hydra.launcher.{field}" for options in OPTIONS for field in options.model_fields]
    known = dict.fromkeys([*known_keys(raw), *launchers])
    chosen = [key for key in known if _ends_in(key, name)]
    if chosen:
        return f"; did you mean {' or '.join(chosen)}?"
    others = [k for k in dict.fromkeys(k for k, _ in all_fields()) if _ends_in(k, name)]
    if not others or key in others:
        return ""
    return f"; {others[0]} is a setting of {' and '.join(_owners(others[0]))}"


def _ends_in(key: str, name: str) -> bool:
    group, _, last = key.rpartition(".")
    return last == name and last not in ("name", "_target_") and group not in COMMAND_GROUPS


def _owners(key: str) -> list[str]:
    """The options, by their `name`, whose section has `key`."""
    group, _, name = key.partition(".")
    found = variants(Settings.model_fields[group]).items()
    return [tag for tag, section in found if name in section.model_fields]


def _fields(group: str, raw: Mapping[str, Any]) -> dict[str, FieldInfo]:
    """The fields of a group's section, by the names that users write."""
    section = section_class(group, raw.get(group))
    if section is None:
        return {}
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _names(group: str, raw: Mapping[str, Any]) -> list[str]:
    """The settings of a group: the schema's, and those that a YAML file gives to its class."""
    names = list(_fields(group, raw))
    if _is_class_of_the_users(group, raw):
        names += [name for name, _ in leaves(raw[group]) if name not in names]
    return names


def _is_class_of_the_users(group: str, raw: Mapping[str, Any]) -> bool:
    section = section_class(group, raw.get(group))
    return section is not None and issubclass(section, TargetSection)


def _sentence(details: Any, raw: Mapping[str, Any]) -> str:
    path = [str(part) for part in details["loc"]]
    if len(path) > 1 and path[1] in variants(Settings.model_fields[path[0]]):
        del path[1]  # the tag of the union's member, not a key
    if not isinstance(raw.get(path[0]), Mapping):
        del path[1:]  # the same of a control word, which is no group
    key = ".".join(path)
    if details["type"] == "extra_forbidden":
        return unknown_key(key, raw)
    if details["type"] == "value_error" and section_class(key, raw.get(key)) is not None:
        return f"{key}.{details['ctx']['error']}"
    if details["type"].startswith("union_tag"):
        return _unknown_variant(path[0], raw)
    field = find_field(".".join(path[:2]), raw)
    allows = describe_allowed(field) if field else "as in conf/"
    if details["type"] == "missing":
        return f"{key} is missing: it must be {allows}"
    setting = ".".join(path[:2])  # for an element of a list, the list is named
    value = _lookup(raw, path[:2])
    near = did_you_mean(str(value), choices(field)) if field else ""
    return f"{setting}={format_value(value)}: must be {allows}{near}"


def _unknown_variant(group: str, raw: Mapping[str, Any]) -> str:
    tags = [tag for tag in variants(Settings.model_fields[group]) if tag != "_target_"]
    value = raw.get(group)
    if not isinstance(value, Mapping):
        return f"{group}={format_value(value)}: must be a group of settings"
    if "name" not in value:
        return (
            f"{group} has neither name nor _target_: begin its file with "
            f"`defaults: [{tags[0] if group != 'model' else 'base'}, _self_]`"
        )
    name = str(value["name"])
    return f"{group}.name={name}: must be one of {', '.join(tags)}{did_you_mean(name, tags)}"


def _lookup(raw: Any, path: list[str]) -> Any:
    for part in path:
        raw = raw.get(part) if isinstance(raw, Mapping) else None
    return raw


def _conflicts(settings: Settings) -> Iterator[str]:
    """Mistakes in the combination of two settings."""
    data, augmentation = settings.data, settings.augmentation
    if data.val_fraction == 0:
        yield from _needs_validation(settings)
    if augmentation.crop_padding >= data.image_size:
        yield (
            f"augmentation.crop_padding={augmentation.crop_padding}: "
            f"must be below data.image_size={data.image_size}"
        )
    if augmentation.cutout >= data.image_size:
        yield (
            f"augmentation.cutout={augmentation.cutout}: "
            f"must be below data.image_size={data.image_size}"
        )
    if augmentation.mixup > 0 and augmentation.cutmix > 0:
        yield "augmentation.mixup and augmentation.cutmix: only one of them may be above 0"
    grace, epochs = settings.pruning.grace, settings.trainer.epochs
    if settings.pruning.name != "none" and grace >= epochs:
        yield f"pruning.grace={grace}: must be below trainer.epochs={epochs}"
    yield from _resolution_conflicts(settings.trainer, data.image_size)


def _needs_validation(settings: Settings) -> Iterator[str]:
    without = "and data.val_fraction=0 leaves no validation images; set that to 0.1, for example"
    if isinstance(settings.scheduler, PlateauSection):
        yield f"scheduler=plateau watches val_loss, {without}, or choose another scheduler"
    if settings.trainer.evaluate == "best":
        last = "choose trainer.evaluate=last"
        yield f"trainer.evaluate=best chooses by val_accuracy, {without}, or {last}"
    if settings.pruning.name != "none":
        rule = f"pruning={settings.pruning.name}"
        yield f"{rule} compares val_accuracy, {without}, or choose pruning=none"


def _resolution_conflicts(trainer: TrainerSection, image_size: int) -> Iterator[str]:
    scales, until = list(trainer.resolution_scales), list(trainer.resolution_until)
    if len(scales) != len(until):
        yield (
            f"trainer.resolution_scales={scales} and trainer.resolution_until={until}: "
            "must have the same length"
        )
    if until != sorted(set(until)):
        yield f"trainer.resolution_until={until}: must be increasing"
    if image_size * min(scales, default=1) < MIN_PIXELS:
        yield (
            f"trainer.resolution_scales={scales}: images must keep a side of {MIN_PIXELS} pixels, "
            f"and data.image_size is {image_size}"
        )
