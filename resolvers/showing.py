"""How a field of each row is shown: whole, masked or denied, by the grants of its own row."""

from collections.abc import Iterable, Mapping, Sequence

from auth.policy import HIDDEN, SHOWN, Grant, masked
from contract.read import Rows
from resolvers.record import DENIED


def shows(grant: Grant, name: str) -> bool:
    """Return whether the grant shows anything of the field."""
    return grant.access.get(name, HIDDEN) != HIDDEN


def places(names: Sequence[str]) -> dict[str, int]:
    """Return where each name stands."""
    return {name: place for place, name in enumerate(names)}


def shown_column(
    name: str,
    rows: Rows,
    places: Mapping[str, int],
    grants: tuple[Grant, ...],
    tags: Sequence[frozenset[int]],
) -> list[object]:
    """Return one field of every row as shown."""
    if name not in places:
        return [DENIED] * len(rows.rows)
    place = places[name]
    column = [row[place] for row in rows.rows]
    accesses = {grant.access.get(name, HIDDEN) for grant in grants}
    if len(accesses) == 1:
        return _shown_alike(accesses.pop(), column)
    by_number = {grant.number: grant.access.get(name, HIDDEN) for grant in grants}
    return [
        _shown(_widest(by_number[number] for number in tag), value)
        for value, tag in zip(column, tags, strict=True)
    ]


def _shown_alike(access: str, column: list[object]) -> list[object]:
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
