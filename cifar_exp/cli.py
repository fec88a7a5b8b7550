"""One console script for every command: `cifar-exp train` is `python -m cifar_exp.train`."""

import sys
from importlib import import_module

import cifar_exp
from cifar_exp.errors import DONE, UserError, print_error
from cifar_exp.text import did_you_mean

# Each is a module of this package whose main() reads sys.argv and returns the exit code.
COMMANDS = {
    "train": "train one run, or with --multirun or sweep=NAME a whole sweep",
    "report": "write tables, figures and an HTML page about finished runs",
    "status": "show the state of sweeps and runs",
}
HELP = ("-h", "--help")


def main() -> int:
    """Run the command that the first argument names; returns its exit code."""
    name, arguments = sys.argv[1] if len(sys.argv) > 1 else None, sys.argv[2:]
    if name in HELP:
        print(_help_text())
        return DONE
    if name == "--version":
        print(f"cifar_exp {cifar_exp.__version__}")
        return DONE
    if name not in COMMANDS:
        return print_error(UserError(_unknown(name)))
    sys.argv[1:] = arguments
    # Imported when it is chosen: train needs Hydra, report needs pandas.
    return int(import_module(f"cifar_exp.{name}").main())


def _help_text() -> str:
    lines = [f"  {name:<8} {meaning}" for name, meaning in COMMANDS.items()]
    return "\n".join(
        [
            "usage: cifar-exp COMMAND [ARGUMENT ...]",
            "",
            *lines,
            "",
            "cifar-exp COMMAND --help lists the arguments of a command.",
            "cifar-exp --version prints the version.",
        ]
    )


def _unknown(name: str | None) -> str:
    allowed = ", ".join(COMMANDS)
    if name is None:
        return f"the command is missing; it must be one of {allowed}"
    return f"{name}: the command must be one of {allowed}{did_you_mean(name, COMMANDS)}"


if __name__ == "__main__":
    sys.exit(main())
