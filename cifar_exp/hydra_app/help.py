"""`--help`: the groups with their options, and every key, from the schema and conf/."""

import argparse
from collections.abc import Iterator
from typing import Any

from cifar_exp.config.fields import describe_allowed
from cifar_exp.config.launcher import OPTIONS
from cifar_exp.config.metadata import variants
from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import section_class
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.compose import COMPOSE_ERRORS, Composer, open_composer, settings_tree
from cifar_exp.text import format_value

HEAD = """\
python -m cifar_exp.train [GROUP=OPTION ...] [KEY=VALUE ...]

Trains one run and writes it to outputs/runs/. Run the same command again to continue a run that
was interrupted; a completed run is not trained again.

  python -m cifar_exp.train model=wide optimizer.lr=0.2
  python -m cifar_exp.train --multirun model.width=16,32 seed=0,1,2
  python -m cifar_exp.train sweep=quickstart plan=true
  python -m cifar_exp.train sweep=search_recipe search.runs=12
  python -m cifar_exp.train confirm.sweep=outputs/sweeps/quickstart
"""

SPACES = """\
The keys with several values are the space of a search (search=random, tpe, cmaes, quasirandom):
  optimizer.lr=interval(0.1,1)             between the ends, which are included
  optimizer.lr=tag(log,interval(0.02,1))   evenly by its logarithm
  model.width=range(8,48,8)                8, 16, 24, 32, 40
  model.dropout=0.0,0.1,0.2                one of these; also options: model=tiny,base
  optimizer.sgd.lr=tag(log,interval(0.05,2))  where optimizer=sgd,adamw has chosen sgd
In a sweep file, they are in hydra.sweeper.params (conf/sweep/search_recipe.yaml).
"""

FOOT = """\
Options: --multirun, -m     run every combination of the listed values
         --json             with plan=true: print the plan as JSON
         --config-dir DIR   add your own YAML files (a model as DIR/model/mine.yaml)
         --cfg job          print the composed settings and train nothing
         --hydra-help       list the options of Hydra, which composes the settings
         --version          print the version of cifar_exp
Exit codes: 0 done, 1 a run failed or diverged, 2 a mistake in the command, 3 another process is
training this run, 130 or 143 interrupted."""


def help_text(arguments: argparse.Namespace) -> str:
    """The text of --help. Raises UserError if conf/ cannot be composed."""
    with open_composer(arguments) as composer:
        try:
            return "\n".join(
                [HEAD, *_groups(composer), "", *_settings(composer), SPACES, *_launchers(), FOOT]
            )
        except COMPOSE_ERRORS as error:
            raise UserError(" ".join(str(error).split())) from error


def _groups(composer: Composer) -> Iterator[str]:
    chosen = composer.compose([]).hydra.runtime.choices
    yield "Groups (* is the default):"
    for group in composer.groups():
        options = [
            f"{option}*" if option == chosen.get(group) else option
            for option in composer.options(group)
        ]
        yield f"  {group:<13} {', '.join(options)}"


def _settings(composer: Composer) -> Iterator[str]:
    default = settings_tree(composer.compose([]))
    yield "Settings, with the default, the meaning, and the allowed values:"
    for group, field in Settings.model_fields.items():
        values = default[group]
        if not isinstance(values, dict):
            yield _line(group, values, describe_allowed(field), field.description)
            continue
        yield ""
        yield from _section(group, "", values)
        yield from _other_options(composer, group, values)
    yield ""


def _launchers() -> Iterator[str]:
    yield "Where the runs of a sweep are trained (hydra/launcher=local is the default):"
    for options in OPTIONS:
        yield ""
        yield f"  hydra/launcher={options.name}: {(options.__doc__ or '').partition('.')[0]}"
        for name, field in options.model_fields.items():
            yield _line(
                f"hydra.launcher.{name}", field.default, describe_allowed(field), field.description
            )
    yield ""


def _other_options(composer: Composer, group: str, default: dict[str, Any]) -> Iterator[str]:
    """Options with other keys in full, the others by the values that differ."""
    shown = {section_class(group, default): default}
    for option in composer.options(group):
        try:
            values = settings_tree(composer.compose([f"{group}={option}"]))[group]
        except COMPOSE_ERRORS as error:
            yield f"  {group}={option} cannot be read: {' '.join(str(error).split())}"
            continue
        section = section_class(group, values)
        if section not in shown:
            shown[section] = values
            yield from _section(group, f"={option}", values)
            continue
        known = shown[section]
        changes = [
            f"{k}={format_value(v)}" for k, v in values.items() if k != "name" and known.get(k) != v
        ]
        if changes:
            yield f"  {group}={option} has {', '.join(changes)}"


def _section(group: str, option: str, values: dict[str, Any]) -> Iterator[str]:
    section = section_class(group, values)
    if section is None:
        return
    is_variant = bool(variants(Settings.model_fields[group]))
    yield f"  {group}{option}: {(section.__doc__ or '').partition('.')[0]}"
    for name, field in section.model_fields.items():
        if name == "name" and is_variant:
            continue
        key = field.alias or name
        yield _line(f"{group}.{key}", values.get(key), describe_allowed(field), field.description)


def _line(key: str, default: Any, allows: str, meaning: str | None) -> str:
    return f"  {key:<30} {format_value(default):<10} {meaning} ({allows})"
