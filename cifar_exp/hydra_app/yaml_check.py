"""Check a user's YAML file before Hydra composes it.

Anchors that refer to each other expand to any size, and OmegaConf expands them all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult

from cifar_exp.errors import UserError

MAX_NODES = 50_000  # of a file, anchors expanded
MAX_DEPTH = 30
TAG = "tag:yaml.org,2002:"
TAGS = [f"{TAG}{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null")]
TAGS += [f"{TAG}{name}" for name in ("timestamp", "merge", "value")]  # of plain texts, and of <<


class CheckedFileSource(FileConfigSource):
    """Hydra's source of YAML files, which refuses files that would crash or hang it."""

    def load_config(self, config_path: str) -> ConfigResult:
        """Load a file. Raises UserError."""
        path = Path(self.path, self._normalize_file_name(config_path))
        if path.is_file():
            check_yaml(path)
        return super().load_config(config_path)


@contextmanager
def checked_sources() -> Iterator[None]:
    """Within the block, Hydra checks each YAML file that it loads from a folder.

    Afterwards its own source is back: joblib's processes take over the registry, and refuse another
    class of that name.
    """
    Plugins.instance()  # it registers Hydra's own sources
    types, scheme = SourcesRegistry.instance().types, FileConfigSource.scheme()
    own, types[scheme] = types[scheme], CheckedFileSource
    try:
        yield
    finally:
        types[scheme] = own


def check_yaml(path: Path) -> None:
    """Raise UserError with a sentence if the file cannot be settings."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
        error = None if root is None else _error(root)
    except RecursionError:
        error = f"is nested more than {MAX_DEPTH} levels deep"
    except UnicodeDecodeError:
        error = "is not UTF-8 text"
    except (OSError, yaml.YAMLError) as fault:
        error = f"cannot be read ({' '.join(str(fault).split())})"
    if error is not None:
        raise UserError(f"{path}: {error}")


def _error(root: yaml.Node) -> str | None:
    if not isinstance(root, yaml.MappingNode):
        return "must be keys with their values"
    try:
        size = _Sizes().expanded(root)
    except ValueError as error:
        return str(error)
    return f"expands to more than {MAX_NODES:,} values" if size > MAX_NODES else None


class _Sizes:
    """The number of nodes under a node with all anchors expanded; each node is visited once."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def expanded(self, node: yaml.Node, depth: int = 0) -> int:
        """Raises ValueError with a reason why the file cannot be settings."""
        if id(node) in self._open:
            raise ValueError(f"{_place(node)} contains itself")
        if depth > MAX_DEPTH:
            raise ValueError(f"is nested more than {MAX_DEPTH} levels deep")
        if id(node) not in self._sizes:
            self._open.add(id(node))
            _check_node(node)
            self._sizes[id(node)] = 1 + sum(self.expanded(n, depth + 1) for n in _children(node))
            self._open.remove(id(node))
        return self._sizes[id(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _check_node(node: yaml.Node) -> None:
    if node.tag not in TAGS:
        raise ValueError(f"{_place(node)} has the tag {node.tag.replace(TAG, '!!')}; leave it out")
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == f"{TAG}null":
                raise ValueError(f"{_place(key)} has a key that is not a name")


def _place(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"
