"""
What a mapping file says of the values themselves, proved on a sample: keys, nulls, units, times.

Knows no principal, and puts no value of a record into what it says.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contract.document import Place
from contract.entity import Kind
from contract.predicate import TRUE
from contract.read import Aggregate, Function, Measure
from onboarding.office_hours import ZONES, is_by_night, is_worked, reread
from onboarding.sample import Quality
from onboarding.trial import Claim, Trial, Verdict
from sources.declaration import Column, Department

_SOME: Final = 3
_SOON: Final = timedelta(minutes=5)  # what clocks may differ
_FARTHEST: Final = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sample of one entity says of its file; `now` with its time of day."""

    trial: Trial
    department: Department
    quality: Quality
    now: datetime

    def claims(self) -> Iterator[Claim]:
        """Yield what is said of nulls, units and times that the sample disproves."""
        for name, count in self.quality.missing_values.items():
            why = f"{count} of {self._rows} are null"
            write = "Leave nullable out, or ask the department for the missing values."
            yield self._wrong(f"{name} is never null", name, "nullable", why, write)
        for name, count in self.quality.broken_cents.items():
            why = f"{count} of {self._rows} amounts have parts of a cent"
            yield self._wrong(f"unit of {name}", name, "unit", why, 'Write unit = "yuan".')
        for name, column in self.trial.mapped.columns.items():
            if column.field.kind is Kind.DATETIME:
                yield from self._times(name, column)

    @property
    def _rows(self) -> int:
        return len(self.trial.sample.rows.rows)

    def _times(self, name: str, column: Column) -> Iterator[Claim]:
        values = [each for each in self.trial.sample.values(name) if isinstance(each, datetime)]
        ahead = self._ahead(values)
        naive = column.codec.form == "plain" or column.codec.storage == "timestamp"
        others = {zone: reread(values, self._own, zone) for zone in ZONES if zone != self._own}
        if len(ahead) >= _SOME and max(ahead) <= _FARTHEST:
            hours = round(max(ahead) / timedelta(hours=1))
            why = f"{len(ahead)} of {len(values)} lie in the future, by {hours} hours at most"
            past = (zone for zone, there in others.items() if not self._ahead(there))
            yield self._zone(name, why, next(past, "") if naive else "")
        elif naive and is_by_night(values):
            worked = (zone for zone, there in others.items() if is_worked(there))
            for zone in worked:
                why = f"most of {len(values)} times are at night, and by day in {zone}"
                yield self._zone(name, why, zone)

    @property
    def _own(self) -> str:
        return self.department.time_zone

    def _ahead(self, values: Iterable[datetime]) -> list[timedelta]:
        return [value - self.now for value in values if value - self.now > _SOON]

    def _zone(self, name: str, why: str, zone: str) -> Claim:
        write = f'Write time_zone = "{zone}".' if zone else "Ask the department to set its clock."
        place: Place = ("time_zone",)
        return Claim(f"time zone of {name}", Verdict.DISPROVED, why, place, write)

    def _wrong(self, name: str, field: str, option: str, why: str, write: str) -> Claim:
        place: Place = ("entity", self.trial.mapped.entity.name, "fields", field, option)
        return Claim(name, Verdict.DISPROVED, why, place, write)


UNIQUE: Final = "key is unique"
_KEY: Final = "Write a key that tells rows apart; add fields to it until it does."


def unique(trial: Trial, doubles: int) -> Claim:
    """Return whether rows have keys of their own, where so many of them have not."""
    name = UNIQUE
    if not doubles:
        return Claim(name, Verdict.PROVED if trial.sample.rows.rows else Verdict.UNDECIDED)
    place: Place = ("entity", trial.mapped.entity.name, "key")
    why = f"{doubles} rows have the key of another row"
    return Claim(name, Verdict.DISPROVED, why, place, _KEY)


async def doubles_of_all(trial: Trial) -> int | None:
    """
    Return how many rows of the whole entity have the key of another; None where it cannot count.

    Raises: SourceFailure, Exhausted.
    """
    functions = {Function.COUNT, Function.COUNT_DISTINCT}
    if not functions <= trial.capabilities.functions:
        return None
    entity, counted = trial.mapped.entity.name, Measure("rows", Function.COUNT)
    trial.allowance.take()
    if len(trial.key) > 1:
        groups = await trial.source.aggregate(Aggregate(entity, (counted,), TRUE, trial.key))
        return sum(int(str(row[-1])) - 1 for row in groups.rows)
    keys = Measure("keys", Function.COUNT_DISTINCT, trial.key[0])
    answer = await trial.source.aggregate(Aggregate(entity, (counted, keys), TRUE))
    every, different = (int(str(value)) for value in answer.rows[0])
    return every - different


def doubled(identities: Counter[tuple[object, ...]]) -> int:
    """Return how many rows have an identity that was there before."""
    return sum(count - 1 for count in identities.values())
