"""The province's own reference data as sources in memory: divisions and matters."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from contract.entity import Entity
from sources.divisions import DivisionTree
from sources.matters import load_matters, matter_rows
from sources.memory import MemorySource

DIVISIONS: Final = "Division"
MATTERS: Final = ("Matter", "MatterElement", "Material")


def divisions_source(core: Mapping[str, Entity], tree: DivisionTree) -> MemorySource:
    """Return the division tree as a source."""
    rows = [
        {
            "code": division.code,
            "name": division.name,
            "level": division.level.upper(),
            "kind": division.kind,
            "parentCode": division.parent or None,
        }
        for division in tree
    ]
    return MemorySource("divisions", "行政区划", {DIVISIONS: core[DIVISIONS]}, {DIVISIONS: rows})


def matters_source(
    core: Mapping[str, Entity], folder: Path, elsewhere: AbstractSet[str] = frozenset()
) -> MemorySource:
    """
    Return the catalogue as a source; where there is no folder it is empty.

    What is held `elsewhere` is then left to who holds it, so that nobody asks an empty catalogue.
    Raises: Mistakes, with all mistakes of all files.
    """
    is_there = folder.is_dir()
    rows = matter_rows(load_matters(folder) if is_there else ())
    held = dict(zip(MATTERS, (rows.matters, rows.elements, rows.materials), strict=True))
    entities = {name: core[name] for name in MATTERS if is_there or name not in elsewhere}
    return MemorySource("matters", "事项目录", entities, {name: held[name] for name in entities})
