"""A document's cost is found in one pass, and a document that costs too much is refused."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from graphql import Visitor, parse, visit
from graphql.utilities import get_introspection_query
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import BadInput, TooComplex
from schema.limits import CEILING, Limits, Measures, check_limits, check_text, measures

LIMITS = Limits()


def measured(source: str, name: str | None = None, **variables: Any) -> Measures:
    return measures(parse(source), name, variables, LIMITS)


def nodes(source: str, **variables: Any) -> int:
    return measured(source, **variables).operation.nodes


def refusal(source: str, limits: Limits = LIMITS, **variables: Any) -> str:
    with pytest.raises(TooComplex) as caught:
        check_limits(parse(source), None, variables, limits)
    return caught.value.message


def chain(length: int, spreads: int = 2) -> str:
    links = "".join(
        f"fragment f{n} on R{{{''.join(f'...f{n + 1} ' * spreads)}}}" for n in range(length)
    )
    return f"{{r{{...f0}}}}{links}fragment f{length} on R{{a}}"


def node_count(source: str) -> int:
    class Counting(Visitor):
        count = 0

        def enter_field(self, *_: Any) -> None:
            self.count += 1

        enter_fragment_spread = enter_inline_fragment = enter_field

    counting = Counting()
    visit(parse(source), counting)
    return counting.count


def test_a_bomb_of_827_bytes_is_refused_after_visiting_each_of_its_nodes_once() -> None:
    bomb = chain(25)

    found = measured(bomb)

    assert [len(bomb), found.visits, found.operation.fields] == [827, node_count(bomb), 2**25 + 1]
    assert refusal(bomb) == "查询的字段过多,最多 1000 个,请只查询需要的字段。"


@pytest.mark.parametrize("length", [10, 100, 1000])
def test_visits_grow_with_the_document_and_not_with_what_it_unfolds_to(length: int) -> None:
    source = chain(length, spreads=3)

    assert measured(source).visits == node_count(source)


@pytest.mark.parametrize(
    "source",
    [
        "{r{...a}} fragment a on R{...a}",
        "{r{...a}} fragment a on R{...b} fragment b on R{...a}",
        "{r{...a}} fragment a on R{x{...b}} fragment b on R{y{...a ...b}}",
        "{r{...nowhere}}",
    ],
)
def test_fragments_in_a_circle_or_missing_are_left_to_validation(source: str) -> None:
    check_limits(parse(source), None, None, LIMITS)

    assert measured(source).visits == node_count(source)


def test_depth_counts_fields_through_fragments() -> None:
    source = "{a{...f ... on R{... @include(if:true){b{c}}}}} fragment f on R{b{c{d{e}}}}"

    assert measured(source).operation.depth == 5


def test_too_deep_a_query_is_told_to_go_less_deep() -> None:
    twelve = "{" + "a{" * 11 + "b" + "}" * 12

    check_limits(parse(twelve), None, None, LIMITS)

    assert refusal("{a" + twelve + "}") == "查询最多嵌套 12 层,请去掉最里层内容或分成几次查询。"


def test_aliases_count_as_often_as_they_are_spread() -> None:
    source = "{...f ...f ...f} fragment f on Query{x:a y:a z:b}"

    assert measured(source).operation.aliases == 9
    assert refusal(source, replace(LIMITS, aliases=8)).startswith("别名过多,最多 8 个")


def test_what_a_fragment_holds_counts_where_it_is_spread_and_not_once_more() -> None:
    spread = measured("{...f} fragment f on Query{x:a y:b}").document
    idle = measured("{a} fragment f on Query{x:a y:b z:c}").document

    assert [(spread.aliases, spread.fields), (idle.aliases, idle.fields)] == [(2, 2), (3, 3)]


def test_aliases_of_every_operation_count() -> None:
    source = "query A{x:a} query B{y:a}"

    assert measured(source, "A").document.aliases == 2


def test_root_fields_count_through_fragments_for_the_chosen_operation_alone() -> None:
    source = "query A{a b ...f} query B{a} fragment f on Query{c d ... {e}}"

    assert [measured(source, name).operation.root_fields for name in ("A", "B", "C", None)] == [
        5,
        1,
        0,
        0,
    ]
    assert refusal("{...f} fragment f on Query{" + " ".join(f"a{n}" for n in range(21)) + "}") == (
        "最外层最多 20 项,请分成几次查询。"
    )


@pytest.mark.parametrize(
    ("source", "cost"),
    [
        ("{me}", 0),
        ("{me{account}}", 1),
        ("{residents{nodes{name}}}", 20),
        ("{residents{edges{node{name}}}}", 20),
        ("{residents{pageInfo{hasNextPage} nodes{name}}}", 20),
        ("{residents(first:7){nodes{name}}}", 7),
        ("{residents(last:7){nodes{name}}}", 7),
        ("{residents(first:0){nodes{name}}}", 0),
        ("{residents(first:null){nodes{name}}}", 20),
        ("{residents(first:-5){nodes{name}}}", 20),
        ('{residents(first:"7"){nodes{name}}}', 20),
        ("{residents(first:3,last:9){nodes{name}}}", 9),
        ("{residents(first:50){nodes{household{members{name}}}}}", 150),
        ("{residents(first:50){nodes{cases(first:5){nodes{matter{name}}}}}}", 550),
        ("{residents(first:50){nodes{cases{nodes{status}}}}}", 1050),
        (
            "{residents(first:50){...f}} fragment f on C{nodes{c{...g}}} fragment g on C{nodes{s}}",
            1050,
        ),
        (
            "{residents(first:50){...f}} fragment g on C{nodes{s}} fragment f on C{nodes{c{...g}}}",
            1050,
        ),
        ("{a:residents(first:5){nodes{name}} b:residents(first:6){nodes{name}}}", 11),
        ("{node(id:1){... on Resident{household{address}}}}", 2),
        ("{__schema{types{fields{name}}} __type(name:1){fields{name}}}", 0),
        ("{residents(first:99999999999999999999){nodes{name}}}", CEILING),
        ("{a(first:9999){b(first:9999){c(first:9999){d}}}}", CEILING),
    ],
)
def test_nodes_multiply_down_the_tree(source: str, cost: int) -> None:
    assert nodes(source) == cost


@pytest.mark.parametrize(
    ("variables", "cost"),
    [
        ({"n": 9}, 9),
        ({"n": 0}, 0),
        ({"n": None}, 20),
        ({}, 30),
        ({"n": True}, 20),
        ({"n": "9"}, 20),
        ({"n": 10**18}, CEILING),
    ],
)
def test_nodes_follow_variables_and_their_defaults(variables: dict[str, object], cost: int) -> None:
    source = "query($n:Int=30){residents(first:$n){...f}} fragment f on C{nodes{name}}"

    assert nodes(source, **variables) == cost


def test_too_many_nodes_are_told_what_to_narrow() -> None:
    source = "query($n:Int){residents(first:$n){nodes{cases(first:100){nodes{status}}}}}"

    check_limits(parse(source), None, {"n": 99}, LIMITS)

    assert refusal(source, n=100) == (
        "查询可能返回超过 10,000 条记录,请减小 first 或 last、去掉内层列表或缩小区划范围。"
    )


def test_the_usual_introspection_passes_and_a_deeper_one_does_not() -> None:
    usual = get_introspection_query(input_value_deprecation=True, specified_by_url=True)
    check_text(usual, LIMITS)
    check_limits(parse(usual), None, None, LIMITS)

    deep = "{__type(name:1){" + "ofType{" * 15 + "name" + "}" * 17

    assert refusal(deep).startswith("结构查询(__schema、__type)最多嵌套 16 层")


def test_repeated_fields_are_refused_before_validation_compares_them_all() -> None:
    assert refusal("{" + "a{b}" * 6 + "}").startswith("同一字段重复出现过多,最多 5 次")


def test_many_fragments_are_refused() -> None:
    assert refusal(chain(50, spreads=1)).startswith("片段(fragment)过多,最多 50 个")


def test_nesting_counts_selection_sets_that_hold_no_field() -> None:
    inline = "{" + "...{" * 10 + "a" + "}" * 11

    assert measured(inline).operation.nesting == 11
    assert refusal(inline, replace(LIMITS, nesting=10)).startswith("片段套用超过 10 层")


@pytest.mark.parametrize(
    "source",
    [
        '{a(x:"{{{{ [[[[ (((("){b}}',
        '{a(x:"""{{{{ \\""" [[[["""){b}}',
        "{a # {{{{ ((((\n}",
        '{a(x:"\\"{{{{"){b}}',
    ],
)
def test_brackets_in_texts_and_comments_do_not_nest(source: str) -> None:
    check_text(source, replace(LIMITS, nesting=2))


@pytest.mark.parametrize("brackets", ["{", "[", "(", "{a(b:[", '"""x"""{', "#\n{"])
def test_a_text_of_many_brackets_is_refused_before_it_is_parsed(brackets: str) -> None:
    with pytest.raises(TooComplex) as caught:
        check_text(brackets * 200, LIMITS)

    assert caught.value.message == "查询语句括号嵌套超过 64 层,请减少嵌套。"


def test_a_text_of_many_words_is_refused_before_it_is_parsed() -> None:
    check_text("{" + "a " * 4998 + "}", LIMITS)

    with pytest.raises(TooComplex) as caught:
        check_text("{" + "a " * 4999 + "}", LIMITS)

    assert caught.value.message == "查询语句过长(超过 5000 个词),请分成几次查询。"


def test_an_integer_of_many_digits_is_refused_before_it_is_read() -> None:
    check_text("{a(x:1234567890123456789)}", LIMITS)

    with pytest.raises(BadInput) as caught:
        check_text("{a(x:12345678901234567890)}", LIMITS)

    assert caught.value.message == "查询语句中的整数最多 19 位;编号请加引号写成文本。"


@given(st.text(alphabet='"\\{}#\n a.1', max_size=400))
def test_any_text_is_scanned_to_its_end_without_an_error(text: str) -> None:
    check_text(text, replace(LIMITS, nesting=10_000))


def test_every_limit_and_its_default_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")

    assert [
        limit.name
        for limit in fields(Limits)
        if limit.name != "lists" and f"| `{limit.name}` | {limit.default} |" not in text
    ] == []


def test_a_plain_list_counts_as_several_objects_unless_it_says_how_many() -> None:
    limits = Limits(lists=frozenset({"members"}), list_size=5)
    source = "{ a: household { members { name } } b: household { members(first: 2) { name } } }"

    found = measures(parse(source), None, None, limits)

    assert found.operation.nodes == 1 + 5 + 1 + 2
