"""The options of the command line: Hydra's own, with its errors told our way."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from cifar_exp.config.suggestions import did_you_mean
from cifar_exp.errors import UserError


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Hydra's options and the overrides. In any order. Raises UserError on an unknown one."""
    parser = get_args_parser()

    def error(message: str) -> NoReturn:
        wrong = message.rpartition(": ")[2].split(" ")[0]
        near = did_you_mean(wrong, parser._option_string_actions)
        raise UserError(f"{message}{near}")

    parser.error = error  # type: ignore[method-assign]
    return parser.parse_intermixed_args(list(arguments))


def options_first(arguments: Sequence[str]) -> list[str]:
    """The same command line in the order that Hydra's own parser insists on."""
    overrides = parse_arguments(arguments).overrides
    options, left = [], list(overrides)
    for argument in arguments:
        if left and argument == left[0]:
            left.pop(0)
        else:
            options.append(argument)
    return [*options, *overrides]
