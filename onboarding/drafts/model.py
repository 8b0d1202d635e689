"""
A mapping file that nobody has decided on yet, as data: what is known of a system, and the draft.

Says nothing of any kind of system. A draft holds no value of a record but codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sources.declaration import Storage
from sources.mapping_model import Type

MISSING: Final = "…"
"""What stands where a value is missing; the reader of mapping files refuses it."""
ROWS: Final = 200
MOST_ENTITIES: Final = 60


class DraftRefused(ValueError):
    """No draft can be written; the text says why and repeats no part of an address."""


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What is to be drafted.

    `variable`: the name in the environment that holds the address from now on. `only`: the tables,
    paths or fields wanted; all where empty. `header`: the header that `token` is sent in.
    """

    name: str
    url: str = field(repr=False)
    variable: str
    only: tuple[str, ...] = ()
    header: str = ""
    token: str = field(default="", repr=False)

    def wants(self, *names: str) -> bool:
        """Return whether an entity with one of these native names is to be drafted."""
        return not self.only or not set(self.only).isdisjoint(names)


@dataclass(frozen=True, slots=True)
class Native:
    """
    What is known of one column or path.

    `codes`: the values the system declares. `values`: sampled ones, none of them null.
    `is_key`: part of a key, its own or another's. `refers`: the native it refers to.
    """

    name: str
    type: Type = "string"
    storage: Storage | None = None
    comment: str = ""
    codes: tuple[str, ...] = ()
    values: tuple[object, ...] = field(default=(), repr=False)
    is_key: bool = False
    refers: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """`name = value`, below its notes; commented out where `is_open`, for somebody to decide."""

    name: str
    value: object
    notes: tuple[str, ...] = ()
    is_open: bool = False


Lines: TypeAlias = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class DraftEntity:
    """One entity: its lines, its fields, and its further tables by name (rest, pushdown, …)."""

    name: str
    notes: tuple[str, ...]
    lines: Lines
    fields: Lines
    tables: Mapping[str, Lines] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """
    A whole file.

    `read`: what was asked of the system. `core`: what entities the schema has. `left_out`: what is
    not in the file.
    """

    read: str
    core: tuple[str, ...]
    head: Lines
    entities: tuple[DraftEntity, ...]
    left_out: tuple[str, ...] = ()
