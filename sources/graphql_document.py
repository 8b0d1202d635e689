"""The texts sent to a GraphQL service: one for each shape of a question, without any value."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

_SHAPES_KEPT: Final = 512

Tree: TypeAlias = dict[str, "Tree"]


@dataclass(frozen=True, slots=True)
class Shape:
    """
    What an operation asks for; two questions of one shape differ in their variables alone.

    `root`: dotted path of the field that takes the arguments. `arguments`: their names with their
    types, each given by the variable of its name. `selection`: dotted paths below the root.
    """

    root: str
    arguments: tuple[tuple[str, str], ...]
    selection: tuple[str, ...]


@lru_cache(maxsize=_SHAPES_KEPT)
def document(shape: Shape) -> str:
    """Return the operation's text."""
    declared = ", ".join(f"${name}: {kind}" for name, kind in shape.arguments)
    given = ", ".join(f"{name}: ${name}" for name, _ in shape.arguments)
    *outer, field = shape.root.split(".")
    asked = f"{field}{_bracketed(given)} {_selected(_tree(shape.selection))}"
    for name in reversed(outer):
        asked = f"{name} {{ {asked} }}"
    return f"query Read{_bracketed(declared)} {{ {asked} }}"


def _bracketed(text: str) -> str:
    return f"({text})" if text else ""


def _tree(paths: Iterable[str]) -> Tree:
    tree: Tree = {}
    for path in paths:
        level = tree
        for name in path.split("."):
            level = level.setdefault(name, {})
    return tree


def _selected(tree: Tree) -> str:
    if not tree:
        return ""
    return (
        "{ " + " ".join(f"{name} {_selected(inner)}".strip() for name, inner in tree.items()) + " }"
    )
