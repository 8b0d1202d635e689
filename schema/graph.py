"""
The graph as a whole: core types, facets, inputs, connections and root fields in one schema.

Core types are written by hand; facets, and everything that follows from an entity's fields and
relationships, are made here from data, once, at start-up.
"""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, Final, Optional, TypeAlias

import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, Info
from strawberry.types.base import StrawberryList
from strawberry.utils.str_converters import to_camel_case

from contract.entity import Entity, Kind, Relationship
from contract.errors import Forbidden, SourceRefused
from contract.predicate import INVALID
from execution.adapter import BreadthFirstContext, column_reader, field_hooks
from execution.run import called
from execution.selection import selected
from resolvers.context import RequestContext
from resolvers.record import DENIED, Record
from schema.accesses import access_log, accessed_by_field
from schema.accounts import ACCOUNT_QUERIES
from schema.aggregates import Tables
from schema.case import Case, CaseEvent, CaseMaterial, CaseResult
from schema.column import Core, core_of
from schema.completeness import Completeness
from schema.connections import connection_type
from schema.division import Division, Enterprise
from schema.documents import Validate, validated_by
from schema.explaining import explain_access
from schema.facets import facet_enums, facet_type
from schema.fetching import by_id, note_shown, raw_info
from schema.fields import (
    Target,
    connection_field,
    list_field,
    one_field,
    root_connection,
    root_single,
)
from schema.filters import input_types
from schema.hooks import Hooks
from schema.matter import Material, Matter, MatterElement
from schema.mutations import MUTATIONS
from schema.node import Node
from schema.openings import OPENING_QUERIES
from schema.operations import source_usage, sources
from schema.planning import Explain
from schema.provenance import Provenance, provenance_field
from schema.records import record_lists
from schema.resident import Household, Resident
from schema.scalars import SCALARS
from schema.system import CodeSet, CodeValue, Me, RoleHeld

logger = logging.getLogger(__name__)
_HOOKED: Final = "%s is called for every field of every object: each takes about ten times as long"

CORE: Final[tuple[Core, ...]] = tuple(
    core_of(cls)
    for cls in (
        Resident,
        Household,
        Case,
        CaseEvent,
        CaseMaterial,
        CaseResult,
        Matter,
        MatterElement,
        Material,
        Division,
        Enterprise,
    )
)

_ROOTS: Final = (
    ("Resident", "resident", "idNumber", "residents", "居民", "resident"),
    ("Household", "household", "number", "households", "户", "household"),
    ("Case", "case", "number", "cases", "办件", "case"),
    ("Matter", "matter", "code", "matters", "事项", "matter"),
    ("Division", "division", "code", "divisions", "区划", "division"),
    ("Enterprise", "enterprise", "creditCode", "enterprises", "市场主体", "enterprise"),
)
_Id: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="不透明标识 | Opaque id")]
_Names: TypeAlias = Annotated[
    list[str] | None,
    strawberry.argument(description="代码集名称,不给则返回全部 | Names; all where none is given"),
]


def core_entities() -> Mapping[str, Entity]:
    """Return the entities of the core types, as mapping files may supply them."""
    return {core.entity.name: core.entity for core in CORE}


class GraphSchema(strawberry.Schema):
    """A schema that logs nothing itself: errors may name what must not stand in a log."""

    def process_errors(self, *_: object) -> None:
        """Leave errors to whoever answers the request."""

    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> Hooks:
        """Return what runs the extensions' hooks."""
        return Hooks(execution_context, extensions, self._validated)

    @cached_property
    def _validated(self) -> Validate:
        return validated_by(self._schema)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Everything the parts of the graph are made from."""

    entities: Mapping[str, Entity]
    types: Mapping[str, Any]
    enums: Mapping[tuple[str, str], Any]


def build_schema(
    entities: Mapping[str, Entity], extensions: Sequence[Callable[[], SchemaExtension]] = ()
) -> GraphSchema:
    """Return the schema over the entities: all core ones and any number of facets."""
    facets = {name: entity for name, entity in entities.items() if name not in core_entities()}
    enums = _enums(facets)
    made = {core.entity.name: _copied(core) for core in CORE}
    made |= {name: facet_type(entity, enums) for name, entity in facets.items()}
    maker = _Maker(entities, made, enums)
    targets = _targets(maker, entities)
    for core in CORE:
        _relate(made[core.entity.name], core, entities[core.entity.name], targets)
    query = _query(maker, targets, _aggregates(maker, targets))
    for name in field_hooks(extensions):
        logger.warning(_HOOKED, name)
    return GraphSchema(
        query,
        _mutation(),
        types=[*made.values()],
        extensions=[Completeness, Provenance, Explain, *extensions],
        execution_context_class=BreadthFirstContext,
        config=StrawberryConfig(
            default_resolver=value_of, scalar_map=SCALARS, disable_field_suggestions=True
        ),
    )


def list_fields(schema: strawberry.Schema) -> frozenset[str]:
    """Return the names of the fields that give plain lists of objects, for what they cost."""
    types = (concrete.definition for concrete in schema.schema_converter.type_map.values())
    names = frozenset(
        field.graphql_name or _camel(field.python_name)
        for definition in types
        if not getattr(definition, "is_input", True)
        for field in getattr(definition, "fields", ())
        if _lists_objects(field.type)
    )
    return names - {"nodes", "edges"}  # a page costs what its arguments say


def _lists_objects(typed: Any) -> bool:
    inner = getattr(typed, "of_type", None)
    if isinstance(typed, StrawberryList):
        return hasattr(inner, "__strawberry_definition__")
    return inner is not None and _lists_objects(inner)


def values_of(sources: list[Any], name: str) -> list[object]:
    """Return a plain field's value for all objects of a level; an exception where there is none."""
    kinds = set(map(type, sources))
    if Record not in kinds:
        return called(attrgetter(name), sources)
    if kinds != _ROWS:
        return called(lambda source: value_of(source, name), sources)
    values = _shown(sources, _camel(name))
    if _UNSHOWN.isdisjoint(map(type, values)):
        return values
    return [
        _refusal(source, value, name) if type(value) in _UNSHOWN else value
        for source, value in zip(sources, values, strict=True)
    ]


@column_reader(values_of)
def value_of(source: Any, name: str) -> object:
    """
    Return a plain field's value: a column of a record, an attribute of anything else.

    Raises: Forbidden where the field is hidden; SourceRefused where it could not be read.
    """
    if type(source) is not Record:
        return getattr(source, name)
    value = source.get(_camel(name))
    if type(value) in _UNSHOWN:
        raise _refusal(source, value, name)
    return value


def _shown(records: list[Record], name: str) -> list[object]:
    layout = records[0].layout
    place = layout.shown.get(name)
    if place is not None:
        values = [record.shown[place] for record in records if record.layout is layout]
        if len(values) == len(records):
            return values
    return [record.get(name) for record in records]


def _refusal(record: Record, value: object, name: str) -> Exception:
    if value is DENIED:
        return Forbidden()
    return SourceRefused(record.layout.source, record.layout.title, name)


_ROWS: Final = {Record}
_UNSHOWN: Final = frozenset({type(DENIED), type(INVALID)})
_CAMEL: Final[dict[str, str]] = {}


def _camel(name: str) -> str:
    found = _CAMEL.get(name)
    if found is None:
        found = _CAMEL[name] = to_camel_case(name.rstrip("_"))
    return found


def _copied(core: Core) -> Any:
    """Return the core type, its definition its own, so that two schemas do not share fields."""
    cls: Any = type(core.type.__name__, (core.type,), {})
    definition = copy.copy(core.type.__strawberry_definition__)  # type: ignore[attr-defined] # a Strawberry type
    cls.__strawberry_definition__ = replace(definition, origin=cls, fields=list(definition.fields))
    return cls


def _relate(cls: Any, core: Core, entity: Entity, targets: Mapping[str, Target]) -> None:
    fields = cls.__strawberry_definition__.fields
    fields.append(provenance_field())
    if entity.name == "Resident":
        fields.append(accessed_by_field())
    for name, relationship in entity.relationships.items():
        target = targets.get(relationship.target)
        if target is not None and relationship.description:
            declared = core.relations.get(name)
            listed = declared.listed if declared is not None else target.connection is None
            fields.append(_related(relationship, target, listed=listed))


def _related(relationship: Relationship, target: Target, *, listed: bool) -> Any:
    if not relationship.many:
        return one_field(relationship, target)
    make = list_field if listed else connection_field
    return make(relationship, target)


def _targets(maker: _Maker, entities: Mapping[str, Entity]) -> dict[str, Target]:
    inputs = input_types(entities, maker.enums)
    core = core_entities()
    return {
        name: Target(
            name,
            maker.types[name],
            connection_type(maker.types[name]) if name in core else None,
            inputs[name],
        )
        for name in entities
    }


def _enums(facets: Mapping[str, Entity]) -> dict[tuple[str, str], Any]:
    enums: dict[tuple[str, str], Any] = {}
    for core in CORE:
        hints = {f.graphql_name or _camel(f.python_name): f for f in _definition(core).fields}
        for field in core.entity.fields.values():
            if field.kind is Kind.CODE:
                enums[core.entity.name, field.name] = _enum_of(hints[field.name].type)
    for facet in facets.values():
        enums |= facet_enums(facet)
    return enums


def _definition(core: Core) -> Any:
    return core.type.__strawberry_definition__  # type: ignore[attr-defined] # a Strawberry type


def _enum_of(typed: Any) -> Any:
    inner = getattr(typed, "of_type", typed)
    return getattr(inner, "wrapped_cls", inner)


def _code_sets(maker: _Maker) -> list[CodeSet]:
    sets: dict[str, CodeSet] = {}
    for enum in maker.enums.values():
        definition = enum.__strawberry_definition__
        values = [
            CodeValue(code=value.name, label=value.description or "") for value in definition.values
        ]
        sets[definition.name] = CodeSet(
            name=definition.name, label=definition.description or "", values=values
        )
    return [sets[name] for name in sorted(sets)]


def _aggregates(maker: _Maker, targets: Mapping[str, Target]) -> Any:
    inputs = {name: target.inputs for name, target in targets.items()}
    names = {entity: many for entity, _, _, many, _, _ in _ROOTS}
    return Tables(maker.entities, inputs, maker.enums).root(names)


def _query(maker: _Maker, targets: Mapping[str, Target], aggregates: Any) -> Any:
    code_sets = _code_sets(maker)
    fields: dict[str, Any] = {}
    for entity, one, by, many, chinese, english in _ROOTS:
        target = targets[entity]
        fields[one] = root_single(
            target,
            by,
            f"按标识或 {by} 查一条{chinese};不存在与无权查看同样返回 null"
            f" | One {english} by id or {by}; null alike where there is none or none to see",
        )
        fields[many] = root_connection(
            target, f"您可见的{chinese}列表 | The {english} rows you may see"
        )
    fields |= {
        "aggregate": aggregates,
        "explain_access": explain_access(),
        "me": strawberry.field(resolver=_me, description="当前登录账号 | Who you are"),
        "sources": strawberry.field(
            resolver=sources, description="各部门系统及其状态 | The departments' systems"
        ),
        "source_usage": strawberry.field(
            resolver=source_usage,
            description="本部门系统被查询的情况,自服务启动起,只留最近的一万项合计;兼任多个岗位的,各岗位分别计数"
            " | What was asked of your department's systems since the server started, the latest"
            " 10,000 sums; who holds two roles counts under both",
        ),
        "access_log": strawberry.field(
            resolver=access_log,
            description="访问台账:谁在何时因何读取了谁的信息,新的在前,限审计人员"
            " | The access ledger: who read whose data, when and what for; for auditors",
        ),
        "code_sets": strawberry.field(
            resolver=_code_sets_field(code_sets),
            description="代码集,供下拉选择 | Code sets, for drop-downs",
        ),
        "node": strawberry.field(
            resolver=_node, description="按标识取任意对象 | Anything with an id, by its id"
        ),
    }
    fields |= ACCOUNT_QUERIES
    fields |= OPENING_QUERIES
    fields = record_lists(maker.entities, core_entities().keys(), targets) | fields
    return strawberry.type(type("Query", (), fields), description="查询入口 | Where queries start")


def _mutation() -> Any:
    if not MUTATIONS:
        return None
    fields = dict(MUTATIONS)
    return strawberry.type(
        type("Mutation", (), fields), description="修改入口 | Where changes start"
    )


def _code_sets_field(code_sets: list[CodeSet]) -> Any:
    def code_sets_named(names: _Names = None) -> list[CodeSet]:
        return [item for item in code_sets if names is None or item.name in names]

    return code_sets_named


async def _node(info: Info[RequestContext, None], id: _Id) -> Optional[Node]:  # noqa: A002 -- GraphQL's word
    raw = raw_info(info)
    record = await by_id(raw, selected(raw, ()), id)
    note_shown(raw, [[record]] if record else [])
    return record  # type: ignore[return-value] # a record stands for a node


def _me(info: Info[RequestContext, None]) -> Me:
    context = info.context
    principal = context.principal
    roles = [
        RoleHeld(role=role, title=title, scope=scope)  # type: ignore[arg-type] # a division code is a string
        for role, scope, title in zip(
            principal.roles, principal.scopes, context.role_titles, strict=True
        )
    ]
    return Me(account=principal.account, roles=roles, department=principal.department or None)
