"""A bounded look into one entity of one source, and what it shows of the quality of the data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter
from typing import Final, TypeAlias

from contract.entity import UNKNOWN, Kind
from contract.identifier import is_citizen_number, is_organisation_code
from contract.predicate import INVALID
from contract.read import ForEach, Read, Rows
from contract.source import Capabilities, Source
from sources.declaration import Column, MappedEntity

ROWS: Final = 1000
KEYS: Final = 200
_OLDEST: Final = date(1900, 1, 2)  # what systems write for "never" lies before
_EPOCH_ENDS: Final = datetime(1970, 2, 1, tzinfo=UTC)  # seconds taken for milliseconds
Given: TypeAlias = Mapping[tuple[str, ...], tuple[tuple[object, ...], ...]]
"""Keys that somebody wrote down, by the fields that they are of."""
_IDENTIFIERS: Final = {
    "citizen_number": is_citizen_number,
    "organisation_code": is_organisation_code,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """
    Rows of an entity.

    `whole`: there are no others. `most`: rows that may be read at once. `asked`: the keys it was
    read by; it has all rows of these keys.
    """

    rows: Rows
    whole: bool
    seconds: float
    most: int = ROWS
    asked: ForEach | None = None

    def values(self, name: str) -> list[object]:
        """Return the field's values that can be read."""
        place = self.rows.fields.index(name)
        return [row[place] for row in self.rows.rows if row[place] not in (None, INVALID)]


@dataclass(frozen=True, slots=True)
class Quality:
    """How many sampled values are wrong, by field; fields without a fault are left out."""

    unknown_codes: Mapping[str, int]
    invalid_identifiers: Mapping[str, int]
    invalid_values: Mapping[str, int]
    unknown_divisions: Mapping[str, int]
    future_dates: Mapping[str, int]
    ancient_dates: Mapping[str, int] = field(default_factory=dict)
    broken_cents: Mapping[str, int] = field(default_factory=dict)
    missing_values: Mapping[str, int] = field(default_factory=dict)
    untranslatable_divisions: Mapping[str, int] = field(default_factory=dict)


async def scanned(source: Source, mapped: MappedEntity, most: int = ROWS) -> Sample:
    """
    Return as many rows of an entity that may be read without a key.

    Reads:  the entity twice, the first time for one row where it can be limited.
    Raises: SourceFailure when the system does not answer.
    """
    entity, fields = mapped.entity.name, tuple(mapped.columns)
    limited = source.entities[entity].limit
    rows, seconds = await _timed(source, Read(entity, fields, limit=1 if limited else None))
    if limited:
        rows, _ = await _timed(source, Read(entity, fields, limit=most))
    return Sample(Rows(rows.fields, rows.rows[:most]), len(rows.rows) < most, seconds, most)


async def keyed(source: Source, mapped: MappedEntity, keys: ForEach) -> Sample:
    """
    Return the rows that an entity has for these keys.

    Reads:  the entity twice, the first time for one key.
    Raises: SourceFailure when the system does not answer.
    """
    entity, fields = mapped.entity.name, tuple(mapped.columns)
    one = ForEach(keys.fields, keys.keys[:1])
    _, seconds = await _timed(source, Read(entity, fields, for_each=one))
    rows, _ = await _timed(source, Read(entity, fields, for_each=keys))
    return Sample(rows, whole=False, seconds=seconds, asked=keys)


def quality(
    mapped: MappedEntity, sample: Sample, is_division: Callable[[str], bool], today: date
) -> Quality:
    """Return the faults of the sampled values; it names no value."""

    def faults(wrong: Callable[[Column, object], bool]) -> Mapping[str, int]:
        counted = (
            (name, sum(wrong(column, value) for value in _column(sample, name)))
            for name, column in mapped.columns.items()
        )
        return {name: count for name, count in counted if count}

    return Quality(
        unknown_codes=faults(lambda column, value: _is(column, Kind.CODE) and value == UNKNOWN),
        invalid_identifiers=faults(_has_wrong_check),
        invalid_values=faults(lambda column, value: value is INVALID and not _translates(column)),
        unknown_divisions=faults(
            lambda column, value: (
                _is(column, Kind.DIVISION) and isinstance(value, str) and not is_division(value)
            )
        ),
        future_dates=faults(lambda _, value: _is_after(value, today)),
        ancient_dates=faults(_is_ancient),
        broken_cents=faults(_has_broken_cents),
        missing_values=faults(lambda column, value: value is None and not column.field.nullable),
        untranslatable_divisions=faults(
            lambda column, value: value is INVALID and _translates(column)
        ),
    )


def keys_for(
    capabilities: Capabilities, mapped: MappedEntity, others: Mapping[str, Sample], given: Given
) -> ForEach | None:
    """Return keys to ask an entity by: those that were given, or those of what it hangs from."""
    most = min(capabilities.batch, KEYS)
    for fields in sorted(capabilities.for_each & given.keys()):
        if given[fields]:
            return ForEach(fields, given[fields][:most])
    for attachment in mapped.attachments:
        own = tuple(field for field, _ in attachment.on)
        theirs = tuple(field for _, field in attachment.on)
        other = others.get(attachment.to)
        if other and own in capabilities.for_each and set(theirs) <= set(other.rows.fields):
            keys = tuple(dict.fromkeys(_tuples(other.rows, theirs)))[:most]
            if keys:
                return ForEach(own, keys)
    return None


async def _timed(source: Source, read: Read) -> tuple[Rows, float]:
    begun = perf_counter()
    rows = await source.read(read)
    return rows, perf_counter() - begun


def _tuples(rows: Rows, fields: Sequence[str]) -> Iterator[tuple[object, ...]]:
    places = [rows.fields.index(field) for field in fields]
    for row in rows.rows:
        picked = tuple(row[place] for place in places)
        if None not in picked and INVALID not in picked:
            yield picked


def _column(sample: Sample, name: str) -> Iterator[object]:
    place = sample.rows.fields.index(name)
    return (row[place] for row in sample.rows.rows)


def _translates(column: Column) -> bool:
    """Return whether some codes of the column's code system are no code of ours."""
    places = column.codec.places
    return places is not None and places.readable is not None


def _is(column: Column, kind: Kind) -> bool:
    return column.field.kind is kind


def _has_wrong_check(column: Column, value: object) -> bool:
    if not column.identifier or not isinstance(value, str):
        return False
    return not _IDENTIFIERS[column.identifier](value)


def _is_after(value: object, today: date) -> bool:
    if isinstance(value, datetime):
        return value.date() > today
    return isinstance(value, date) and value > today


def _is_ancient(column: Column, value: object) -> bool:
    if isinstance(value, datetime):
        epoch = column.codec.form == "epoch_ms" and value < _EPOCH_ENDS
        return epoch or value.date() < _OLDEST
    return isinstance(value, date) and value < _OLDEST


def _has_broken_cents(column: Column, value: object) -> bool:
    """Return whether an amount of money has parts of a cent, as yuan declared as fen would."""
    if column.field.unit != "yuan" or not isinstance(value, Decimal):
        return False
    return value != round(value, 2)
