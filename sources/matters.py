"""
The province's catalogue of matters, one file a department, as rows of the graph.

A file says once what all its matters share: element texts and materials; a matter names the
materials it asks for and writes only the elements that differ. Knows no principal.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from contract.document import Document, Mistake, Mistakes, Place, load

CLASSES_FILE: Final = "element_classes.toml"
TASK_TYPES: Final = {
    "01": "LICENCE",
    "02": "PENALTY",
    "03": "COERCION",
    "04": "LEVY",
    "05": "BENEFIT",
    "06": "INSPECTION",
    "07": "CONFIRMATION",
    "08": "AWARD",
    "09": "RULING",
    "10": "OTHER",
    "20": "PUBLIC_SERVICE",
}
PROJECT_TYPES: Final = {"1": "IMMEDIATE", "2": "PROMISED"}
SERVED: Final = {
    "1": "NATURAL_PERSON",
    "2": "COMPANY",
    "3": "INSTITUTION",
    "4": "SOCIAL_ORGANISATION",
    "5": "UNINCORPORATED",
    "9": "OTHER",
}
_HINTS: Final = {
    "missing": "Write it",
    "extra_forbidden": "Remove it, or correct its spelling",
}

Row: TypeAlias = dict[str, object]
Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, pattern=r"(?s)^\S(.*\S)?$")]
Elements: TypeAlias = dict[str, Text | Annotated[list[Text], Field(min_length=1)]]


def _one_of(codes: Mapping[str, str]) -> AfterValidator:
    def check(code: str) -> str:
        if code not in codes:
            raise ValueError(f"{code!r} is none of {', '.join(codes)}")
        return code

    return AfterValidator(check)


class CatalogueMistakes(Mistakes, ValueError):
    """Everything that is wrong in the catalogue, at once."""


class Closed(BaseModel):
    """A table of a catalogue file: no other keys, no other types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ElementClass(Closed):
    """One class of elements, in the order they are shown."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]*$")]
    title: Text


class ElementClasses(Closed):
    """The classes that every matter must write."""

    classes: list[ElementClass] = Field(alias="class", min_length=1)


class Material(Closed):
    """One thing to hand in, or that a department shares so that nobody need hand it in."""

    name: Text
    required: bool
    form: Literal["ORIGINAL", "COPY", "BOTH"]
    medium: Literal["PAPER", "ELECTRONIC", "BOTH"]
    number: int = Field(ge=1)
    provided_by: Literal["APPLICANT", "SHARED"]
    shared_by: Text | None = None
    standard: Text
    legal_basis: str
    needs: list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z]+\.[A-Za-z]+$")]] = []

    @model_validator(mode="after")
    def _sharer(self) -> Self:
        if (self.provided_by == "SHARED") != (self.shared_by is not None):
            raise ValueError("shared_by names a department where, and only where, it is SHARED")
        return self


class Matter(Closed):
    """One matter as its file writes it."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
    name: Text
    task_type: Annotated[str, _one_of(TASK_TYPES)]
    project_type: Annotated[str, _one_of(PROJECT_TYPES)]
    served: list[Annotated[str, _one_of(SERVED)]] = Field(min_length=1)
    statutory_working_days: int | None = Field(default=None, ge=1)
    promised_working_days: int = Field(ge=0)
    application_form: Text | None = None
    materials: list[str] = Field(min_length=1)
    elements: Elements = Field(default_factory=dict)

    @model_validator(mode="after")
    def _days(self) -> Self:
        if (self.project_type == "1") != (self.promised_working_days == 0):
            raise ValueError(
                "a matter is promised in 0 working days where, and only where, project_type is 1"
            )
        statutory = self.statutory_working_days
        if statutory is not None and self.promised_working_days > statutory:
            raise ValueError("more working days are promised than the statute allows")
        return self


class Catalogue(Closed):
    """The matters of one department and what they share."""

    department: Text
    version: Text
    effective: date
    elements: Elements
    material: dict[str, Material]
    matter: list[Matter] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Element:
    """What a matter says in one class."""

    code: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class MatterRecord:
    """A matter with everything its file says of it, elements and materials in their order."""

    catalogue: Catalogue
    matter: Matter
    elements: tuple[Element, ...]
    materials: tuple[Material, ...]


@dataclass(frozen=True, slots=True)
class MatterRows:
    """
    The catalogue as rows, named as in the graph.

    Keys: matters by code, elements by matterCode and class, materials by matterCode and position.
    """

    matters: list[Row]
    elements: list[Row]
    materials: list[Row]


_Model = TypeVar("_Model", bound=Closed)


def load_matters(folder: Path) -> tuple[MatterRecord, ...]:
    """
    Return the matters of all files in the folder, by code.

    Raises: CatalogueMistakes with every mistake of every file, by file and line.
    """
    return _Reader().read(folder)


class _Reader:
    """Reads a folder's files, collecting what is wrong instead of stopping at it."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.places: dict[str, str] = {}

    def read(self, folder: Path) -> tuple[MatterRecord, ...]:
        classes = self._parse(folder / CLASSES_FILE, ElementClasses)
        paths = sorted(path for path in folder.glob("*.toml") if path.name != CLASSES_FILE)
        if not paths:
            self.mistakes.append(Mistake(str(folder), 1, "no matters here", "Add a file."))
        parsed = [self._parse(path, Catalogue) for path in paths]
        if classes:
            for found in filter(None, parsed):
                self.mistakes.extend(self._contradictions(*found, classes[1]))
        if self.mistakes or not classes:
            raise CatalogueMistakes(tuple(self.mistakes))
        records = [
            _record(found[1], m, classes[1]) for found in parsed if found for m in found[1].matter
        ]
        return tuple(sorted(records, key=lambda record: record.matter.code))

    def _parse(self, path: Path, model: type[_Model]) -> tuple[Document, _Model] | None:
        try:
            document = load(path)
        except Mistakes as mistakes:
            self.mistakes.extend(mistakes.mistakes)
            return None
        try:
            return document, model.model_validate(document.data)
        except ValidationError as error:
            self.mistakes.extend(_invalid(document, error))
            return None

    def _contradictions(
        self, document: Document, catalogue: Catalogue, classes: ElementClasses
    ) -> Iterator[Mistake]:
        yield from _unknown_classes(document, catalogue, classes)
        yield from _unused_materials(document, catalogue)
        for number, matter in enumerate(catalogue.matter):
            place: Place = ("matter", number)
            yield from _missing_classes(
                document, place, {**catalogue.elements, **matter.elements}, classes
            )
            yield from _wrong_materials(document, (*place, "materials"), matter, catalogue)
            if first := self.places.get(matter.code):
                what = f"{_field((*place, 'code'))}: {matter.code} is taken by {first}"
                yield document.mistake((*place, "code"), what, "Give it a number of its own.")
            self.places.setdefault(
                matter.code, f"{document.file}:{document.line_of(*place, 'code')}"
            )


def _invalid(document: Document, error: ValidationError) -> Iterator[Mistake]:
    for detail in error.errors(include_url=False):
        place: Place = detail["loc"]
        hint = _HINTS.get(detail["type"], "Correct the value")
        what = f"{_field(place)}: {detail['msg'].removeprefix('Value error, ')}"
        yield document.mistake(place, what, f"{hint}.")


def _field(place: Place) -> str:
    return ".".join(map(str, place))


def _unknown_classes(
    document: Document, catalogue: Catalogue, classes: ElementClasses
) -> Iterator[Mistake]:
    known = {each.code for each in classes.classes}
    places: list[tuple[Place, Elements]] = [(("elements",), catalogue.elements)]
    places += [(("matter", i, "elements"), m.elements) for i, m in enumerate(catalogue.matter)]
    for place, elements in places:
        for code in sorted(elements.keys() - known):
            what = f"{_field((*place, code))}: no such class of elements"
            yield document.mistake((*place, code), what, f"See {CLASSES_FILE}.")


def _missing_classes(
    document: Document, place: Place, elements: Elements, classes: ElementClasses
) -> Iterator[Mistake]:
    for each in classes.classes:
        if each.code not in elements:
            what = f"{_field((*place, 'elements', each.code))}: {each.title} is not written"
            yield document.mistake((*place, "elements"), what, "Write it here, or for all matters.")


def _unused_materials(document: Document, catalogue: Catalogue) -> Iterator[Mistake]:
    used = {key for matter in catalogue.matter for key in matter.materials}
    for key in sorted(catalogue.material.keys() - used):
        yield document.mistake(("material", key), f"material.{key}: not asked for", "Remove it.")


def _wrong_materials(
    document: Document, place: Place, matter: Matter, catalogue: Catalogue
) -> Iterator[Mistake]:
    for number, key in enumerate(matter.materials):
        if key not in catalogue.material:
            what = f"{_field(place)}: no material is called {key!r}"
            yield document.mistake((*place, number), what, f"Add [material.{key}].")
        if key in matter.materials[:number]:
            what = f"{_field(place)}: {key!r} is asked for twice"
            yield document.mistake((*place, number), what, "Remove one; `number` says how many.")


def _record(catalogue: Catalogue, matter: Matter, classes: ElementClasses) -> MatterRecord:
    texts = {**catalogue.elements, **matter.elements}
    elements = tuple(Element(c.code, c.title, _text(texts[c.code])) for c in classes.classes)
    materials = tuple(catalogue.material[key] for key in matter.materials)
    return MatterRecord(catalogue, matter, elements, materials)


def _text(words: str | list[str]) -> str:
    return words if isinstance(words, str) else "\n".join(words)


def matter_rows(records: Iterable[MatterRecord]) -> MatterRows:
    """Return the rows of the graph: matters, their elements and their materials, in order."""
    listed = list(records)
    return MatterRows(
        [_matter_row(record) for record in listed],
        [row for record in listed for row in _element_rows(record)],
        [row for record in listed for row in _material_rows(record)],
    )


def _matter_row(record: MatterRecord) -> Row:
    matter, catalogue = record.matter, record.catalogue
    return {
        "code": matter.code,
        "name": matter.name,
        "department": catalogue.department,
        "kind": PROJECT_TYPES[matter.project_type],
        "taskType": TASK_TYPES[matter.task_type],
        "served": ",".join(SERVED[code] for code in matter.served),
        "version": catalogue.version,
        "effectiveDate": catalogue.effective,
        "statutoryWorkingDays": matter.statutory_working_days,
        "promisedWorkingDays": matter.promised_working_days,
        "applicationForm": matter.application_form,
    }


def _element_rows(record: MatterRecord) -> Iterator[Row]:
    for position, element in enumerate(record.elements, 1):
        yield {
            "matterCode": record.matter.code,
            "class": element.code,
            "title": element.title,
            "text": element.text,
            "position": position,
        }


def _material_rows(record: MatterRecord) -> Iterator[Row]:
    for position, material in enumerate(record.materials, 1):
        yield {
            "matterCode": record.matter.code,
            "position": position,
            "name": material.name,
            "required": material.required,
            "form": material.form,
            "medium": material.medium,
            "number": material.number,
            "providedBy": material.provided_by,
            "sharedBy": material.shared_by,
            "standard": material.standard,
            "legalBasis": material.legal_basis or None,
        }
