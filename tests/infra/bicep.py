"""Bicep files as syntax trees: what they declare, and what they pass to each other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tree_sitter
import tree_sitter_bicep

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
FILES = sorted(INFRA.rglob("*.bicep"))
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
#: The grammar is older than this statement.
_EXTENSION = re.compile(rb"^extension (\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Module:
    """One `module` statement."""

    path: Path
    parameters: frozenset[str]


@cache
def tree(path: Path) -> tree_sitter.Node:
    """The file, its `extension` lines left out."""
    return _PARSER.parse(_EXTENSION.sub(b"", path.read_bytes())).root_node


def extensions(path: Path) -> list[str]:
    """The extensions that a file uses."""
    return [name.decode() for name in _EXTENSION.findall(path.read_bytes())]


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: tree_sitter.Node | None) -> str:
    """Its source."""
    return "" if node is None or node.text is None else node.text.decode()


def declared(path: Path, kind: str) -> dict[str, tree_sitter.Node]:
    """Declarations of a kind (`parameter`, `output`, `resource`, `module`, `variable`) by name."""
    found = [node for node in walk(tree(path)) if node.type == f"{kind}_declaration"]
    return {text(next(child for child in node.named_children if child.type == "identifier")): node for node in found}


def required(path: Path) -> set[str]:
    """Parameters without a default."""
    return {name for name, node in declared(path, "parameter").items() if "=" not in [c.type for c in node.children]}


def modules(path: Path) -> dict[str, Module]:
    """The modules of a file."""
    return {
        name: Module(
            (path.parent / text(next(c for c in node.children if c.type == "string")).strip("'")).resolve(),
            frozenset(properties(value(node, "params"))),
        )
        for name, node in declared(path, "module").items()
    }


def value(node: tree_sitter.Node, name: str) -> tree_sitter.Node:
    """The value of the first property of that name inside."""
    return next(
        one.named_children[-1]
        for one in walk(node)
        if one.type == "object_property" and text(one.named_children[0]).strip("'") == name
    )


def properties(node: tree_sitter.Node) -> dict[str, tree_sitter.Node]:
    """An object's own properties."""
    return {
        text(one.named_children[0]).strip("'"): one.named_children[-1]
        for one in node.named_children
        if one.type == "object_property"
    }
