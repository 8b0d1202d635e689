"""A draft from what a GraphQL service says of itself: the fields of its query that give lists."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from contract.predicate import Operator
from onboarding.drafts.asking import Answer, Parameter, asking
from onboarding.drafts.entity import Table, entity, head, named
from onboarding.drafts.model import MOST_ENTITIES, Asked, Draft, DraftRefused, Native
from sources.declaration import Storage
from sources.mapping_model import Type

Json: TypeAlias = Mapping[str, Any]

INTROSPECTION: Final = """
query Introspection {
  __schema {
    queryType { name }
    types {
      kind name
      fields { name description args { name defaultValue type { ...Type } } type { ...Type } }
      inputFields { name defaultValue type { ...Type } }
      enumValues { name }
    }
  }
}
fragment Type on __Type {
  kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
}
"""
_LEAVES: Final = ("SCALAR", "ENUM")
_OBJECTS: Final = ("OBJECT", "INTERFACE")
_SCALARS: Final[Mapping[str, tuple[Type, Storage | None]]] = {
    "Int": ("integer", None),
    "Long": ("integer", None),
    "BigInt": ("integer", None),
    "Float": ("decimal", "float"),
    "Boolean": ("boolean", None),
    "Date": ("date", None),
    "DateTime": ("datetime", None),
    "Decimal": ("decimal", "text"),
    "BigDecimal": ("decimal", "text"),
    "Amount": ("decimal", "text"),
    "Money": ("decimal", "text"),
}
_KINDS: Final = {"Int": "integer", "Long": "integer", "Boolean": "boolean", "String": "string"}
_ROWS: Final = ("nodes", "items", "rows", "list", "records", "results", "data")
_DEEPEST: Final = 3
_SIZE: Final = 100


def graphql_draft(document: Json, asked: Asked, core: Sequence[str]) -> Draft:
    """
    Return the draft of what the answer to the introspection says.

    Raises: DraftRefused where it describes no query.
    """
    try:
        service = _Service({each["name"]: each for each in document["__schema"]["types"]})
        lists = [found for found in service.lists(document) if asked.wants(found.path)]
    except (KeyError, TypeError, AttributeError):
        raise DraftRefused("the service does not describe itself") from None
    tables = [
        Table(found.path, tuple(service.natives(found.row, found.inside)), comment=found.comment)
        for found in lists[:MOST_ENTITIES]
    ]
    entities = []
    for (name, table, guessed), found in zip(named(tables, core), lists, strict=False):
        asks = asking(
            tuple(service.parameters(found.arguments)), found.answer, table.natives, guessed
        )
        entities.append(entity(replace(table, tables=asks.tables("graphql")), name, guessed))
    return Draft(
        f"Read: the schema of a GraphQL service with {len(service.types)} types; no record.",
        tuple(core),
        head(asked, "graphql"),
        tuple(entities),
        tuple(f"field {found.path}" for found in lists[MOST_ENTITIES:]),
    )


@dataclass(frozen=True, slots=True)
class _List:
    """A field of the query that gives a list of objects; `inside`: where a row's own values are."""

    path: str
    comment: str
    arguments: Sequence[Json]
    row: Json
    answer: Answer
    inside: str = ""


@dataclass(frozen=True, slots=True)
class _Service:
    types: Mapping[str, Json]

    def lists(self, document: Json) -> Iterator[_List]:
        """Yield the fields of the query that give lists, those one object below included."""
        query = self.types[document["__schema"]["queryType"]["name"]]
        for told in query["fields"]:
            found = self._list(told, told["name"])
            if found is not None:
                yield found
            elif self._is_object(told["type"]) and not told["args"]:
                for inner in self._of(told["type"])["fields"]:
                    below = self._list(inner, f"{told['name']}.{inner['name']}")
                    if below is not None:
                        yield below

    def natives(self, row: Json, inside: str, above: str = "") -> Iterator[Native]:
        """Yield the values of a row; those within objects by dotted paths, no lists."""
        for told in row["fields"]:
            path = f"{inside}{above}{told['name']}"
            if self._needs(told) or _is_list(told["type"]):
                continue
            if self._of(told["type"])["kind"] in _LEAVES:
                yield self._native(path, told)
            elif not above and self._is_object(told["type"]):
                yield from self.natives(self._of(told["type"]), inside, f"{told['name']}.")

    def parameters(self, arguments: Sequence[Json], above: str = "") -> Iterator[Parameter]:
        """Yield the arguments; the parts of input objects by dotted paths."""
        for told in arguments:
            path = f"{above}{told['name']}"
            kind = self._of(told["type"])
            if kind["kind"] != "INPUT_OBJECT":
                yield _parameter(path, told)
            elif path.count(".") < _DEEPEST and not _is_list(told["type"]):
                yield from self.parameters(kind["inputFields"], f"{path}.")

    def _list(self, told: Json, path: str) -> _List | None:
        comment = told.get("description") or ""
        kind = self._of(told["type"])
        if kind["kind"] not in _OBJECTS:
            return None
        if _is_list(told["type"]):
            return _List(path, comment, told["args"], kind, Answer(""))
        inner = {
            each["name"]: each
            for each in kind["fields"]
            if self._is_rows(each) and not each["args"]
        }
        name = next((each for each in (*_ROWS, "edges", *inner) if each in inner), None)
        if name is None or self._is_entity(kind):
            return None
        row, inside = self._of(inner[name]["type"]), ""
        node = next((each for each in row["fields"] if each["name"] == "node"), None)
        if name == "edges" and node is not None:
            row, inside = self._of(node["type"]), "node."
        return _List(
            path, comment, told["args"], row, Answer(name, dict(self._beside(kind))), inside
        )

    def _is_entity(self, kind: Json) -> bool:
        """Return whether it is one object with lists of its own, rather than a page of rows."""
        names = {each["name"] for each in kind["fields"]}
        return names.isdisjoint({*_ROWS, "edges"})

    def _beside(self, kind: Json, above: str = "") -> Iterator[tuple[str, str]]:
        for told in kind["fields"]:
            path, inner = f"{above}{told['name']}", self._of(told["type"])
            if _is_list(told["type"]):
                continue
            if inner["kind"] in _LEAVES:
                yield path, _KINDS.get(inner["name"], "")
            elif not above and self._is_object(told["type"]):
                yield from self._beside(inner, f"{path}.")

    def _native(self, path: str, told: Json) -> Native:
        kind = self._of(told["type"])
        typed, storage = _SCALARS.get(kind["name"], ("string", None))
        codes = tuple(each["name"] for each in kind.get("enumValues") or ())
        return Native(
            path,
            typed,
            storage,
            told.get("description") or "",
            codes,
            is_key=kind["name"] == "ID",
        )

    def _is_rows(self, told: Json) -> bool:
        return _is_list(told["type"]) and self._of(told["type"])["kind"] in _OBJECTS

    def _is_object(self, kind: Json) -> bool:
        return self._of(kind)["kind"] in _OBJECTS and not _is_list(kind)

    def _needs(self, told: Json) -> bool:
        return any(map(_is_required, told["args"]))

    def _of(self, kind: Json) -> Json:
        while kind.get("ofType"):
            kind = kind["ofType"]
        return self.types[kind["name"]]


def _parameter(path: str, told: Json) -> Parameter:
    *above, last = path.split(".")
    operator = last if last in tuple(Operator) and above else ""
    return Parameter(
        path,
        above[-1] if operator else last,
        operator,
        takes_list=_is_list(told["type"]),
        most=_SIZE if _is_list(told["type"]) else 1,
        is_required=_is_required(told),
    )


def _is_list(kind: Json | None) -> bool:
    while kind:
        if kind["kind"] == "LIST":
            return True
        kind = kind.get("ofType")
    return False


def _is_required(told: Json) -> bool:
    return told["type"]["kind"] == "NON_NULL" and told.get("defaultValue") is None
