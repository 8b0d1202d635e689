"""How a REST system is asked for an entity: from a mapping file to an endpoint."""

from collections.abc import Mapping
from typing import Final, get_args

from contract.document import Place
from sources.declaration import ASKABLE, Column, Endpoint, Paging
from sources.finding import Findings, instead
from sources.mapping_model import (
    ByKeyShape,
    EntityShape,
    FileShape,
    PagingShape,
    PushdownShape,
    RestShape,
)

_TABLES: Final = {"rest": ("rest",), "graphql": ("graphql",), "pushdown": ("rest", "graphql")}
_KINDS: Final = get_args(FileShape.model_fields["kind"].annotation)

Columns = Mapping[str, Column | None]  # None: the field is there, but something is wrong with it


def endpoint(shape: EntityShape, columns: Columns, findings: Findings, place: Place) -> Endpoint:
    """Return how the entity is asked for, after noting what is wrong with it."""
    rest, pushdown = shape.rest or RestShape(), shape.pushdown or PushdownShape()
    _check_rest(shape.native, rest, pushdown, findings, place)
    check_keys(pushdown.by_key, columns, findings, (*place, "pushdown", "by_key"))
    return Endpoint(
        method=rest.method,
        path=shape.native,
        body=rest.body,
        parameters_at=rest.parameters_at,
        fixed=rest.fixed,
        by_key={key.field: (key.parameter, key.batch) for key in pushdown.by_key},
        key_separator=pushdown.by_key[0].separator if pushdown.by_key else ",",
        parameters=filter_parameters(pushdown, columns, findings, (*place, "pushdown", "filters")),
        rows=rest.rows,
        total=rest.total,
        answered=rest.answered,
        success=tuple(rest.success.items()),
        paging=paging(rest.paging, findings, (*place, "rest", "paging")),
        scan=rest.scan,
        trusted=pushdown.trusted,
    )


def refuse_endpoint(shape: EntityShape, kind: str, findings: Findings, place: Place) -> None:
    """Note tables that a system of this kind cannot have."""
    for name, kinds in _TABLES.items():
        if kind in _KINDS and kind not in kinds and getattr(shape, name) is not None:
            what = f"{name} is for systems of kind {' or '.join(kinds)} alone"
            findings.add((*place, name), what, f"Leave [entity.….{name}] out.")


def _check_rest(
    native: str, rest: RestShape, pushdown: PushdownShape, findings: Findings, place: Place
) -> None:
    if not native.startswith("/"):
        findings.add((*place, "native"), "native is no path", 'Write a path such as "/people".')
    if rest.method == "GET" and (rest.body or rest.parameters_at):
        option = "body" if rest.body else "parameters_at"
        what = f"{option} goes with POST alone"
        findings.add((*place, "rest", option), what, 'Write method = "POST".')
    if not rest.scan and not pushdown.by_key and not pushdown.filters:
        write = "Write [entity.….pushdown] with by_key, or scan = true under [entity.….rest]."
        findings.add(place, "the entity can be read neither by a key nor as a whole", write)
    if rest.answered and not pushdown.by_key:
        write = "Write by_key under [entity.….pushdown], or leave answered out."
        findings.add((*place, "rest", "answered"), "answered goes with by_key alone", write)


def check_keys(keys: list[ByKeyShape], columns: Columns, findings: Findings, place: Place) -> None:
    """Note keys that are no fields, and separators that differ."""
    for position, key in enumerate(keys):
        if key.field not in columns:
            what = f'there is no field "{key.field}"'
            findings.add((*place, position, "field"), what, instead(key.field, columns))
        if key.separator != keys[0].separator:
            what = "all keys of an entity have one separator"
            findings.add((*place, position, "separator"), what, f'Write "{keys[0].separator}".')


def filter_parameters(
    pushdown: PushdownShape, columns: Columns, findings: Findings, place: Place
) -> dict[tuple[str, str], str]:
    """Return the declared filters, after noting what is wrong with them."""
    parameters: dict[tuple[str, str], str] = {}
    for name, parameter in pushdown.filters.items():
        field, _, operator = name.partition(".")
        parameters[field, operator] = parameter
        at = (*place, name)
        if field not in columns:
            findings.add(at, f'there is no field "{field}"', instead(field, columns))
        elif operator not in ASKABLE:
            findings.add(at, f'"{operator}" is no operator', instead(operator, ASKABLE))
        elif not _allows(columns[field], operator):
            what = f'"{operator}" does not go with the type of {field}'
            findings.add(at, what, "Leave this filter out.")
    return parameters


def _allows(column: Column | None, operator: str) -> bool:
    return column is None or column.field.kind in ASKABLE[operator]


def paging(shape: PagingShape | None, findings: Findings, place: Place) -> Paging | None:
    """Return how pages follow each other, after noting what is wrong with it."""
    if shape is None:
        return None
    if (shape.style == "cursor") != bool(shape.next):
        what = 'paging by cursor, and no other style, has "next"'
        write = 'Write next = "path.to.the.cursor", or leave it out.'
        findings.add((*place, "next"), what, write)
    if shape.more and shape.style != "cursor":
        write = 'Write style = "cursor", or leave more out.'
        findings.add((*place, "more"), '"more" goes with paging by cursor', write)
    return Paging(
        style=shape.style,
        parameter=shape.parameter,
        size_parameter=shape.size_parameter,
        size=shape.size,
        first=shape.first if shape.first is not None else int(shape.style == "page"),
        next=shape.next,
        more=shape.more,
    )
