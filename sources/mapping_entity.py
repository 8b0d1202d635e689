"""One entity of a mapping file: a core type as one system holds it, or a facet of its own."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from contract.document import Place
from contract.entity import Entity, Field, Kind, Relationship, Sensitivity
from contract.predicate import Value
from sources.crosswalk import UNCHANGED, CodeReading
from sources.declaration import Attachment, Column, Drop, Endpoint, MappedEntity
from sources.finding import Findings, instead, nearest
from sources.mapping_cache import cache
from sources.mapping_drop import drop, refuse_drop
from sources.mapping_endpoint import Columns, endpoint, refuse_endpoint
from sources.mapping_field import Written, check_description, check_name, column
from sources.mapping_graphql import graphql_endpoint
from sources.mapping_home import check_constant, home
from sources.mapping_model import PERSON, AttachShape, EntityShape, FieldShape, SubjectShape

SUBJECT: Final = "subject"
_ENTITY_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_RESERVED: Final = frozenset(
    {"Query", "Mutation", "Subscription", "String", "Int", "Float", "Boolean", "ID"}
    | {"Date", "DateTime", "Decimal", "Node", "PageInfo", "Order"}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an entity is read with: its name, the file's head, the schema, and where to complain."""

    name: str
    kind: str
    zone: str
    core: Mapping[str, Entity]
    findings: Findings
    codes: CodeReading = UNCHANGED

    @property
    def place(self) -> Place:
        """Return where the entity stands in the file."""
        return ("entity", self.name)

    @property
    def expected(self) -> Entity | None:
        """Return what the schema says of the entity, for a core type."""
        return self.core.get(self.name)

    def wrong(self, what: str, write: str, *place: str | int) -> None:
        """Note a mistake of this entity."""
        self.findings.add((*self.place, *place), what, write)


def read_entity(reading: Reading, data: object) -> MappedEntity | None:
    """Return the entity, or nothing where its own table cannot be read; mistakes are noted."""
    shape = reading.findings.shaped(EntityShape, data, reading.place)
    columns = _columns(reading, data if isinstance(data, dict) else {})
    if shape is None:
        return None
    constants = _constants(reading, data)
    names = _Names(reading, shape, columns, constants)
    expected = reading.expected
    entity = _core_entity(names, expected) if expected else _facet(names)
    attachments = tuple(
        attachment
        for position, attach in enumerate(shape.attach)
        if (attachment := _attachment(names, attach, position))
    )
    return MappedEntity(
        entity=entity,
        native=shape.native if reading.kind == "sql" else "",
        columns={name: column for name, column in columns.items() if column},
        attachments=attachments,
        endpoint=_endpoint(reading, shape, columns),
        line=reading.findings.document.line_of(*reading.place),
        drop=_drop(reading, shape),
        constants=constants,
        home=home(shape, reading.expected, reading.findings, reading.place),
        cache=cache(shape),
    )


def _endpoint(reading: Reading, shape: EntityShape, columns: Columns) -> Endpoint | None:
    refuse_endpoint(shape, reading.kind, reading.findings, reading.place)
    if reading.kind == "rest":
        return endpoint(shape, columns, reading.findings, reading.place)
    if reading.kind == "graphql":
        return graphql_endpoint(shape, columns, reading.findings, reading.place)
    return None


def _drop(reading: Reading, shape: EntityShape) -> Drop | None:
    if reading.kind == "file":
        return drop(shape, reading.findings, reading.place)
    refuse_drop(shape, reading.findings, reading.place)
    return None


def _columns(reading: Reading, data: Mapping[str, Any]) -> dict[str, Column | None]:
    fields = data.get("fields")
    if not isinstance(fields, dict):
        return {}
    of_a_person = _is_personal(data.get("subject"), reading.core)
    return {
        name: _column(reading, name, written, of_a_person=of_a_person)
        for name, written in fields.items()
        if not _is_constant(written)
    }


def _constants(reading: Reading, data: object) -> dict[str, Value]:
    fields = data.get("fields") if isinstance(data, dict) else None
    constants: dict[str, Value] = {}
    for name, written in fields.items() if isinstance(fields, dict) else ():
        place = (*reading.place, "fields", name)
        if _is_constant(written) and (shape := reading.findings.shaped(FieldShape, written, place)):
            expected = reading.expected.fields.get(name) if reading.expected else None
            check_constant(shape, expected, reading.findings, place)
            constants[name] = shape.constant or ""
    return constants


def _is_constant(written: object) -> bool:
    return isinstance(written, dict) and "constant" in written


def _is_personal(subject: object, core: Mapping[str, Entity]) -> bool:
    """Return whether what the rows are about has fields that are not open."""
    about = core.get(str(subject.get("to"))) if isinstance(subject, dict) else core.get(PERSON)
    fields = about.fields.values() if subject and about else ()
    return any(field.sensitivity is not Sensitivity.OPEN for field in fields)


def _column(reading: Reading, name: str, data: object, *, of_a_person: bool) -> Column | None:
    place = (*reading.place, "fields", name)
    expected: Field | None = None
    if reading.expected:
        expected = reading.expected.fields.get(name)
        if expected is None:
            what = f'{reading.name} has no field "{name}" in the schema'
            reading.findings.add(place, what, instead(name, reading.expected.fields))
    shape = reading.findings.shaped(FieldShape, data, place)
    if shape is None or (reading.expected and expected is None):
        return None
    if shape.native is None:
        reading.findings.add((*place, "native"), 'the key "native" is missing', "Write native = ….")
        return None
    written = Written(name, shape, expected, reading.findings, place, reading.codes)
    return column(written, reading.zone, of_a_person=of_a_person)


@dataclass(frozen=True, slots=True)
class _Names:
    """The entity's fields, by their own names and by native ones."""

    reading: Reading
    shape: EntityShape
    columns: Columns
    constants: Mapping[str, Value]

    def field(self, name: str, *place: str | int) -> str:
        """Return the field a name means; any other name is a mistake and stays as it is."""
        if name in self.columns:
            return name
        meant = self._of_native(name)
        if len(meant) == 1:
            return meant[0]
        if meant:
            what = f'the native "{name}" is the source of several fields'
            self.reading.wrong(what, f"Write one of {', '.join(meant)}.", *place)
        else:
            what = f'"{name}" is neither a field of this entity nor the native of one'
            natives = [entry.native for entry in self.columns.values() if entry]
            near = nearest(name, [*self.columns, *natives])
            write = f"Write {near}." if near else f'Add a field with native = "{name}".'
            self.reading.wrong(what, write, *place)
        return name

    def _of_native(self, native: str) -> list[str]:
        fields = self.reading.findings.document.data["entity"][self.reading.name]["fields"]
        return [
            name
            for name, written in fields.items()
            if isinstance(written, dict) and written.get("native") == native
        ]

    def fields(self, names: Iterable[str], place: str) -> tuple[str, ...]:
        """Return the fields that names mean, in order."""
        return tuple(self.field(name, place, at) for at, name in enumerate(names))

    def mapped(self) -> dict[str, Field]:
        """Return the fields that are right."""
        return {name: entry.field for name, entry in self.columns.items() if entry}


def _core_entity(names: _Names, expected: Entity) -> Entity:
    reading, shape = names.reading, names.shape
    for name, field in expected.fields.items():
        if not field.nullable and name not in {*names.columns, *names.constants}:
            what = f"{reading.name}.{name} is never null in the schema, but is not mapped"
            reading.wrong(what, f'Write {name} = {{ native = "…" }} under fields.', "fields")
    for option in ("attach", "subject"):
        if getattr(shape, option):
            what = f"{option} of {reading.name} comes from the schema"
            reading.wrong(what, f"Leave {option} out.", option)
    if shape.key and names.fields(shape.key, "key") != expected.key:
        what = f"the key of {reading.name} is {', '.join(expected.key)}"
        reading.wrong(what, "Leave key out: the schema says it.", "key")
    return replace(expected, fields=names.mapped(), as_of=_as_of(names))


def _as_of(names: _Names) -> str:
    if not names.shape.as_of:
        return ""
    name = names.field(names.shape.as_of, "as_of")
    entry = names.columns.get(name)
    if entry and entry.field.kind not in (Kind.DATE, Kind.DATETIME):
        what = f"{name} is a {entry.field.kind}, no time of change"
        names.reading.wrong(what, "Name a date or a datetime.", "as_of")
    return name


def _facet(names: _Names) -> Entity:
    reading, shape = names.reading, names.shape
    _check_facet(names)
    key = names.fields(shape.key or (), "key")
    fields = names.mapped()
    for name in key:
        if name in fields:
            fields[name] = replace(fields[name], nullable=False)
    relationships: dict[str, Relationship] = {}
    if shape.subject:
        relationships[SUBJECT] = _subject(names, shape.subject)
    return Entity(
        reading.name,
        fields,
        key,
        relationships,
        SUBJECT if shape.subject else None,
        shape.description or "",
        _as_of(names),
    )


def _check_facet(names: _Names) -> None:
    reading, shape = names.reading, names.shape
    if not _ENTITY_NAME.fullmatch(reading.name):
        write = 'Write a name like "MedicalEnrollment": a capital letter, then letters and digits.'
        reading.wrong(f'"{reading.name}" cannot be the name of an entity', write)
    elif reading.name in _RESERVED:
        what = f'"{reading.name}" is a name the graph uses itself'
        reading.wrong(what, "Write another name.")
    if not shape.attach:
        meant = nearest(reading.name, reading.core)
        write = "Write attach = { to = …, field = …, by = {…} }."
        what = f"{reading.name} is no entity of the schema and has no attach"
        reading.wrong(what, f"Write [entity.{meant}]." if meant else write)
    if not shape.key:
        reading.wrong("the key is missing", 'Write key = ["…"], the surrogate key of the system.')
    check_description(shape.description, reading.findings, (*reading.place, "description"))
    _check_restated(names)


def _check_restated(names: _Names) -> None:
    """Note what is said of a core entity that the facet does not hang from."""
    hung_from = {attach.to for attach in names.shape.attach}
    for name, field in names.mapped().items():
        for told in field.restates:
            core, _, meant = told.partition(".")
            known = names.reading.core.get(core)
            expected = known.fields.get(meant) if known and core in hung_from else None
            if expected is None or expected.kind is not field.kind:
                what = f'"{told}" is no field of the same type that this facet can restate'
                write = 'Write a field of the entity it hangs from, such as "Resident.name".'
                names.reading.wrong(what, write, "fields", name, "restates")


def _subject(names: _Names, subject: SubjectShape) -> Relationship:
    reading, target = names.reading, names.reading.core.get(subject.to)
    joined = tuple((names.field(own, "subject"), other) for own, other in subject.by.items())
    for own, other in joined:
        if target is None or other not in target.fields:
            what = f"the schema has no {subject.to}.{other} for a subject"
            reading.wrong(what, "Leave subject out.", "subject")
        else:
            _check_same_kind(names, own, target.fields[other], "subject")
    about = "本人 | The person concerned" if subject.to == PERSON else "所属对象 | What it is about"
    return Relationship(SUBJECT, subject.to, joined, description=about)


def _check_same_kind(names: _Names, own: str, target: Field, *place: str | int) -> None:
    entry = names.columns.get(own)
    if entry and entry.field.kind is not target.kind:
        what = f"{own} is a {entry.field.kind}, but {target.name} is a {target.kind}"
        names.reading.wrong(what, "Join fields of one type.", *place)


def _attachment(names: _Names, attach: AttachShape, position: int) -> Attachment | None:
    reading, place = names.reading, ("attach", position)
    if reading.expected:
        return None
    target = reading.core.get(attach.to)
    at = (*reading.place, *place, "field")
    check_name(attach.field, reading.findings, at)
    if target is None:
        what = f'the schema has no entity "{attach.to}"'
        reading.wrong(what, instead(attach.to, reading.core), *place, "to")
        return None
    if attach.field in target.fields or attach.field in target.relationships:
        what = f"{attach.to} already has {attach.field}"
        reading.wrong(what, "Write another name for the field.", *place, "field")
    joined = tuple((names.field(own, *place, "by", own), other) for own, other in attach.by.items())
    for written, (own, other) in zip(attach.by, joined, strict=True):
        if other in target.fields:
            _check_same_kind(names, own, target.fields[other], *place, "by", written)
        else:
            what = f'{attach.to} has no field "{other}"'
            reading.wrong(what, instead(other, target.fields), *place, "by", written)
    return Attachment(attach.to, attach.field, joined, attach.many)
