"""The division tree: what the lists hold, and that a scope is a prefix."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.divisions_from_packages import Bureau, Place, link, number_villages
from sources.divisions import (
    DATA,
    Division,
    DivisionTree,
    canonical,
    division_tree,
    padded,
    prefix_range,
)

LENGTHS = {"province": 2, "city": 4, "county": 6, "township": 9, "village": 12}
VILLAGES = [line.split(",") for line in (DATA / "villages.csv").read_text("utf-8").splitlines()[1:]]


def everything(tree: DivisionTree, code: str = "") -> list[Division]:
    found = list(tree.children(code))
    return found + [deeper for division in found for deeper in everything(tree, division.code)]


TREE = division_tree()
ALL = everything(TREE)


@st.composite
def codes(draw: st.DrawFn) -> str:
    parts = [f"{draw(st.integers(11, 82))}"]
    widths = (2, 2, 3, 3)[: draw(st.integers(0, 4))]
    parts += [f"{draw(st.integers(1, 10**width - 1)):0{width}}" for width in widths]
    return "".join(parts)


def test_the_tree_holds_both_lists() -> None:
    counts = Counter((division.level, division.kind == "zone") for division in ALL)

    assert counts == {
        ("province", False): 1,
        ("city", False): 13,
        ("county", False): 95,
        ("township", False): 1237,
        ("township", True): 99,
        ("village", False): 21958 - 276,
    }
    assert len(TREE) == len(ALL)


def test_townships_are_of_the_kind_their_number_says() -> None:
    expected = {"0": "street", "1": "town", "2": "township", "4": "zone"}

    wrong = [d for d in ALL if d.level == "township" and d.kind != expected[d.code[6]]]

    assert wrong == []


def test_every_parent_exists_one_level_up_and_is_a_prefix() -> None:
    levels = list(LENGTHS)

    for division in ALL:
        parent = TREE.get(division.parent)
        assert len(division.code) == LENGTHS[division.level]
        if parent is None:
            assert division == TREE.get("32")
        else:
            assert division.code.startswith(parent.code)
            assert levels.index(parent.level) == levels.index(division.level) - 1


def test_codes_are_unique_and_children_are_in_order() -> None:
    assert len({division.code for division in ALL}) == len(ALL)
    for division in ALL:
        beneath = [child.code for child in TREE.children(division.code)]
        assert beneath == sorted(beneath)


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("320105006", ("江苏省", "南京市", "建邺区", "兴隆街道")),
        ("320205106", ("江苏省", "无锡市", "锡山区", "锡北镇")),
        ("320411107", ("江苏省", "常州市", "新北区", "奔牛镇")),
        ("320481402", ("江苏省", "常州市", "溧阳市", "溧阳经济开发区")),
        ("32", ("江苏省",)),
        ("320105999", ()),
    ],
)
def test_known_places_have_their_names(code: str, path: tuple[str, ...]) -> None:
    assert TREE.name_path(code) == path


def test_ancestors_begin_with_the_province() -> None:
    assert [division.code for division in TREE.ancestors("320205106")] == ["32", "3202", "320205"]
    assert TREE.ancestors("320105999") == ()


def test_villages_hang_on_the_township_of_their_name_not_of_their_prefix() -> None:
    # The bureau's 320205105 is 锡北镇, the Ministry's 320205106; its own 320205106 is 东港镇.
    beneath = {row[4] for row in VILLAGES if row[3] == "320205106"}

    assert beneath == {"320205105"}
    assert TREE.children("320205106")[0] == Division(
        "320205106001", "八士居委会", "village", "community", "320205106"
    )


def test_every_village_is_listed_once_and_its_graph_code_begins_with_its_township() -> None:
    linked = [row for row in VILLAGES if row[3]]

    assert len({row[0] for row in VILLAGES}) == 21958
    assert len({row[5] for row in linked}) == len(linked) == 21958 - 276
    assert [row for row in linked if row[5][:9] != row[3]] == []
    assert {(row[3], row[5]) for row in VILLAGES if not (row[3] and row[5])} == {("", "")}


def test_a_scope_contains_itself_and_what_is_beneath_and_nothing_else() -> None:
    assert TREE.contains("320205", "320205")
    assert TREE.contains("320205", "320205106003")
    assert not TREE.contains("320205106", "320205")
    assert not TREE.contains("320205106", "320205105")
    assert not TREE.contains("320299", "320299101")
    assert not TREE.contains("", "320205")


@pytest.mark.parametrize(
    ("native", "code"),
    [
        ("320205101000", "320205101"),
        ("320205000000", "320205"),
        ("320200000000", "3202"),
        ("320000000000", "32"),
        ("320205101", "320205101"),
        ("320205000", "320205"),
        ("320205", "320205"),
        ("320200", "3202"),
        ("320000", "32"),
        ("3200", "32"),
        ("320205101003", "320205101003"),
        ("320100", "3201"),
        ("320110100000", "320110100"),
        ("", None),
        ("000000", None),
        ("3", None),
        ("32020", None),
        ("3202051010000", None),
        ("32020A", None),
        ("320205 ", None),
        ("３２０２０５", None),
        ("-32020", None),
    ],
)
def test_native_codes_lose_their_padding(native: str, code: str | None) -> None:
    assert TREE.canonical(native) == code


@given(codes())
def test_padding_and_stripping_are_inverse(code: str) -> None:
    assert len(padded(code)) == 12
    assert canonical(padded(code)) == code
    assert canonical(code) == code


@given(codes(), codes())
def test_the_range_holds_exactly_the_codes_that_begin_with_the_scope(scope: str, code: str) -> None:
    lower, upper = prefix_range(scope)

    for text in (code, scope + code, code[: len(scope)]):
        assert (lower <= text < upper) == text.startswith(scope)


@given(codes(), codes())
def test_the_range_holds_for_padded_codes_too(scope: str, code: str) -> None:
    lower, upper = prefix_range(scope)

    assert (lower <= padded(code) < upper) == padded(code).startswith(scope)


def test_colliding_villages_take_the_next_free_number() -> None:
    links = {"320205101": "320205106", "320205400": "320205106"}
    villages = [
        Place(code, "村")
        for code in ("320205101200", "320205101201", "320205400200", "320205400202")
    ]

    codes = [village.graph_code for village in number_villages(villages, links)]

    assert codes == ["320205106200", "320205106201", "320205106203", "320205106202"]


def test_townships_are_linked_by_names_within_county_then_city() -> None:
    ministry = [
        Place("3202", "甲市"),
        Place("320205", "东区"),
        Place("320206", "西区"),
        Place("320205101", "北镇"),
        Place("320205102", "南镇"),
        Place("320206101", "中镇"),
    ]
    townships = (
        Place("320205102", "北镇"),
        Place("320205103", "中镇"),
        Place("320205400", "新区（南镇）"),
        Place("320205401", "有人农场"),
        Place("320205402", "无人园区"),
        Place("320271101", "别镇"),
    )
    villages = (Place("320205401500", "一队"), Place("320205402498", "虚拟社区"))
    counties = {"320205": "东区", "320271": "经济开发区"}

    links = link(ministry, Bureau({"3202": "甲市"}, counties, townships, villages))

    assert links.townships == {
        "320205102": "320205101",
        "320205103": "320206101",
        "320205400": "320205102",
        "320205401": "320205401",
    }
    assert [zone.place.name for zone in links.zones] == ["有人农场", "溧阳经济开发区"]


def test_a_zone_that_takes_a_listed_code_is_refused() -> None:
    ministry = [Place("3204", "常州市"), Place("320481", "溧阳市"), Place("320481402", "别区")]

    with pytest.raises(ValueError, match="320481402"):
        link(ministry, Bureau({}, {}, (), ()))
