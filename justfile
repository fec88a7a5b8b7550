# The commands of a contributor, from the environment that `pip install -e '.[dev]'` filled; `just`
# itself comes with it. CI runs the same ones.

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

# every test, or those that the arguments select: `just test tests/runs -n0 --pdb`
test *arguments:
    python -m pytest {{ arguments }}

# every test, and the lines that none of them runs (subprocesses are not measured)
coverage *arguments:
    python -m pytest --cov --cov-report=term {{ arguments }}

# put everything into the format that `lint` asks for
format:
    ruff format .
    ruff check --fix .

# what must pass before anything lands, in a clean copy and environment
ci:
    .ci/run
