"""A draft from an OpenAPI description (3.0 or 3.1): its paths that give lists. Asks nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from onboarding.drafts.asking import Answer, Parameter, asking
from onboarding.drafts.entity import Table, entity, head, named
from onboarding.drafts.model import MISSING, MOST_ENTITIES, Asked, Draft, Line, Lines, Native
from sources.mapping_model import Type

Json: TypeAlias = Mapping[str, Any]

_DEEPEST: Final = 3
_MOST_REFERENCES: Final = 20
_PREFERRED: Final = ("rows", "list", "items", "records", "results", "data", "content")
_STATES: Final = ("code", "status", "infcode", "returncode", "retcode", "errcode", "success")
_TYPES: Final[Mapping[str, Type]] = {
    "string": "string",
    "integer": "integer",
    "number": "decimal",
    "boolean": "boolean",
}
_FORMATS: Final[Mapping[str, Type]] = {"date": "date", "date-time": "datetime"}


@dataclass(frozen=True, slots=True)
class _Operation:
    """One path and method that gives a list of objects."""

    path: str
    method: str
    told: Json
    answer: Answer
    row: Json
    body: Json
    parameters: tuple[Parameter, ...]
    parameters_at: str = ""


def openapi_draft(document: Json, asked: Asked, core: Sequence[str]) -> Draft:
    """Return the draft of what the description says."""
    description = _Description(document)
    found, left_out = description.operations(asked)
    tables = [_table(description, operation) for operation in found[:MOST_ENTITIES]]
    entities = []
    for (name, table, guessed), operation in zip(named(tables, core), found, strict=False):
        asks = asking(operation.parameters, operation.answer, table.natives, guessed)
        how = replace(asks, how=(*_posted(operation), *_success(operation.answer), *asks.how))
        entities.append(entity(replace(table, tables=how.tables("rest")), name, guessed))
    beyond = tuple(f"path {operation.path}" for operation in found[MOST_ENTITIES:])
    return Draft(
        f"Read: an OpenAPI description with {len(document.get('paths', {}))} paths; no record.",
        tuple(core),
        (
            *head(asked, "rest", str(document.get("info", {}).get("title", ""))),
            *_signed(asked, document),
        ),
        tuple(entities),
        (*left_out, *beyond),
    )


def _table(description: "_Description", operation: _Operation) -> Table:
    told = operation.told
    comment = str(told.get("summary") or told.get("description") or "")
    note = ("guess: asked by POST; decide: whether that changes nothing",)
    return Table(
        operation.path,
        tuple(description.natives(operation.row)),
        comment=comment,
        notes=note if operation.method == "post" else (),
    )


def _posted(operation: _Operation) -> Lines:
    if operation.method != "post":
        return ()
    lines = [Line("method", "POST")]
    if operation.body:
        lines.append(Line("body", operation.body))
    if operation.parameters_at:
        lines.append(Line("parameters_at", operation.parameters_at))
    return tuple(lines)


def _success(answer: Answer) -> Lines:
    path = next((path for path in answer.beside if path.lower() in _STATES), "")
    note = "Where it says whether the answer is one:"
    return (Line("success", {path: MISSING}, (note,), is_open=True),) if path else ()


def _signed(asked: Asked, document: Json) -> Lines:
    if asked.header:
        return ()  # the head has it already
    schemes = document.get("components", {}).get("securitySchemes", {})
    for scheme in schemes.values():
        header = scheme.get("name") if scheme.get("in") == "header" else ""
        bearer = scheme.get("type") == "http" and scheme.get("scheme", "").lower() == "bearer"
        if header or bearer:
            value = f"{'Bearer ' if bearer else ''}${{{asked.name.upper()}_TOKEN}}"
            signature = {"style": "header", "header": header or "Authorization", "value": value}
            return (Line("signature", signature, ("guess: the first scheme it names",)),)
    return ()


@dataclass(frozen=True, slots=True)
class _Description:
    document: Json

    def operations(self, asked: Asked) -> tuple[list[_Operation], tuple[str, ...]]:
        """Return what gives lists, and why other paths do not."""
        found: list[_Operation] = []
        left_out: list[str] = []
        for path, item in self.document.get("paths", {}).items():
            if not asked.wants(path):
                continue
            if "{" in path:
                left_out.append(f"path {path}, which has a parameter within")
                continue
            operation = self._operation(path, self.resolved(item))
            if operation is None:
                left_out.append(f"path {path}, which gives no list of objects")
            else:
                found.append(operation)
        return found, tuple(left_out)

    def resolved(self, schema: Json) -> Json:
        """Return the schema behind references, with the parts of allOf in one."""
        for _ in range(_MOST_REFERENCES):
            reference = schema.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                break
            schema = self._at(reference)
        parts = [self.resolved(part) for part in schema.get("allOf", ()) if isinstance(part, dict)]
        if not parts:
            return schema
        properties = {
            name: inner
            for part in (*parts, schema)
            for name, inner in part.get("properties", {}).items()
        }
        return {**schema, "type": "object", "properties": properties}

    def natives(self, row: Json, above: str = "") -> Iterator[Native]:
        """Yield the values of a row; those within objects by dotted paths, no lists."""
        for name, written in row.get("properties", {}).items():
            schema = self.resolved(written)
            path = f"{above}{name}"
            if "." in name:
                continue
            if _kind(schema) == "object" and not above:
                yield from self.natives(schema, f"{path}.")
            elif _kind(schema) in _TYPES:
                yield _native(path, schema)

    def _at(self, reference: str) -> Json:
        found: Any = self.document
        for step in reference.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name, {}) if isinstance(found, dict) else {}
        return found if isinstance(found, dict) else {}

    def _operation(self, path: str, item: Json) -> _Operation | None:
        for method in ("get", "post"):
            told: Json = item.get(method) or {}
            rows = self._rows(told)
            if rows is None:
                continue
            answer, row = rows
            parameters = tuple(
                _parameter(self.resolved(each), self)
                for each in (*item.get("parameters", ()), *told.get("parameters", ()))
                if self.resolved(each).get("in") == "query"
            )
            if method == "get":
                return _Operation(path, method, told, answer, row, {}, parameters)
            body, at, posted = self._body(told)
            return _Operation(path, method, told, answer, row, body, (*parameters, *posted), at)
        return None

    def _rows(self, told: Json) -> tuple[Answer, Json] | None:
        responses = told.get("responses", {})
        codes = [code for code in ("200", "2XX", "default") if code in responses]
        found: Json = responses[codes[0]] if codes else {}
        schema = self.resolved(_content(self.resolved(found)))
        paths = sorted(self._lists(schema), key=_preference)
        if not paths:
            return None
        path, row = paths[0]
        return Answer(path, dict(self._scalars(schema))), row

    def _lists(self, schema: Json, path: str = "", depth: int = 0) -> Iterator[tuple[str, Json]]:
        if _kind(schema) == "array":
            row = self.resolved(schema.get("items", {}))
            if _kind(row) == "object":
                yield path, row
        elif depth < _DEEPEST:
            for name, inner in schema.get("properties", {}).items():
                below = f"{path}.{name}" if path else name
                yield from self._lists(self.resolved(inner), below, depth + 1)

    def _scalars(self, schema: Json, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
        for name, inner in schema.get("properties", {}).items():
            below, resolved = f"{path}.{name}" if path else name, self.resolved(inner)
            if _kind(resolved) == "object" and depth < _DEEPEST:
                yield from self._scalars(resolved, below, depth + 1)
            else:
                yield below, _kind(resolved)

    def _body(self, told: Json) -> tuple[Json, str, tuple[Parameter, ...]]:
        schema = self.resolved(_content(self.resolved(told.get("requestBody", {}))))
        properties = {
            name: self.resolved(each) for name, each in schema.get("properties", {}).items()
        }
        fixed = {name: _only(each) for name, each in properties.items() if _only(each) is not None}
        inner = [name for name, each in properties.items() if _kind(each) == "object"]
        at = inner[0] if len(inner) == 1 else ""
        if at:
            schema = properties[at]
        required = schema.get("required", ())
        return (
            fixed,
            at,
            tuple(
                _parameter({"name": name, "schema": each, "required": name in required}, self)
                for name, each in schema.get("properties", {}).items()
                if name not in fixed and _kind(self.resolved(each)) != "object"
            ),
        )


def _parameter(told: Json, description: _Description) -> Parameter:
    schema = description.resolved(told.get("schema", {}))
    takes_list = _kind(schema) == "array"
    most = schema.get("maxItems" if takes_list else "maximum", 1)
    return Parameter(
        str(told.get("name", "")),
        str(told.get("name", "")),
        takes_list=takes_list,
        most=most if isinstance(most, int) and most > 0 else 1,
        is_required=told.get("required") is True,
    )


def _native(path: str, schema: Json) -> Native:
    kind = _TYPES[_kind(schema)]
    if kind == "string":
        kind = _FORMATS.get(str(schema.get("format")), kind)
    example = schema.get("example", next(iter(schema.get("examples", ())), None))
    return Native(
        path,
        kind,
        comment=str(schema.get("description") or schema.get("title") or ""),
        codes=tuple(str(code) for code in schema.get("enum", ()) if code is not None),
        values=() if example is None else (example,),
    )


def _kind(schema: Json) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "")
    return str(kind)


def _content(told: Json) -> Json:
    content = told.get("content", {})
    found = [each for name, each in content.items() if "json" in name]
    schema = found[0].get("schema", {}) if found else {}
    return schema if isinstance(schema, dict) else {}


def _only(schema: Json) -> object:
    """Return the one value that a property may have."""
    if "const" in schema:
        return schema["const"]
    codes = schema.get("enum", ())
    return codes[0] if len(codes) == 1 else None


def _preference(found: tuple[str, Json]) -> tuple[int, int]:
    name = found[0].rpartition(".")[2].lower()
    return found[0].count("."), _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)
