"""How a field of each row is shown: whole, masked or denied, by the grants of its own row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from auth.policy import HIDDEN, SHOWN, Grant, masked
from contract.read import Rows
from resolvers.record import DENIED


def shows(grant: Grant, name: str) -> bool:
    """Return whether the grant shows anything of the field."""
    return grant.access.get(name, HIDDEN) != HIDDEN


@lru_cache(maxsize=4_096)
def places(names: tuple[str, ...]) -> Mapping[str, int]:
    """Return where each name stands."""
    return MappingProxyType({name: place for place, name in enumerate(names)})


@dataclass(frozen=True, slots=True)
class Shown:
    """
    What a client may get of some rows, masked.

    Shape:  names (m), rows (n) of m values.
    """

    names: tuple[str, ...]
    rows: Iterable[Sequence[object]]


def shown_rows(
    fields: frozenset[str], rows: Rows, grants: tuple[Grant, ...], tags: Sequence[frozenset[int]]
) -> Shown:
    """Return the fields of every row as shown."""
    names, at = tuple(sorted(fields)), places(rows.fields)
    if not names:
        return Shown((), ((),) * len(rows.rows))
    natives = tuple(zip(*rows.rows, strict=True))
    columns = (
        shown_column(name, natives[at[name]], grants, tags)
        if name in at
        else (DENIED,) * len(rows.rows)
        for name in names
    )
    return Shown(names, zip(*columns, strict=True))


def shown_column(
    name: str, column: Sequence[object], grants: tuple[Grant, ...], tags: Sequence[frozenset[int]]
) -> Sequence[object]:
    """Return one field of every row as shown."""
    accesses = {grant.access.get(name, HIDDEN) for grant in grants}
    if len(accesses) == 1:
        return _shown_alike(accesses.pop(), column)
    by_number = {grant.number: grant.access.get(name, HIDDEN) for grant in grants}
    return [
        _shown(_widest(by_number[number] for number in tag), value)
        for value, tag in zip(column, tags, strict=True)
    ]


def _shown_alike(access: str, column: Sequence[object]) -> Sequence[object]:
    return column if access == SHOWN else [_shown(access, value) for value in column]


def _shown(access: str, value: object) -> object:
    if access == SHOWN:
        return value
    return DENIED if access == HIDDEN else masked(access, value)


def _widest(accesses: Iterable[str]) -> str:
    """Return the most that one of a row's own grants shows."""
    found = set(accesses)
    if SHOWN in found:
        return SHOWN
    return min(found - {HIDDEN}, default=HIDDEN)
