"""
`aggregate`: figures over the rows of each entity by group, as types made from its fields.

What is asked for is read off the selection, so that systems compute that and no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import count, repeat
from typing import Annotated, Any, Final, NamedTuple, Optional

import strawberry
from strawberry.utils.str_converters import to_camel_case, to_snake_case

from contract.entity import Entity, Kind
from contract.errors import BadInput
from contract.predicate import In
from execution.adapter import set_field
from execution.selection import argument_of, named
from resolvers.ask import Ask, Selection
from resolvers.context import RequestContext
from resolvers.dimensions import Dimension
from resolvers.tabulation import Figure, Groups, Table, TableAsk, Wanted
from schema.fetching import RawInfo, note_missing, raw_info
from schema.filters import Inputs, predicate_of

MOST_FIELDS: Final = 4
_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.DECIMAL})
_BOOLEANS: Final = {"true": "是 | Yes", "false": "否 | No"}
_DIVISION: Final = "Division"

_BY_FIELD: Final[Mapping[str, tuple[Figure, str]]] = {
    "count_distinct": (Figure.COUNT_DISTINCT, "有多少个不同的值 | How many different values"),
    "min": (Figure.MIN, "最小值,写作文本 | The least value, as text"),
    "max": (Figure.MAX, "最大值,写作文本 | The greatest value, as text"),
    "sum": (Figure.SUM, "合计 | The sum"),
    "avg": (Figure.AVERAGE, "平均:合计除以有值的条数 | The sum by the rows that have a value"),
}
_FIGURES: Final = {to_camel_case(name): figure for name, (figure, _) in _BY_FIELD.items()}


@strawberry.enum(
    description="分组的粗细:区划按级别,日期和时间按年、月、日(北京时间)"
    " | How coarse: divisions by level, times by year, month or day in Shanghai"
)
class GroupLevel(Enum):
    PROVINCE = strawberry.enum_value("province", description="省 | Province")
    CITY = strawberry.enum_value("city", description="设区市 | City")
    COUNTY = strawberry.enum_value("county", description="县(市、区) | County")
    TOWNSHIP = strawberry.enum_value("township", description="乡镇(街道) | Township")
    VILLAGE = strawberry.enum_value("village", description="村(社区) | Village")
    YEAR = strawberry.enum_value("year", description="年 | Year")
    MONTH = strawberry.enum_value("month", description="月 | Month")
    DAY = strawberry.enum_value("day", description="日 | Day")


@strawberry.enum(description="数字是否齐全 | Whether numbers are whole")
class TableCompleteness(Enum):
    COMPLETE = strawberry.enum_value("complete", description="齐全 | Whole")
    LOWER_BOUND = strawberry.enum_value(
        "lower_bound",
        description="有系统未答复,条数和计数是下限,合计、平均、最值不含其数据"
        " | A system did not answer: numbers of rows are lower bounds, sums, averages and extremes"
        " lack its rows",
    )


@strawberry.type(description="分组的一项取值 | One value that a group has")
class GroupKey:
    field: str = strawberry.field(description="字段 | The field")
    value: str | None = strawberry.field(description="取值,没有则为空 | Its value; null for none")
    label: str | None = strawberry.field(description="名称 | What people call it")


class _Row(NamedTuple):
    """One group on its way to the client: the place of its figures in their columns."""

    keys: Sequence[GroupKey]
    rows: object
    suppressed: bool
    figures: Mapping[Wanted, Sequence[object]]
    place: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """A table on its way to the client."""

    groups: Sequence[_Row]
    total: _Row
    completeness: TableCompleteness


@dataclass(frozen=True, slots=True)
class Tables:
    """What the fields of `aggregate` are made from: entities, their filters and enums."""

    entities: Mapping[str, Entity]
    inputs: Mapping[str, Inputs]
    enums: Mapping[tuple[str, str], Any]

    def root(self, names: Mapping[str, str]) -> Any:
        """Return the root field; `names` give an entity's own, others are made from the entity."""
        fields = {
            to_snake_case(names.get(name, _many(name))): self._field(entity)
            for name, entity in self.entities.items()
            if _described(entity)
        }
        kind: Any = strawberry.type(
            type("Aggregates", (), fields), description="各类数据的统计 | Figures, entity by entity"
        )

        def aggregate() -> object:
            return kind()

        aggregate.__annotations__["return"] = kind
        return strawberry.field(
            resolver=aggregate,
            description="分组统计:只统计您可见的数据;只有统计权限的岗位,人数过少的格不公布"
            " | Figures by group over the rows you may see; cells about few people are not"
            " published to roles that may only count",
        )

    def _field(self, entity: Entity) -> Any:
        fields = _field_enum(entity, "Field", _described(entity))
        numbers = [name for name in _described(entity) if entity.fields[name].kind in _NUMBERS]
        numeric = _field_enum(entity, "NumericField", numbers) if numbers else None
        answer, group_by = _answer_type(entity, fields, numeric), _group_by(entity, fields)
        labels = {name: self._labels(entity, name) for name in entity.fields}

        async def resolve(parents: Sequence[object], info: Any, **given: Any) -> list[_Answer]:
            raw, context = raw_info(info), info.context
            ask = TableAsk(
                entity.name,
                _wanted(raw, fields),
                predicate_of(entity.name, given.get("where"), context.gate.entities),
                _dimensions(entity, given.get("group_by")),
                given.get("partial") is True,
            )
            table = await context.gate.aggregate(context.asker, ask)
            note_missing(raw, [table] * len(parents))
            divisions = await _division_names(raw, entity, ask, table)
            return [_answer(ask, table, {**labels, **divisions})] * len(parents)

        arguments = _arguments(self.inputs[entity.name], group_by)
        return set_field(resolve, Optional[answer], arguments, description=entity.description)

    def _labels(self, entity: Entity, name: str) -> Mapping[str, str]:
        if entity.fields[name].kind is Kind.BOOLEAN:
            return _BOOLEANS
        enum = self.enums.get((entity.name, name))
        values = enum.__strawberry_definition__.values if enum else ()
        return {value.name: value.description or "" for value in values}


def _many(entity: str) -> str:
    plural = f"{entity[:-1]}ies" if entity.endswith("y") else f"{entity}s"
    return plural[0].lower() + plural[1:]


def _described(entity: Entity) -> list[str]:
    return [each.name for each in entity.fields.values() if each.description]


def _field_enum(entity: Entity, suffix: str, names: Sequence[str]) -> Any:
    members = {to_snake_case(name).upper(): name for name in names}
    cls: Any = Enum(f"{entity.name}{suffix}", members)  # type: ignore[misc] # members are data
    description = f"{entity.name} 的字段 | Fields of {entity.name}"
    enum: Any = strawberry.enum(cls, description=description)
    for value in enum.__strawberry_definition__.values:
        value.description = entity.fields[members[value.name]].description
    return enum


def _group_by(entity: Entity, fields: Any) -> Any:
    cls: Any = type(f"{entity.name}GroupBy", (), {})
    cls.__annotations__ = {"field": fields, "level": Optional[GroupLevel]}
    cls.field = strawberry.field(description="按哪个字段 | By which field")
    cls.level = strawberry.field(
        default=None, description="粗细,时间字段必填 | How coarse; needed for times"
    )
    return strawberry.input(cls, description=f"分组方式 | What {entity.name} is grouped by")


def _answer_type(entity: Entity, fields: Any, numeric: Any) -> Any:
    group: Any = type(f"{entity.name}Group", (), {})
    group.__annotations__ = {"keys": list[GroupKey], "suppressed": bool, "rows": Optional[int]}
    group.keys = strawberry.field(description="分组取值,合计没有 | Its values; none for the total")
    group.suppressed = strawberry.field(
        description="是否有数字因人数过少而不公布 | Whether a figure is null since too few people"
        " would stand behind it, or behind one that it would give away"
    )
    group.rows = strawberry.field(name="count", description="条数 | How many rows")
    for name, (figure, meaning) in _BY_FIELD.items():
        is_sum = figure in (Figure.SUM, Figure.AVERAGE)
        given = numeric if is_sum else fields
        if given is not None:
            setattr(group, name, _figure(figure, given, meaning))
    strawberry.type(group, description=f"一组 {entity.name} | A group of {entity.name}")
    answer: Any = type(f"{entity.name}Aggregate", (), {})
    answer.__annotations__ = {
        "groups": list[group],
        "total": group,
        "completeness": TableCompleteness,
    }
    answer.groups = strawberry.field(
        description="各组,按取值排列,空值在最后,至多1000组"
        " | The groups in the order of their values, nulls last, at most 1,000"
    )
    answer.total = strawberry.field(description="合计 | All of them")
    answer.completeness = strawberry.field(description="是否齐全 | Whether numbers are whole")
    return strawberry.type(answer, description=f"{entity.name} 的统计 | Figures of {entity.name}")


_RETURNS: Final[Mapping[Figure, Any]] = {
    Figure.COUNT_DISTINCT: int | None,
    Figure.MIN: str | None,
    Figure.MAX: str | None,
    Figure.SUM: Decimal | None,
    Figure.AVERAGE: Decimal | None,
}


def _figure(figure: Figure, fields: Any, meaning: str) -> Any:
    is_text = figure in (Figure.MIN, Figure.MAX)

    def resolve(parents: Sequence[_Row], _: object, field: Any) -> list[object]:
        wanted = Wanted(figure, field.value)
        column = [row.figures[wanted][row.place] for row in parents]
        return list(map(_text, column)) if is_text else column

    described = Annotated[fields, strawberry.argument(description="字段 | The field")]
    return set_field(resolve, _RETURNS[figure], {"field": described}, description=meaning)


def _arguments(inputs: Inputs, group_by: Any) -> Mapping[str, Any]:
    arguments = {
        "where": (inputs.where, "统计哪些 | Which rows are meant"),
        "group_by": (
            list[group_by],
            "分组方式,至多4项,不给则只有合计 | What to group by, at most 4",
        ),
        "partial": (bool, "有系统未答复时仍给出其余部分 | Count the rest where a system fails"),
    }
    return {
        name: Annotated[Optional[kind], strawberry.argument(description=meaning)]
        for name, (kind, meaning) in arguments.items()
    }


def _wanted(raw: RawInfo, fields: Any) -> tuple[Wanted, ...]:
    """Return the figures that the selection names, of groups and of the total alike."""
    found: dict[Wanted, None] = {}
    for node in (*named(raw, "groups"), *named(raw, "total")):
        figure = _FIGURES.get(node.name.value)
        if figure is not None:
            given = argument_of(raw, node, "field")
            name = given.value if isinstance(given, Enum) else fields[str(given)].value
            found[Wanted(figure, name)] = None
        elif node.name.value == "count":
            found[Wanted(Figure.COUNT)] = None
    return tuple(found)


def _dimensions(entity: Entity, given: Any) -> tuple[Dimension, ...]:
    parts = given or ()
    if len(parts) > MOST_FIELDS:
        raise BadInput(f"最多按{MOST_FIELDS}项分组。")
    found = tuple(
        Dimension(part.field.value, part.level.value if part.level else "") for part in parts
    )
    if len(set(found)) < len(found):
        raise BadInput("分组方式不能重复。")
    return found


async def _division_names(
    raw: RawInfo, entity: Entity, ask: TableAsk, table: Table
) -> dict[str, Mapping[str, str]]:
    """Return what the divisions among the keys are called, by field, where that is asked for."""
    places = [
        place
        for place, each in enumerate(ask.by)
        if entity.fields[each.field].kind is Kind.DIVISION
    ]
    if not places or all(node.name.value != "label" for node in named(raw, "groups", "keys")):
        return {}
    codes = {str(key[place]) for key in table.groups.keys for place in places}
    if not codes:
        return {}
    context: RequestContext = raw.context
    selection = Selection(_DIVISION, frozenset({"code", "name"}))
    found = await context.gate.read(context.asker, Ask(selection, In("code", tuple(sorted(codes)))))
    names = {str(record.get("code")): str(record.get("name")) for record in found.records}
    return {ask.by[place].field: names for place in places}


def _answer(ask: TableAsk, table: Table, labels: Mapping[str, Mapping[str, str]]) -> _Answer:
    columns = [
        _keys(each.field, column, labels.get(each.field, {}))
        for each, column in zip(ask.by, zip(*table.groups.keys, strict=True), strict=False)
    ]
    (total,) = _rows(table.total, [()])
    whole = TableCompleteness.LOWER_BOUND if table.failures else TableCompleteness.COMPLETE
    return _Answer(_rows(table.groups, list(zip(*columns, strict=True))), total, whole)


def _rows(groups: Groups, keys: Sequence[Sequence[GroupKey]]) -> list[_Row]:
    numbers = groups.figures.get(Wanted(Figure.COUNT), repeat(None))
    several = zip(keys, numbers, groups.suppressed, repeat(groups.figures), count(), strict=False)
    return list(map(_Row._make, several))


def _keys(name: str, column: Sequence[object], labels: Mapping[str, str]) -> list[GroupKey]:
    """Return the keys of a column of values, one and the same for equal ones."""
    made: dict[object, GroupKey] = {}
    for value in dict.fromkeys(column):
        text = _text(value)
        label = None if text is None else labels.get(text, text)
        made[value] = GroupKey(field=name, value=text, label=label)
    return [made[value] for value in column]


def _text(value: object) -> str | None:
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat else str(value)
