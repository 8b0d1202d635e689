"""The laws of the algebra, and its truth against two databases that know nothing of it."""

import sqlite3
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from contract.entity import Field, Kind
from contract.predicate import (
    FALSE,
    INVALID,
    TRUE,
    And,
    Comparison,
    Constant,
    Contains,
    Exists,
    In,
    IsNull,
    Not,
    Operator,
    Or,
    Predicate,
    StartsWith,
    Truth,
    Within,
    all_of,
    any_of,
    conjuncts,
    evaluate,
    evaluator,
    fields_of,
    negation,
    relations_of,
    rewritten,
)
from demo.postgres import Postgres
from tests.predicates import TEXTS, predicates

FIELDS = (Field("word", Kind.STRING), Field("size", Kind.INTEGER))
SIGNS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

some = predicates(FIELDS)
rows = st.tuples(st.sampled_from((None, *TEXTS)), st.sampled_from((None, -2, -1, 0, 1, 2)))
Row = tuple[str | None, int | None]


def truth(predicate: Predicate, row: Row) -> Truth:
    return evaluate(predicate, {"word": row[0], "size": row[1]})


@given(some, rows)
def test_true_is_the_identity_of_all_of_and_false_absorbs(predicate: Predicate, row: Row) -> None:
    joined = all_of(predicate, TRUE)

    assert truth(joined, row) == truth(predicate, row)
    assert all_of(predicate, FALSE) == FALSE


@given(some, rows)
def test_false_is_the_identity_of_any_of_and_true_absorbs(predicate: Predicate, row: Row) -> None:
    joined = any_of(predicate, FALSE)

    assert truth(joined, row) == truth(predicate, row)
    assert any_of(predicate, TRUE) == TRUE


@given(some, some, rows)
def test_all_of_and_any_of_join_truths_as_kleene_says(
    left: Predicate, right: Predicate, row: Row
) -> None:
    order = (False, None, True)
    truths = sorted((truth(left, row), truth(right, row)), key=order.index)

    assert (truth(all_of(left, right), row), truth(any_of(left, right), row)) == tuple(truths)


@given(some, rows)
def test_negation_swaps_true_and_false_and_keeps_unknown(predicate: Predicate, row: Row) -> None:
    swapped = {True: False, False: True, None: None}

    assert truth(negation(predicate), row) == swapped[truth(predicate, row)]
    assert truth(negation(negation(predicate)), row) == truth(predicate, row)


@given(some, rows)
def test_conjuncts_joined_again_have_the_same_truth(predicate: Predicate, row: Row) -> None:
    assert truth(all_of(*conjuncts(predicate)), row) == truth(predicate, row)


@given(some, rows)
def test_rewriting_without_a_change_keeps_the_truth(predicate: Predicate, row: Row) -> None:
    assert truth(rewritten(predicate, lambda part: part), row) == truth(predicate, row)


@given(st.lists(rows, min_size=1, max_size=4), some)
def test_evaluate_equals_sqlite(given_rows: list[Row], predicate: Predicate) -> None:
    with sqlite3.connect(":memory:") as connection:
        answer = connection.execute(statement(predicate, given_rows, "instr")).fetchall()
    connection.close()

    assert answers(answer) == [truth(predicate, row) for row in given_rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, min_size=1, max_size=4), some)
async def test_evaluate_equals_postgresql(
    postgres: Postgres, given_rows: list[Row], predicate: Predicate
) -> None:
    engine = create_async_engine(postgres.url("postgres"), poolclass=NullPool)
    async with engine.connect() as connection:
        text = statement(predicate, given_rows, "strpos")
        answer = (await connection.exec_driver_sql(text)).all()
    await engine.dispose()

    assert answers([tuple(row) for row in answer]) == [truth(predicate, row) for row in given_rows]


def test_an_invalid_value_is_null_in_every_respect() -> None:
    row = {"word": INVALID}
    asked = (
        Comparison("word", Operator.EQ, "a"),
        Not(In("word", ("a",))),
        Contains("word", ""),
        IsNull("word"),
    )

    assert [evaluate(predicate, row) for predicate in asked] == [None, None, None, True]


def test_a_place_is_within_the_divisions_that_its_code_begins_with_and_in_no_other() -> None:
    codes = ("320205106", "320205", "3202", "103202051", "320206205106", "", None)

    assert [truth(Within("word", "320205"), (code, None)) for code in codes] == [
        *(True, True),
        *(False, False, False, False),
        None,
    ]


def test_fields_and_relations_are_those_of_the_own_row() -> None:
    exists = Exists("cases", IsNull("status"))
    predicate = all_of(negation(exists), any_of(IsNull("word"), Within("size", "32")))

    assert fields_of(predicate) == {"word", "size"}
    assert relations_of(predicate) == (exists,)


def test_exists_is_answered_by_who_knows_the_related_rows() -> None:
    exists = Exists("cases", TRUE)

    test = evaluator(negation(exists), ("word",), lambda _: lambda row: row[0] == "a")

    assert [test(("a",)), test(("b",))] == [False, True]
    with pytest.raises(TypeError, match="related"):
        evaluator(exists, ("word",))


def statement(predicate: Predicate, given_rows: Sequence[Row], find: str) -> str:
    listed = " UNION ALL ".join(
        f"SELECT {place} AS place, CAST({literal(word)} AS TEXT) AS word,"
        f" CAST({literal(size)} AS BIGINT) AS size"
        for place, (word, size) in enumerate(given_rows)
    )
    text = sql(predicate, find)
    truths = f"CASE WHEN {text} THEN 'T' WHEN NOT {text} THEN 'F' END"
    return f"SELECT {truths} FROM ({listed}) r ORDER BY place"  # noqa: S608 -- values of ours


def answers(found: Sequence[Sequence[object]]) -> list[Truth]:
    return [{"T": True, "F": False}.get(str(row[0])) for row in found]


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def sql(predicate: Predicate, find: str) -> str:
    match predicate:
        case Constant(answer):
            return {True: "(1 = 1)", False: "(1 = 0)", None: "(1 = NULL)"}[answer]
        case Not(inner):
            return f"(NOT {sql(inner, find)})"
        case And(parts):
            return f"({' AND '.join(sql(part, find) for part in parts)})"
        case Or(parts):
            return f"({' OR '.join(sql(part, find) for part in parts)})"
        case _:
            return f"({leaf_sql(predicate, find)})"


def leaf_sql(predicate: Predicate, find: str) -> str:
    match predicate:
        case Comparison(field, operator, operand):
            return f"{field} {SIGNS[operator]} {literal(operand)}"
        case In(field, ()):
            return f"{field} <> {field}"
        case In(field, operands):
            return f"{field} IN ({', '.join(map(literal, operands))})"
        case IsNull(field):
            return f"{field} IS NULL"
        case StartsWith(field, prefix):
            return f"substr({field}, 1, {len(prefix)}) = {literal(prefix)}"
        case Contains(field, text):
            return f"{find}({field}, {literal(text)}) > 0"
        case _:
            raise AssertionError(predicate)
