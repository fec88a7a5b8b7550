"""What the schema says about a setting besides type and range: does it name a run, is it text?

Both lists are collected from the schema's fields, so a new setting says it where it is declared.
"""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from cifar_exp.config.fields import Nuisance, Word
from cifar_exp.config.schema import Settings


def all_fields() -> Iterator[tuple[str, FieldInfo]]:
    """Every setting of every section by its dotted key; one key may come from several sections."""
    for group, field in Settings.model_fields.items():
        sections = list(sections_of(field))
        if not sections:
            yield group, field
        for section in sections:
            for name, member in section.model_fields.items():
                yield f"{group}.{member.alias or name}", member


def sections_of(field: FieldInfo) -> list[type[BaseModel]]:
    """The sections that a group may hold; empty for a plain setting."""
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return [field.annotation]
    return list(dict.fromkeys(variants(field).values()))


def nuisance_keys() -> frozenset[str]:
    """Settings that do not decide a run's result, and so are not part of its id."""
    return frozenset(key for key, field in all_fields() if _is_marked(field, Nuisance))


def text_keys() -> frozenset[str]:
    """Settings whose value is free text, which the command line quotes before Hydra reads it."""
    return frozenset(key for key, field in all_fields() if _is_text(field))


def variants(field: FieldInfo) -> dict[str, type[BaseModel]]:
    """The sections a field chooses among, by tag; empty for plain fields."""
    found = {}
    for member in get_args(field.annotation):
        section, *metadata = get_args(member) or (member,)
        for tag in metadata:
            if isinstance(tag, Tag):
                found[tag.tag] = section
    return found


def number_kind(field: FieldInfo) -> Literal["int", "float"] | None:
    """Which numbers a setting takes: integers only, or any; None if it takes no number."""
    parts = list(_types(field.annotation))
    if any(get_origin(part) is tuple for part in parts):
        return None
    if any(part is float for part in parts):
        return "float"
    return "int" if any(part is int for part in parts) else None


def _is_marked(field: FieldInfo, mark: type) -> bool:
    return any(m is mark for m in _metadata(field))


def _is_text(field: FieldInfo) -> bool:
    return str in _types(field.annotation) and not _is_marked(field, Word)


def _metadata(field: FieldInfo) -> list[Any]:
    nested = [part for member in get_args(field.annotation) for part in get_args(member)[1:]]
    return [*field.metadata, *nested]


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)
