"""
What a system's values look like before they are read, for `check`: shapes and counts, no value.

Says what of a mapping would have to be otherwise for unreadable values and unknown codes to make
sense. Knows no principal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, TypeAlias, get_args

from contract.document import Place
from contract.entity import UNKNOWN, Kind
from contract.errors import SourceFailure
from contract.predicate import INVALID
from contract.read import Read
from contract.source import Source
from onboarding.http_probe import Walk
from onboarding.sample import ROWS
from onboarding.trial import Claim, Verdict
from sources.code_systems import CodeSystems
from sources.codec import calendar, instant
from sources.declaration import Column, Department, Form, MappedEntity, System
from sources.divisions import canonical
from sources.file import FileSource
from sources.http_answer import MISSING
from sources.sql import SqlSource

Natives: TypeAlias = Mapping[str, Sequence[object]]
"""Every field's values as the system gave them."""

_DATES: Final[tuple[Form, ...]] = ("yyyymmdd", "iso", "yyyymm")
_TIMES: Final[tuple[Form, ...]] = ("plain", "iso")
_SOME: Final = 3
_SECONDS: Final = range(10**8, 10**10)  # since 1970, as a number of seconds


def walked(mapped: MappedEntity, walk: Walk) -> Natives:
    """Return the natives of records."""
    columns = zip(*(record.natives for record in walk.records), strict=True)
    return dict(zip(mapped.columns, columns, strict=bool(walk.records)))


async def looked(source: Source, department: Department, mapped: MappedEntity) -> Natives:
    """
    Return the natives of a database or of files; none where they cannot be had.

    Reads:  the entity once, over a connection of its own.
    """
    if not isinstance(source, SqlSource | FileSource):
        return {}
    plain = {name: _unread(column) for name, column in mapped.columns.items()}
    entities = {**department.entities, mapped.entity.name: replace(mapped, columns=plain)}
    opened = type(source)(replace(department, entities=entities))
    try:
        most = min(ROWS, department.budget.rows)
        rows = await opened.read(Read(mapped.entity.name, tuple(plain), limit=most))
    except SourceFailure:
        return {}
    finally:
        await opened.aclose()
    return {name: [row[place] for row in rows.rows] for place, name in enumerate(rows.fields)}


def _unread(column: Column) -> Column:
    return replace(column, codec=replace(column.codec, decode=_same))


def _same(native: object) -> object:
    return native


@dataclass(frozen=True, slots=True)
class Look:
    """What the natives of one entity say of its mapping."""

    department: Department
    mapped: MappedEntity
    natives: Natives

    def claims(self) -> tuple[Claim, ...]:
        """Return what the mapping says that the natives disprove."""
        found = (
            claim
            for name, natives in self.natives.items()
            for claim in self._of(name, self.mapped.columns[name], natives)
        )
        return tuple(found)

    def _of(self, name: str, column: Column, natives: Sequence[object]) -> Iterable[Claim]:
        if natives and all(native is MISSING for native in natives):
            why = f"none of {len(natives)} rows has it"
            yield self._wrong(f"{name} is there", name, "native", why, _NATIVE)
            return
        known = [native for native in natives if native is not None and native is not MISSING]
        if column.field.kind is Kind.DIVISION:
            yield from self._placed(name, known)
        elif column.field.kind is Kind.CODE:
            yield from self._codes(name, column, known)
        elif column.codec.form == "epoch_ms":
            yield from self._epoch(name, known)
        else:
            yield from self._read(name, column, known)

    def _placed(self, name: str, known: Sequence[object]) -> Iterable[Claim]:
        """Yield that codes are of another list, where that one has them all."""
        codes = [canonical(str(native)) or "" for native in known]
        systems, own = _systems(), self.department.divisions
        lost = [code for code in codes if code and not _is_listed(systems, own, code)]
        if len(lost) < _SOME:
            return
        for other in get_args(System):
            if other != own and all(_is_listed(systems, other, code) for code in codes):
                why = f"{len(lost)} of {len(codes)} are not in the list {own}, and all in {other}"
                write = f'Write divisions = "{other}".'
                place: Place = ("divisions",)
                yield Claim(f"divisions of {name}", Verdict.DISPROVED, why, place, write)

    def _codes(self, name: str, column: Column, known: Sequence[object]) -> Iterable[Claim]:
        unknown = [native for native in known if column.codec.decode(native) in (UNKNOWN, INVALID)]
        declared = [native for native in column.codec.known if isinstance(native, str)]
        for what, spell in _SPELLINGS:
            spelled = {spell(native): native for native in declared}
            other = sum(str(native) in spelled for native in unknown)
            if other:
                why = f"{other} of {len(known)} codes are those of the file, but {what}"
                codes = self._written(name).get("codes", {})
                # The file's own codes, spelled as the system spells them: no value of a record.
                listed = ", ".join(f'"{spell(code)}" = "{ours}"' for code, ours in codes.items())
                write = f"Write codes = {{ {listed} }}."
                yield self._wrong(f"codes of {name}", name, "codes", why, write)
                return

    def _epoch(self, name: str, known: Sequence[object]) -> Iterable[Claim]:
        seconds = sum(isinstance(native, int) and native in _SECONDS for native in known)
        if seconds * 2 > len(known):
            why = f"{seconds} of {len(known)} are seconds since 1970, not milliseconds"
            write = "Ask the department for milliseconds, or map another field."
            yield self._wrong(f"format of {name}", name, "format", why, write)

    def _read(self, name: str, column: Column, known: Sequence[object]) -> Iterable[Claim]:
        wrong = [native for native in known if column.codec.decode(native) is INVALID]
        if not wrong:
            return
        form = self._form(column, wrong)
        if form and len(wrong) == len(known):
            why = f"all {len(wrong)} are written otherwise"
            yield self._wrong(f"format of {name}", name, "format", why, f'Write format = "{form}".')
        elif form:
            why = f'{len(wrong)} of {len(known)} are written as "{form}"'
            write = "Ask the department for one format; these values are not shown."
            yield self._wrong(f"format of {name}", name, "format", why, write)
        elif len(wrong) == len(known):
            why = f"none of {len(wrong)} can be read as a {column.field.kind}"
            yield self._wrong(f"type of {name}", name, "type", why, "Write the type that it has.")

    def _form(self, column: Column, natives: Sequence[object]) -> str:
        kind = column.field.kind
        if kind is Kind.DATE:
            tried = {form: calendar(form).decode for form in _DATES}
        elif kind is Kind.DATETIME:
            zone = self.department.time_zone
            tried = {form: instant(form, zone).decode for form in _TIMES}
        else:
            return ""
        fits = (
            form
            for form, decode in tried.items()
            if form != column.codec.form and all(decode(each) is not INVALID for each in natives)
        )
        return next(fits, "")

    def _written(self, name: str) -> Mapping[str, Any]:
        written = self.department.written
        data = written.data if written else {}
        for step in ("entity", self.mapped.entity.name, "fields", name):
            data = data.get(step, {})
        return data

    def _wrong(self, name: str, field: str, option: str, why: str, write: str) -> Claim:
        place: Place = ("entity", self.mapped.entity.name, "fields", field, option)
        return Claim(name, Verdict.DISPROVED, why, place, write)


@cache
def _systems() -> CodeSystems:
    return CodeSystems()


def _is_listed(systems: CodeSystems, system: System, code: str) -> bool:
    ours = systems.reading(system).read(code)
    return ours is not None and systems.tree.get(ours) is not None


_NATIVE: Final = "Write native = the name that the system gives it."


def _one_zero(code: str) -> str:
    return f"0{code}"


def _without_zeros(code: str) -> str:
    return code.lstrip("0") or "0"


_SPELLINGS: Final = (
    ("with a zero before them", _one_zero),
    ("without zeros before them", _without_zeros),
    ("in capitals", str.upper),
    ("in small letters", str.lower),
)
