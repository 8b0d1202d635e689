"""One field of a mapping file: from what is written to a column with its codec."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from contract.document import Place
from contract.entity import UNKNOWN, Field, Kind, Sensitivity
from sources.codec import (
    boolean,
    calendar,
    code,
    decimal,
    division,
    instant,
    integer,
    money,
    numeral,
    text,
)
from sources.crosswalk import UNCHANGED, CodeReading
from sources.declaration import Codec, Column, Storage
from sources.finding import Findings, instead
from sources.mapping_model import FieldShape, Type

_FIELD_NAME: Final = re.compile(r"[a-z][A-Za-z0-9]*")
_CANONICAL: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_TWO_LANGUAGES: Final = re.compile(r"[^|]*[\u4e00-\u9fff][^|]* \| [^|]*[A-Za-z][^|]*")
_RESERVED: Final = frozenset({"id", "subject", "true", "false", "null"})
_RANK: Final = (Sensitivity.OPEN, Sensitivity.PERSONAL, Sensitivity.RESTRICTED)

_KINDS: Final[Mapping[Type, Kind]] = {
    "string": Kind.STRING,
    "code": Kind.CODE,
    "integer": Kind.INTEGER,
    "decimal": Kind.DECIMAL,
    "money": Kind.DECIMAL,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "division": Kind.DIVISION,
}
_STORAGES: Final[Mapping[Type, tuple[Storage, ...]]] = {  # the first is the default
    "string": ("text", "integer"),
    "code": ("text", "integer"),
    "integer": ("integer", "decimal"),
    "decimal": ("decimal", "integer", "float", "text"),
    "money": ("decimal", "integer", "float", "text"),
    "boolean": ("boolean", "integer", "text"),
    "date": ("text", "integer", "date"),
    "datetime": ("text", "integer", "timestamp", "timestamptz"),
    "division": ("text",),
}
_OPTIONS: Final[Mapping[str, tuple[Type, ...]]] = {
    "codes": ("code",),
    "codes_integer": ("code",),
    "labels": ("code",),
    "trim": ("string", "date", "datetime", "division"),
    "case": ("string",),
    "true": ("boolean",),
    "false": ("boolean",),
    "digits": ("division",),
    "format": ("date", "datetime"),
    "identifier": ("string",),
}
_FORMATS: Final[Mapping[tuple[Type, Storage], tuple[str, ...]]] = {
    ("date", "text"): ("yyyymmdd", "yyyymm", "iso"),
    ("date", "integer"): ("yyyymmdd", "yyyymm"),
    ("date", "date"): (),
    ("datetime", "text"): ("iso", "plain"),
    ("datetime", "integer"): ("epoch_ms",),
    ("datetime", "timestamp"): (),
    ("datetime", "timestamptz"): (),
}


@dataclass(frozen=True, slots=True)
class Written:
    """A field as it stands in the file; `expected` is what the schema says of it, if it does."""

    name: str
    shape: FieldShape
    expected: Field | None
    findings: Findings
    place: Place
    codes: CodeReading = UNCHANGED

    def wrong(self, what: str, write: str, *option: str) -> None:
        """Note a mistake of this field."""
        self.findings.add((*self.place, *option), f"{self.name}: {what}", write)


def column(written: Written, zone: str, *, of_a_person: bool) -> Column | None:
    """Return the field's column, or nothing after noting what is wrong."""
    before = len(written.findings.mistakes)
    kind = _type_of(written)
    storage = _storage(written, kind)
    _check_options(written, kind)
    if written.expected is None:
        _check_facet_field(written)
    else:
        _check_against_schema(written, written.expected, kind)
    codec = _codec(written, kind, storage, zone)
    if codec is None or len(written.findings.mistakes) > before:
        return None
    shape = written.shape
    field = written.expected or _facet_field(written, kind, of_a_person=of_a_person)
    field = _raised(field, shape.sensitivity)
    return Column(field, shape.native or "", codec, shape.identifier or "")


def check_name(name: str, findings: Findings, place: Place) -> None:
    """Note a name that cannot be a field of the graph, or that the graph uses itself."""
    if not _FIELD_NAME.fullmatch(name):
        write = 'Write a name like "startedOn": a small letter, then letters and digits.'
        findings.add(place, f'"{name}" cannot be the name of a field', write)
    elif name in _RESERVED:
        findings.add(place, f'"{name}" is a name the graph uses itself', "Write another name.")


def check_description(description: str | None, findings: Findings, place: Place) -> None:
    """Note a description that is not in two languages."""
    if description is None or not _is_bilingual(description):
        what = (
            "the description is not in both languages"
            if description
            else "a description is missing"
        )
        findings.add(place, what, 'Write description = "中文 | English".')


def _is_bilingual(text: str) -> bool:
    return _TWO_LANGUAGES.fullmatch(text) is not None


def _type_of(written: Written) -> Type:
    if written.shape.type:
        return written.shape.type
    if written.expected is None:
        return "code" if written.shape.codes else "string"
    if written.expected.kind is Kind.DECIMAL and written.expected.unit == "yuan":
        return "money"
    return next(name for name, kind in _KINDS.items() if kind is written.expected.kind)


def _storage(written: Written, kind: Type) -> Storage:
    stated = written.shape.storage or _implied_storage(written.shape, kind)
    if stated in _STORAGES[kind]:
        return stated
    allowed = " or ".join(f'"{storage}"' for storage in _STORAGES[kind])
    written.wrong(f'storage "{stated}" cannot hold a {kind}', f"Write {allowed}.", "storage")
    return _STORAGES[kind][0]


def _implied_storage(shape: FieldShape, kind: Type) -> Storage:
    if shape.format == "epoch_ms" or (kind == "code" and shape.codes_integer):
        return "integer"
    if kind == "boolean" and shape.true is not None and not isinstance(shape.true, bool):
        return "integer" if isinstance(shape.true, int) else "text"
    return _STORAGES[kind][0]


def _check_options(written: Written, kind: Type) -> None:
    for option in written.shape.model_fields_set & _OPTIONS.keys():
        if kind not in _OPTIONS[option]:
            allowed = " or ".join(f'"{name}"' for name in _OPTIONS[option])
            what = f"{option} does not go with type {kind}"
            written.wrong(what, f"Leave {option} out, or write type = {allowed}.", option)


def _check_facet_field(written: Written) -> None:
    check_name(written.name, written.findings, written.place)
    place = (*written.place, "description")
    check_description(written.shape.description, written.findings, place)
    if written.shape.codes and written.shape.labels:
        _check_labels(written, _canonical(written.shape), written.shape.labels)


def _check_labels(written: Written, codes: tuple[str, ...], labels: Mapping[str, str]) -> None:
    for canonical, label in labels.items():
        if canonical not in codes:
            what = f'there is no code "{canonical}" to label'
            written.wrong(what, instead(canonical, codes), "labels", canonical)
        elif not _is_bilingual(label):
            what = f'the label of "{canonical}" is not in both languages'
            written.wrong(what, f'Write {canonical} = "中文 | English".', "labels", canonical)
    for canonical in codes:
        if canonical not in labels:
            what = f'the code "{canonical}" has no label'
            written.wrong(what, f'Write {canonical} = "中文 | English" under labels.', "labels")


def _check_against_schema(written: Written, expected: Field, kind: Type) -> None:
    shape = written.shape
    if _KINDS[kind] is not expected.kind:
        write = f'Write type = "{expected.kind}".'
        written.wrong(f"the schema says it is a {expected.kind}, not a {kind}", write, "type")
    for native, canonical in (shape.codes or {}).items():
        if canonical not in (*expected.codes, UNKNOWN):
            what = f'the schema has no code "{canonical}"'
            written.wrong(what, instead(canonical, expected.codes), "codes", native)
    if shape.labels:
        written.wrong("the schema says what its codes mean", "Leave labels out.", "labels")
    if shape.nullable and not expected.nullable:
        what = "the schema says it is never null"
        written.wrong(what, "Leave nullable out.", "nullable")
    if shape.sensitivity and _rank(shape.sensitivity) < _rank(expected.sensitivity):
        what = (
            f"the schema says it is {expected.sensitivity}; a mapping may raise that, not lower it"
        )
        written.wrong(what, "Leave sensitivity out.", "sensitivity")


def _rank(sensitivity: str) -> int:
    return _RANK.index(Sensitivity(sensitivity))


def _raised(field: Field, sensitivity: str | None) -> Field:
    return replace(field, sensitivity=Sensitivity(sensitivity)) if sensitivity else field


def _facet_field(written: Written, kind: Type, *, of_a_person: bool) -> Field:
    shape = written.shape
    default = Sensitivity.PERSONAL if of_a_person else Sensitivity.OPEN
    codes, labels = _canonical(shape), shape.labels
    return Field(
        name=written.name,
        kind=_KINDS[kind],
        description=shape.description or "",
        nullable=shape.nullable is not False,
        sensitivity=Sensitivity.RESTRICTED if shape.identifier else default,
        unit="yuan" if kind == "money" else shape.unit or "",
        codes=codes,
        code_labels=tuple(labels[canonical] for canonical in codes) if labels else (),
        restates=tuple(shape.restates),
    )


def _canonical(shape: FieldShape) -> tuple[str, ...]:
    codes = dict.fromkeys((shape.codes or {}).values())
    return tuple(canonical for canonical in codes if canonical != UNKNOWN)


def _codec(written: Written, kind: Type, storage: Storage, zone: str) -> Codec | None:
    shape = written.shape
    match kind:
        case "string" if storage == "integer":
            return numeral()
        case "string":
            return text(trim=shape.trim, upper=shape.case == "upper")
        case "code":
            return _code(written, storage)
        case "integer":
            return integer(storage)
        case "decimal":
            return decimal(storage)
        case "money":
            return _money(written, storage)
        case "boolean":
            return _boolean(written, storage)
        case "division":
            return division(shape.digits, trim=shape.trim, reading=written.codes)
        case _:
            return _dated(written, kind, storage, zone)


def _dated(written: Written, kind: Type, storage: Storage, zone: str) -> Codec | None:
    shape, formats = written.shape, _FORMATS[kind, storage]
    if shape.format not in (formats or (None,)):
        what = f"a {kind} kept as {storage} needs a format" if formats else "format is not needed"
        known = " or ".join(f'format = "{name}"' for name in formats)
        write = f"Write {known}." if formats else f'Leave format out where storage is "{storage}".'
        written.wrong(what, write, "format")
        return None
    if kind == "date":
        return calendar(shape.format or "iso", storage, trim=shape.trim)
    return instant(shape.format or "plain", zone, storage, trim=shape.trim)


def _money(written: Written, storage: Storage) -> Codec | None:
    if written.shape.unit not in ("yuan", "fen"):
        written.wrong("money needs its unit", 'Write unit = "yuan" or unit = "fen".', "unit")
        return None
    return money(written.shape.unit, storage)


def _boolean(written: Written, storage: Storage) -> Codec | None:
    true, false = written.shape.true, written.shape.false
    if true is None and false is None and storage == "boolean":
        return boolean()
    kind = {"boolean": bool, "integer": int, "text": str}[storage]
    if type(true) is kind and type(false) is kind and true != false:
        return boolean(true, false)
    what = f"yes and no kept as {storage} need both spellings, of that type and different"
    written.wrong(what, 'Write for example true = "1", false = "0".')
    return None


def _code(written: Written, storage: Storage) -> Codec | None:
    before = len(written.findings.mistakes)
    natives: dict[object, str] = {}
    if not written.shape.codes:
        write = 'Write codes = { "native" = "CANONICAL" }.'
        written.wrong("a code needs its code set", write, "codes")
    for native, canonical in (written.shape.codes or {}).items():
        _check_code(written, native, canonical)
        natives[_native_code(written, native, storage)] = canonical
    return code(natives) if len(written.findings.mistakes) == before else None


def _check_code(written: Written, native: str, canonical: str) -> None:
    if not _CANONICAL.fullmatch(canonical):
        what = f'"{canonical}" cannot be a code of the graph'
        written.wrong(what, "Write capital letters, digits and _ only.", "codes", native)
    if native != native.rstrip(" "):
        what = f'the native code "{native}" ends in blanks, which never count'
        written.wrong(what, f'Write "{native.rstrip(" ")}".', "codes", native)


def _native_code(written: Written, native: str, storage: Storage) -> Any:
    if storage == "text":
        return native
    if re.fullmatch(r"-?[0-9]+", native):
        return int(native)
    what = f'the native code "{native}" is no whole number'
    written.wrong(what, "Write a number, or leave codes_integer out.", "codes", native)
    return native
