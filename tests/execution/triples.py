"""
Schemas, queries and values by chance, some of them faulty, the same for the same seed.

A value is made when it is asked for, from the seed and its place alone, so that two executors that
ask in another order get the same values.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal

from graphql import (
    DocumentNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    parse,
    validate,
)

Mode = Literal["sync", "mixed", "async"]
LEAVES: Final = ("ID", "String", "Int", "Float", "Boolean", "Color")
WRAPPINGS: Final = ("{}", "{}", "{}!", "[{}]", "[{}!]", "[{}!]!", "[{}]!", "[[{}]]", "[[{}!]!]!")
CONDITIONS: Final = ("", "", "", " @include(if: $yes)", " @skip(if: $yes)", " @skip(if: $no)")
DEEPEST: Final = 4


@dataclass(frozen=True, slots=True)
class Triple:
    """A document that fits a schema, and the root of values for it."""

    schema: GraphQLSchema
    text: str
    document: DocumentNode
    variables: dict[str, object]
    values: Callable[[], "Value"]


def triple(seed: int, mode: Mode, faults: float) -> Triple:
    """Return the triple of a seed."""
    chance = Random(f"{seed} {mode}")
    schema = build_schema(_schema(chance))
    text = _Writer(schema, chance).document()
    document = parse(text)
    assert not validate(schema, document), text
    maker = Maker(schema, seed, mode, faults)
    variables: dict[str, object] = {"yes": chance.random() < 0.5} if "$yes:" in text else {}
    return Triple(schema, text, document, variables, lambda: Value(maker, "Query", 0, "root"))


def _schema(chance: Random) -> str:
    objects = [f"T{number}" for number in range(chance.randint(2, 5))]
    shared = {name: _field(chance, [*objects, "Node"]) for name in ("s0", "s1")}
    nodes = [name for name in objects if chance.random() < 0.6] or objects[:1]
    united = chance.sample(objects, chance.randint(1, len(objects)))
    parts = ["enum Color { RED GREEN BLUE }", f"union Either = {' | '.join(united)}"]
    known = [*objects, "Node", "Either"]
    parts.append(f"interface Node {{ {_fields(shared)} }}")
    for name in (*objects, "Query"):
        own = {f"f{number}": _field(chance, known) for number in range(chance.randint(2, 6))}
        kept = shared if name in nodes else {}
        implements = " implements Node" if name in nodes else ""
        parts.append(f"type {name}{implements} {{ {_fields({**kept, **own})} }}")
    return "\n".join(parts)


def _field(chance: Random, composite: list[str]) -> str:
    name = chance.choice(LEAVES if chance.random() < 0.55 else composite)
    arguments = "(x: Int! = 3, y: [Int!])" if chance.random() < 0.1 else ""
    return f"{arguments}: {chance.choice(WRAPPINGS).format(name)}"


def _fields(fields: dict[str, str]) -> str:
    return " ".join(f"{name}{rest}" for name, rest in fields.items())


class _Writer:
    """Writes a query; names in it tell the type of what they name, so that they never conflict."""

    def __init__(self, schema: GraphQLSchema, chance: Random) -> None:
        self._schema = schema
        self._chance = chance
        self._fragments: list[str] = []

    def document(self) -> str:
        body = self._selection("Query", 0)
        text = f"{{ {body} }} {' '.join(self._fragments)}"
        used = [each for each in ("yes", "no", "n") if f"${each})" in text]
        kinds = {"yes": "Boolean = true", "no": "Boolean = false", "n": "Int = 9"}
        declared = ", ".join(f"${each}: {kinds[each]}" for each in used)
        return f"query{f'({declared})' if declared else ''} {text}"

    def _selection(self, name: str, depth: int) -> str:
        parts = (self._part(name, depth) for _ in range(self._chance.randint(1, 5)))
        return " ".join(part for part in parts if part) or "__typename"

    def _part(self, name: str, depth: int) -> str:
        chance = self._chance
        kind, condition = chance.random(), chance.choice(CONDITIONS)
        typed = self._schema.type_map[name]
        if isinstance(typed, GraphQLUnionType) or (kind < 0.2 and name != "Query"):
            inner = chance.choice(self._overlapping(name))
            return f"... on {inner}{condition} {{ {self._selection(inner, depth + 1)} }}"
        if kind < 0.27:
            return "__typename"
        if kind < 0.35 and depth < DEEPEST:
            label = f"F{len(self._fragments)}"
            self._fragments.append("")
            written = f"fragment {label} on {name} {{ {self._selection(name, depth + 1)} }}"
            self._fragments[int(label[1:])] = written
            return f"...{label}{condition}"
        return self._field(name, depth, condition)

    def _field(self, parent: str, depth: int, condition: str) -> str:
        fields: Any = self._schema.type_map[parent]
        name = self._chance.choice(sorted(fields.fields))
        field = fields.fields[name]
        arguments = self._chance.choice(("", "(x: 4, y: [1])", "(x: $n)")) if field.args else ""
        alias = f"{name}_{parent}_{len(arguments)}"
        inner = get_named_type(field.type).name
        if inner in LEAVES:
            return f"{alias}: {name}{arguments}{condition}"
        if depth >= DEEPEST:
            return ""
        return f"{alias}: {name}{arguments}{condition} {{ {self._selection(inner, depth + 1)} }}"

    def _overlapping(self, name: str) -> list[str]:
        typed: Any = self._schema.type_map[name]
        if isinstance(typed, GraphQLObjectType):
            return [name, *(each.name for each in typed.interfaces)]
        return [name, *(each.name for each in self._schema.get_possible_types(typed))][
            isinstance(typed, GraphQLUnionType) :
        ]


class Maker:
    """Makes values by their place."""

    def __init__(self, schema: GraphQLSchema, seed: int, mode: Mode, faults: float) -> None:
        self.schema = schema
        self.seed = seed
        self._mode = mode
        self._faults = faults

    def field(self, chance: Random, typed: Any, depth: int, place: str) -> object:
        """Return what an object has under the name of a field."""
        value = self._value(chance, typed, depth, place)
        error: Exception | None = None
        if chance.random() < self._faults:
            kind = chance.random()
            if kind < 0.45:
                value = None
            elif kind < 0.9:
                error = ValueError(f"no {place}")
            else:
                value = chance.choice((object(), [None, 5]))
        return self._given(chance, value, error)

    def _given(self, chance: Random, value: object, error: Exception | None) -> object:
        kind = chance.random()
        if self._mode == "async" or (self._mode == "mixed" and kind < 0.5):
            turns = chance.choice((0, 0, 1, 2))

            async def later(_: object, **__: object) -> object:
                for _turn in range(turns):
                    await asyncio.sleep(0)
                if error is not None:
                    raise error
                return value

            return later
        if kind < 0.7:
            return error or value

        def now(_: object, **__: object) -> object:
            if error is not None:
                raise error
            return value

        return now

    def _value(self, chance: Random, typed: Any, depth: int, place: str) -> Any:
        if isinstance(typed, GraphQLNonNull):
            return self._value(chance, typed.of_type, depth, place)
        if isinstance(typed, GraphQLList):
            count = chance.choice((0, 1, 2, 3)) if depth < DEEPEST else 0
            items = [
                self._item(chance, typed.of_type, depth, f"{place}[{number}]")
                for number in range(count)
            ]
            return tuple(items) if chance.random() < 0.2 else items
        if typed.name in LEAVES:
            return _leaf(chance, typed.name)
        return Value(self, self._runtime(chance, typed), depth + 1, place)

    def _item(self, chance: Random, typed: Any, depth: int, place: str) -> object:
        if chance.random() < self._faults:
            return chance.choice((None, ValueError(f"no {place}")))
        value = self._value(chance, typed, depth, place)
        return Later(value) if self._mode != "sync" and chance.random() < 0.2 else value

    def _runtime(self, chance: Random, typed: Any) -> str:
        if isinstance(typed, (GraphQLInterfaceType, GraphQLUnionType)):
            names = sorted(each.name for each in self.schema.get_possible_types(typed))
            wrong = sorted(name for name in self.schema.type_map if name.startswith("T"))
            return chance.choice(wrong if chance.random() < self._faults / 3 else names)
        return str(typed.name)


def _leaf(chance: Random, name: str) -> object:
    choices: dict[str, tuple[object, ...]] = {
        "ID": ("i", 5, True),
        "String": ("s", "t", 3, 2.5),
        "Int": (1, 2, True, 7, 2.0),
        "Float": (1.5, 2, 2.5),
        "Boolean": (True, False, 1),
        "Color": ("RED", "GREEN"),
    }
    wrong: dict[str, object] = {"Int": 2**31, "Float": float("nan"), "Color": "PINK", "ID": 1.5}
    return wrong.get(name, "s") if chance.random() < 0.03 else chance.choice(choices[name])


class Later:
    """An item that is waited for, as often as somebody likes."""

    def __init__(self, value: object) -> None:
        self._value = value

    async def _arrive(self) -> object:
        await asyncio.sleep(0)
        if isinstance(self._value, Exception):
            raise self._value
        return self._value

    def __await__(self) -> Generator[Any, Any, object]:
        return self._arrive().__await__()


class Value(dict[str, object]):
    """An object of a type, its fields made when they are asked for."""

    def __init__(self, maker: Maker, name: str, depth: int, place: str) -> None:
        super().__init__({} if name == "Query" else {"__typename": name})
        self._maker = maker
        self._name = name
        self._depth = depth
        self._place = place

    def get(self, key: str, default: object = None) -> Any:
        """Return a field's value, the same each time."""
        if key not in self:
            fields: Any = self._maker.schema.type_map[self._name]
            if key not in fields.fields:
                return default
            place = f"{self._place}.{key}"
            chance = Random(f"{self._maker.seed} {place}")
            self[key] = self._maker.field(chance, fields.fields[key].type, self._depth, place)
        return self[key]


async def awaited(answer: Any) -> Any:
    """Return the answer, waited for where it has to be."""
    if isinstance(answer, Awaitable):
        async with asyncio.timeout(10):
            return await answer
    return answer
