"""How a REST system is asked for an entity: from a mapping file to an endpoint."""

from collections.abc import Mapping

from contract.document import Place
from sources.declaration import ASKABLE, Column, Endpoint, Paging
from sources.finding import Findings, instead
from sources.mapping_model import ByKeyShape, EntityShape, PagingShape, PushdownShape, RestShape

Columns = Mapping[str, Column | None]  # None: the field is there, but something is wrong with it


def endpoint(shape: EntityShape, columns: Columns, findings: Findings, place: Place) -> Endpoint:
    """Return how the entity is asked for, after noting what is wrong with it."""
    rest, pushdown = shape.rest or RestShape(), shape.pushdown or PushdownShape()
    _check_rest(shape.native, rest, pushdown, findings, place)
    _check_keys(pushdown.by_key, columns, findings, (*place, "pushdown", "by_key"))
    return Endpoint(
        method=rest.method,
        path=shape.native,
        body=rest.body,
        parameters_at=rest.parameters_at,
        fixed=rest.fixed,
        by_key={key.field: (key.parameter, key.batch) for key in pushdown.by_key},
        key_separator=pushdown.by_key[0].separator if pushdown.by_key else ",",
        parameters=_parameters(pushdown, columns, findings, (*place, "pushdown", "filters")),
        rows=rest.rows,
        total=rest.total,
        answered=rest.answered,
        success=tuple(rest.success.items()),
        paging=_paging(rest.paging, findings, (*place, "rest", "paging")),
        scan=rest.scan,
        trusted=pushdown.trusted,
    )


def refuse_endpoint(shape: EntityShape, findings: Findings, place: Place) -> None:
    """Note tables that only a REST system can have."""
    for name in ("rest", "pushdown"):
        if getattr(shape, name) is not None:
            write = f"Leave [entity.….{name}] out."
            findings.add((*place, name), f"{name} is for systems of kind rest alone", write)


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


def _check_keys(keys: list[ByKeyShape], columns: Columns, findings: Findings, place: Place) -> None:
    for position, key in enumerate(keys):
        if key.field not in columns:
            what = f'there is no field "{key.field}"'
            findings.add((*place, position, "field"), what, instead(key.field, columns))
        if key.separator != keys[0].separator:
            what = "all keys of an entity have one separator"
            findings.add((*place, position, "separator"), what, f'Write "{keys[0].separator}".')


def _parameters(
    pushdown: PushdownShape, columns: Columns, findings: Findings, place: Place
) -> dict[tuple[str, str], str]:
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


def _paging(shape: PagingShape | None, findings: Findings, place: Place) -> Paging | None:
    if shape is None:
        return None
    if (shape.style == "cursor") != bool(shape.next):
        what = 'paging by cursor, and no other style, has "next"'
        write = 'Write next = "path.to.the.cursor", or leave it out.'
        findings.add((*place, "next"), what, write)
    first = shape.first if shape.first is not None else int(shape.style == "page")
    return Paging(shape.style, shape.parameter, shape.size_parameter, shape.size, first, shape.next)
