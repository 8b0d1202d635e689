"""How a GraphQL service is asked for an entity: from a mapping file to an endpoint."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from contract.document import Place
from sources.declaration import Endpoint, Paging
from sources.finding import Findings
from sources.mapping_endpoint import Columns, check_keys, filter_parameters, paging
from sources.mapping_model import EntityShape, GraphqlShape, PushdownShape

_MOST_KEYS: Final = 1000
_NAMES: Final = re.compile(r"[_A-Za-z]\w*(\.[_A-Za-z]\w*)*", re.ASCII)


def graphql_endpoint(
    shape: EntityShape, columns: Columns, findings: Findings, place: Place
) -> Endpoint:
    """Return how the entity is asked for, after noting what is wrong with it."""
    graphql, pushdown = shape.graphql or GraphqlShape(), shape.pushdown or PushdownShape()
    _check(graphql, pushdown, findings, place)
    _check_names(shape, columns, findings, place)
    check_keys(pushdown.by_key, columns, findings, (*place, "pushdown", "by_key"))
    return Endpoint(
        method="POST",
        path=shape.native,
        fixed=_flat(graphql.fixed),
        by_key={
            key.field: (
                key.parameter,
                key.batch if "batch" in key.model_fields_set else _MOST_KEYS,
            )
            for key in pushdown.by_key
        },
        key_separator="",
        parameters=filter_parameters(pushdown, columns, findings, (*place, "pushdown", "filters")),
        rows=_inside(shape.native, graphql.rows),
        total=_inside(shape.native, graphql.total) if graphql.total else "",
        answered=_inside(shape.native, graphql.answered) if graphql.answered else "",
        refusal="errors",
        paging=_paging(shape.native, graphql, findings, (*place, "graphql", "paging")),
        scan=graphql.scan,
        trusted=pushdown.trusted,
    )


def _check(
    graphql: GraphqlShape, pushdown: PushdownShape, findings: Findings, place: Place
) -> None:
    if not graphql.scan and not pushdown.by_key and not pushdown.filters:
        write = "Write [entity.….pushdown] with by_key, or scan = true under [entity.….graphql]."
        findings.add(place, "the entity can be read neither by a key nor as a whole", write)
    if graphql.answered and not pushdown.by_key:
        write = "Write by_key under [entity.….pushdown], or leave answered out."
        findings.add((*place, "graphql", "answered"), "answered goes with by_key alone", write)
    for position, key in enumerate(pushdown.by_key):
        if "separator" in key.model_fields_set:
            what = "a GraphQL service takes keys as a list, without a separator"
            at = (*place, "pushdown", "by_key", position, "separator")
            findings.add(at, what, "Leave separator out.")


def _check_names(shape: EntityShape, columns: Columns, findings: Findings, place: Place) -> None:
    for at, path in _paths(shape, columns):
        if not _NAMES.fullmatch(path):
            what = f'"{path}" is no path of GraphQL names'
            findings.add((*place, *at), what, 'Write names with dots, such as "head.idNumber".')


def _paths(shape: EntityShape, columns: Columns) -> Iterator[tuple[Place, str]]:
    yield ("native",), shape.native
    for name, column in columns.items():
        if column:
            yield ("fields", name, "native"), column.native
    if shape.pushdown:
        for position, key in enumerate(shape.pushdown.by_key):
            yield ("pushdown", "by_key", position, "parameter"), key.parameter
        for name, parameter in shape.pushdown.filters.items():
            yield ("pushdown", "filters", name), parameter
    if shape.graphql:
        for option in ("rows", "total", "answered"):
            if path := getattr(shape.graphql, option):
                yield ("graphql", option), path
        yield from _paging_paths(shape.graphql)


def _paging_paths(graphql: GraphqlShape) -> Iterator[tuple[Place, str]]:
    for option in ("parameter", "size_parameter", "next", "more"):
        if graphql.paging and (path := getattr(graphql.paging, option)):
            yield ("graphql", "paging", option), path


def _paging(root: str, graphql: GraphqlShape, findings: Findings, place: Place) -> Paging | None:
    written = paging(graphql.paging, findings, place)
    if written is None or written.style != "cursor":
        return written
    more = _inside(root, written.more) if written.more else ""
    return replace(written, next=_inside(root, written.next), more=more)


def _inside(root: str, path: str) -> str:
    return f"data.{root}.{path}" if path else f"data.{root}"


def _flat(fixed: Mapping[str, object], above: str = "") -> dict[str, object]:
    """Return the arguments by their dotted paths."""
    found: dict[str, object] = {}
    for name, value in fixed.items():
        path = f"{above}{name}"
        found |= _flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return found
