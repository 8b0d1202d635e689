"""
Mapping files: departments/*.toml to departments, with every mistake of every file at once.

A file is read piece by piece (head, entities, fields), so that a mistake in one piece hides none in
another. Knows no principal and contacts no system.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from contract.document import Document, Mistake, Mistakes, Place, load
from contract.entity import Entity, Relationship
from sources.code_systems import CodeSystems
from sources.crosswalk import UNCHANGED
from sources.declaration import REFRESH_SECONDS, Budget, Department, MappedEntity, Signature
from sources.environment import filled, is_variable
from sources.finding import Findings
from sources.maintenance import Maintenance
from sources.mapping_cache import check_caches
from sources.mapping_entity import Reading, read_entity
from sources.mapping_home import Claimed, check_homes
from sources.mapping_model import BudgetShape, FileShape, SignatureShape

Environment: TypeAlias = Mapping[str, str] | None

_DIVISION: Final = re.compile(r"[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}")
_HTTP: Final = (re.compile(r"https?://[^/]+.*"), 'Write an address such as "https://…".')
_ADDRESSES: Final = {
    "sql": (
        re.compile(r"[a-z0-9_]+\+[A-Za-z0-9_]+://.+"),
        'Write an address with an async driver, such as "postgresql+asyncpg://…".',
    ),
    "rest": _HTTP,
    "graphql": _HTTP,
    "file": (re.compile(r"file:.+"), 'Write "file:" and the directory that files are dropped in.'),
}
_OPTIONS: Final = {"signature": ("rest", "graphql"), "collation": ("sql",), "refresh": ("file",)}
"""Options of the head that go with some kinds of system alone."""
_SIGNED_BY: Final = {"header": ("value",), "hmac": ("key", "secret")}


def load_departments(
    folder: Path,
    core: Mapping[str, Entity],
    environment: Environment,
    systems: CodeSystems | None = None,
) -> tuple[Department, ...]:
    """
    Return the departments of all mapping files directly in the folder, by file name.

    Without an environment addresses and secrets stay as they are written: enough for the schema.
    `systems`: how their division codes are read; the lists of today when left out.
    Raises: Mistakes, with all mistakes of all files.
    """
    if not folder.is_dir():
        write = "Name the folder that holds the mapping files."
        raise Mistakes((Mistake(str(folder), 1, "there is no such folder", write),))
    return load_files(sorted(folder.glob("*.toml")), core, environment, systems)


def load_files(
    paths: Iterable[Path],
    core: Mapping[str, Entity],
    environment: Environment,
    systems: CodeSystems | None = None,
) -> tuple[Department, ...]:
    """
    Return the departments of these mapping files, checked against each other and no others.

    Raises: Mistakes, with all mistakes of all files.
    """
    findings, mistakes = _opened(paths)
    systems = systems or CodeSystems()
    departments = [_department(found, core, environment, systems) for found in findings]
    _check_homes(findings, departments, core)
    _check_free_fields(findings)
    read = zip(findings, departments, strict=True)
    check_caches([(found, department) for found, department in read if department], core)
    mistakes += [mistake for found in findings for mistake in found.mistakes]
    if mistakes:
        raise Mistakes(tuple(sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line))))
    return tuple(department for department in departments if department)


def attached(
    departments: tuple[Department, ...],
) -> Mapping[str, tuple[tuple[Relationship, MappedEntity], ...]]:
    """Return, for each core entity that facets hang from, the relationships they add to it."""
    added: dict[str, tuple[tuple[Relationship, MappedEntity], ...]] = {}
    for department in departments:
        for mapped in department.entities.values():
            for attachment in mapped.attachments:
                relationship = Relationship(
                    attachment.field,
                    mapped.entity.name,
                    tuple((other, own) for own, other in attachment.on),
                    attachment.many,
                    mapped.entity.description,
                )
                before = added.get(attachment.to, ())
                added[attachment.to] = (*before, (relationship, mapped))
    return added


def _opened(paths: Iterable[Path]) -> tuple[list[Findings], list[Mistake]]:
    findings: list[Findings] = []
    mistakes: list[Mistake] = []
    for path in paths:
        try:
            findings.append(Findings(load(path)))
        except Mistakes as error:
            mistakes += error.mistakes
    return findings, mistakes


def _department(
    findings: Findings, core: Mapping[str, Entity], environment: Environment, systems: CodeSystems
) -> Department | None:
    document = findings.document
    _check_variables(findings)
    head = _Head(findings, environment).read()
    kind, zone = str(document.data.get("kind", "")), _zone(findings)
    codes = systems.reading(head.divisions, head.divisions_since) if head else UNCHANGED
    entities: dict[str, MappedEntity] = {}
    for name, data in _tables(document).items():
        entity = read_entity(Reading(name, kind, zone, core, findings, codes), data)
        if entity:
            entities[name] = entity
    if head is None:
        return None
    maintenance = replace(head.maintenance, zone=zone)
    return replace(
        head,
        entities=entities,
        time_zone=zone,
        maintenance=maintenance,
        codes_fingerprint=codes.fingerprint,
    )


def _zone(findings: Findings) -> str:
    zone = findings.document.data.get("time_zone", "Asia/Shanghai")
    try:
        return ZoneInfo(zone).key
    except (KeyError, ValueError, TypeError, OSError):
        what = "time_zone is not known"
        findings.add(("time_zone",), what, 'Write a zone such as "Asia/Shanghai".')
        return "UTC"


@dataclass(frozen=True, slots=True)
class _Head:
    """What a file says before its entities."""

    findings: Findings
    environment: Environment

    def read(self) -> Department | None:
        data = dict(self.findings.document.data)
        given = self._fill(data)
        shape = self.findings.shaped(FileShape, data, ())
        if shape is None:
            return None
        self._check(shape, given=given)
        return Department(
            name=shape.name,
            title=shape.title,
            department=shape.department,
            kind=shape.kind,
            url=shape.url,
            entities={},
            budget=_budget(shape.budget),
            divisions=shape.divisions,
            divisions_since=shape.divisions_since,
            coverage=tuple(shape.coverage),
            freshness_seconds=shape.freshness,
            maintenance=Maintenance(tuple(shape.maintenance)),
            binary_collation=shape.collation == "binary",
            signature=self._signature(shape.signature),
            file=self.findings.document.file,
            refresh_seconds=shape.refresh or REFRESH_SECONDS,
            written=self.findings.document,
        )

    def _fill(self, data: dict[str, Any]) -> bool:
        before = len(self.findings.mistakes)
        data["url"] = self._filled(("url",), data.get("url"))
        if data["url"] is None:
            del data["url"]
        if isinstance(data.get("signature"), dict):
            data["signature"] = {
                key: self._filled(("signature", key), value)
                for key, value in data["signature"].items()
            }
        return self.environment is not None and len(self.findings.mistakes) == before

    def _filled(self, place: Place, value: Any) -> Any:
        if not isinstance(value, str) or self.environment is None:
            return value
        answer = filled(value, self.environment)
        if isinstance(answer, str):
            return answer
        for absent in answer:
            write = f"Set {absent.name}, or {absent.name}_FILE to the path of a file with it."
            self.findings.add(place, f"the variable {absent.name} {absent.reason}", write)
        return value

    def _check(self, shape: FileShape, *, given: bool) -> None:
        stem = Path(self.findings.document.file).stem
        if shape.name != stem:
            what = f'the name "{shape.name}" is not that of the file'
            self.findings.add(("name",), what, f'Write name = "{stem}", or rename the file.')
        pattern, write = _ADDRESSES[shape.kind]
        if given and not pattern.fullmatch(shape.url):
            what = f"url is no address of a system of kind {shape.kind}"
            self.findings.add(("url",), what, write)
        for position, code in enumerate(shape.coverage):
            if not _DIVISION.fullmatch(code):
                what = f'"{code}" is no division code'
                write = "Write 2, 4, 6, 9 or 12 digits."
                self.findings.add(("coverage", position), what, write)
        self._check_options(shape)

    def _check_options(self, shape: FileShape) -> None:
        for option, kinds in _OPTIONS.items():
            if getattr(shape, option) is not None and shape.kind not in kinds:
                what = f"{option} is for systems of kind {' or '.join(kinds)} alone"
                self.findings.add((option,), what, f"Leave {option} out.")

    def _signature(self, shape: SignatureShape | None) -> Signature:
        if shape is None:
            return Signature()
        for option in _SIGNED_BY[shape.style]:
            if getattr(shape, option) is None:
                what = f'a signature of style "{shape.style}" needs {option}'
                write = f'Write {option} = "${{NAME}}" under [signature].'
                self.findings.add(("signature",), what, write)
        return Signature(
            shape.style,
            shape.header,
            shape.value or "",
            shape.key or "",
            shape.secret or "",
            shape.digest,
        )


def _budget(shape: BudgetShape) -> Budget:
    default = Budget()
    return Budget(
        shape.timeout or default.seconds,
        shape.concurrency or default.concurrency,
        shape.rows or default.rows,
        shape.bytes or default.bytes,
        shape.queue or default.queue,
        default.retries if shape.retries is None else shape.retries,
        shape.failures or default.failures,
        shape.pause or default.pause_seconds,
        shape.stale,
    )


def _check_variables(findings: Findings) -> None:
    for place, text in _texts(findings.document.data, ()):
        if place[0] not in ("url", "signature") and is_variable(text):
            what = "${…} is read in url and [signature] alone"
            findings.add(place, what, "Write the value itself.")


def _texts(value: object, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*place, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _texts(inner, (*place, position))


def _tables(document: Document) -> Mapping[str, Any]:
    tables = document.data.get("entity")
    return tables if isinstance(tables, dict) else {}


def _check_homes(
    findings: list[Findings], departments: list[Department | None], core: Mapping[str, Entity]
) -> None:
    claims: dict[str, list[Claimed]] = {}
    for found, department in zip(findings, departments, strict=True):
        for name, mapped in department.entities.items() if department else ():
            claims.setdefault(name, []).append(Claimed(found, mapped))
    check_homes(claims, core)


def _check_free_fields(findings: list[Findings]) -> None:
    taken: dict[tuple[str, str], str] = {}
    for found in findings:
        for place, attach in _attaches(found.document):
            wanted = (str(attach.get("to")), str(attach.get("field")))
            here = f"{found.document.file}:{found.document.line_of(*place)}"
            if wanted not in taken:
                taken[wanted] = here
                continue
            what = f"{wanted[0]}.{wanted[1]} is already taken by {taken[wanted]}"
            found.add((*place, "field"), what, "Write another name for the field.")


def _attaches(document: Document) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    for name, table in _tables(document).items():
        attach = table.get("attach") if isinstance(table, dict) else None
        for position, each in enumerate(attach if isinstance(attach, list) else [attach]):
            if isinstance(each, dict):
                yield ("entity", name, "attach", position), each
