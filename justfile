# Commands for contributors. `pip install -e '.[dev]'` installs what they need, `just` included. CI
# runs the same ones.

# list the commands
default:
    @just --list

# format, lint, types, import layers, spelling
lint:
    ruff format --check .
    ruff check .
    mypy
    lint-imports
    codespell

# lint, and the fast tests: about a minute on two cores
check: lint
    python -m pytest -m "not slow"

# all tests, or those that the arguments select: `just test tests/runs -n0 --pdb`
test *arguments:
    python -m pytest {{ arguments }}

# all tests, and the lines that none of them runs (subprocesses are not measured)
coverage *arguments:
    python -m pytest --cov --cov-report=term {{ arguments }}

# reformat everything as `lint` expects
format:
    ruff format .
    ruff check --fix .

# what must pass before anything lands, in a clean copy and environment
ci:
    .ci/run
