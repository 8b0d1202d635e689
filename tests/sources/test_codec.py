"""Laws of codecs: native values and ours, there and back, in order."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.predicate import INVALID, Operator
from sources.codec import (
    boolean,
    calendar,
    canonical_division,
    code,
    compared,
    decimal,
    division,
    instant,
    integer,
    money,
    numeral,
    text,
)
from sources.declaration import Codec

SHANGHAI = timezone(timedelta(hours=8))
MORNING = datetime(2024, 5, 1, 0, 30, tzinfo=UTC)
THERE = MORNING.astimezone(SHANGHAI).replace(tzinfo=None)
HALF = timedelta(seconds=0.5)
PLAIN = instant("plain", "Asia/Shanghai")
LOCAL = instant("plain", "Asia/Shanghai", "timestamp")
DATES = st.dates()
TIMES = st.datetimes(datetime(1995, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 -- zone below
    lambda moment: moment.replace(tzinfo=UTC)
)
SECONDS = TIMES.map(lambda moment: moment.replace(microsecond=0))
AMOUNTS = st.decimals(-(10**9), 10**9, places=4)
CENTS = st.decimals(-(10**9), 10**9, places=2)
TEXTS = st.text("aAbB 0é𠮷", max_size=4)
CODES = st.sampled_from([2, 4, 6, 9, 12]).flatmap(
    lambda width: st.text("012", min_size=width, max_size=width)
)

WHOLE: dict[str, tuple[Codec, st.SearchStrategy[object]]] = {
    "text": (text(), TEXTS),
    "integer": (integer(), st.integers()),
    "numeral": (numeral(), st.integers().map(str)),
    "boolean": (boolean(), st.booleans()),
    "boolean in words": (boolean("Y", "N"), st.booleans()),
    "code": (code({"1": "ONE", "01": "ONE", "2": "TWO"}), st.sampled_from(["ONE", "TWO"])),
    "yuan": (money("yuan"), AMOUNTS),
    "yuan in floats": (money("yuan", "float"), CENTS),
    "fen": (money("fen", "integer"), CENTS),
    "yuan in texts": (money("yuan", "text"), AMOUNTS),
    "decimal": (decimal(), AMOUNTS),
    "date": (calendar("iso", "date"), DATES),
    "yyyymmdd": (calendar("yyyymmdd"), DATES),
    "yyyymmdd in integers": (calendar("yyyymmdd", "integer"), DATES),
    "yyyymm": (calendar("yyyymm"), DATES.map(lambda day: day.replace(day=1))),
    "iso date": (calendar("iso"), DATES),
    "iso time": (instant("iso", "Asia/Shanghai"), SECONDS),
    "plain": (instant("plain", "Asia/Shanghai"), SECONDS),
    "timestamp": (LOCAL, TIMES),
    "timestamptz": (instant("iso", "Asia/Shanghai", "timestamptz"), TIMES),
    "epoch_ms": (instant("epoch_ms", "UTC"), SECONDS),
    "division": (division(), CODES.map(canonical_division)),
}
# Values between native ones too: what no native value says must still compare.
ORDERED: dict[str, tuple[Codec, st.SearchStrategy[object], st.SearchStrategy[object]]] = {
    "text": (text(), TEXTS, TEXTS),
    "integer": (integer(), st.integers(), st.integers()),
    "yuan": (money("yuan"), AMOUNTS, AMOUNTS),
    "yuan in floats": (money("yuan", "float"), st.integers(-99, 99).map(lambda n: n / 7), AMOUNTS),
    "fen": (money("fen", "integer"), st.integers(-99, 99), st.decimals(-1, 1, places=3)),
    "decimal": (decimal("integer"), st.integers(-9, 9), st.decimals(-9, 9, places=1)),
    "yyyymmdd": (calendar("yyyymmdd"), DATES.map(lambda day: f"{day.year:04}{day:%m%d}"), DATES),
    "yyyymm": (calendar("yyyymm"), DATES.map(lambda day: f"{day.year:04}{day:%m}"), DATES),
    "yyyymm in integers": (
        calendar("yyyymm", "integer"),
        DATES.map(lambda day: day.year * 100 + day.month),
        DATES,
    ),
    "iso": (calendar("iso"), DATES.map(date.isoformat), DATES),
    "plain": (
        instant("plain", "Asia/Shanghai"),
        TIMES.map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S")),
        TIMES,
    ),
    "timestamp": (
        instant("plain", "Asia/Shanghai", "timestamp"),
        TIMES.map(lambda moment: moment.replace(tzinfo=None)),
        TIMES,
    ),
    "epoch_ms": (instant("epoch_ms", "UTC"), st.integers(-(10**6), 10**6), TIMES),
}
COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.LT: lt,
    Operator.LTE: le,
    Operator.GT: gt,
    Operator.GTE: ge,
}


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_every_native_of_a_value_decodes_to_the_value(name: str, data: st.DataObject) -> None:
    codec, values = WHOLE[name]
    value = data.draw(values)

    natives = codec.encode(value)

    assert natives
    assert {codec.decode(native) for native in natives} == {value}


@pytest.mark.parametrize("name", ORDERED)
@given(data=st.data())
def test_native_order_is_our_order(name: str, data: st.DataObject) -> None:
    codec, natives, values = ORDERED[name]
    native, value = data.draw(natives), data.draw(values)
    ours = codec.decode(native)

    answers = {}
    for operator in COMPARE:
        asked, bound = compared(codec, operator, value)
        answers[operator] = COMPARE[asked](native, bound)

    assert codec.ordered
    assert answers == {operator: compare(ours, value) for operator, compare in COMPARE.items()}


@given(TEXTS)
def test_encode_leaves_out_no_spelling_of_a_text(native: str) -> None:
    for codec in (text(), text(upper=True)):
        assert native in codec.encode(codec.decode(native))
    trimmed = text(trim=True, upper=True)
    assert native.rstrip(" ") in trimmed.encode(trimmed.decode(native))


@given(CODES)
def test_encode_leaves_out_no_padding_of_a_division(native: str) -> None:
    codec, padded = division(), division(len(native))

    assert native in codec.encode(codec.decode(native))
    assert padded.encode(padded.decode(native)) == (native,)


@given(CODES)
def test_canonical_divisions_stay_as_they_are(native: str) -> None:
    canonical = canonical_division(native)

    assert canonical_division(canonical) == canonical
    assert native == canonical.ljust(len(native), "0")


@given(st.decimals(-99, 99, places=3))
def test_money_is_never_rounded(native: Decimal) -> None:
    codec = money("yuan")

    assert codec.encode(codec.decode(native)) == (native,)


@given(st.floats(-(10**6), 10**6))
def test_floats_keep_their_shortest_spelling(native: float) -> None:
    codec = decimal("float")
    ours = codec.decode(native)

    assert ours is INVALID or codec.encode(ours) == (native,)


@pytest.mark.parametrize(
    ("codec", "native", "value"),
    [
        (text(), "Ab ", "Ab "),
        (text(trim=True), "Ab  ", "Ab"),
        (text(trim=True), "   ", ""),
        (text(upper=True), "11x", "11X"),
        (text(upper=True), "aB", "aB"),
        (text(upper=True), "straße", "STRAßE"),
        (text(), 5, INVALID),
        (numeral(), 42, "42"),
        (numeral(), "42", INVALID),
        (numeral(), True, INVALID),
        (integer(), True, INVALID),
        (integer("decimal"), Decimal("5.0"), 5),
        (integer("decimal"), Decimal("5.5"), INVALID),
        (integer("decimal"), Decimal("NaN"), INVALID),
        (boolean(), 1, INVALID),
        (boolean(1, 0), 1, True),
        (boolean(1, 0), True, INVALID),
        (boolean("Y", "N"), "N ", False),
        (boolean("Y", "N"), "y", INVALID),
        (boolean(), [], INVALID),
        (code({"1": "ONE"}), "1  ", "ONE"),
        (code({"1": "ONE"}), "2", "UNKNOWN"),
        (code({"1": "ONE"}), "", "UNKNOWN"),
        (code({"1": "ONE"}), 1, INVALID),
        (code({1: "ONE"}), 1, "ONE"),
        (code({1: "ONE"}), True, INVALID),
        (code({"1": "ONE"}), {}, INVALID),
        (money("yuan"), 1, Decimal("1.00")),
        (money("fen", "integer"), 5040, Decimal("50.40")),
        (money("yuan"), "12.5", Decimal("12.50")),
        (money("yuan"), "", INVALID),
        (money("yuan"), float("nan"), INVALID),
        (money("yuan"), "1e900", INVALID),
        (money("yuan"), True, INVALID),
        (calendar("yyyymmdd"), "20240229", date(2024, 2, 29)),
        (calendar("yyyymmdd"), "20230229", INVALID),
        (calendar("yyyymmdd"), "2024-02-29", INVALID),
        (calendar("yyyymmdd"), "２０２４０２２９", INVALID),
        (calendar("yyyymmdd"), "20240229 ", INVALID),
        (calendar("yyyymmdd", trim=True), "20240229 ", date(2024, 2, 29)),
        (calendar("yyyymmdd"), "", None),
        (calendar("yyyymmdd"), "00000000", None),
        (calendar("yyyymmdd"), 20240229, INVALID),
        (calendar("yyyymmdd", "integer"), 20240229, date(2024, 2, 29)),
        (calendar("yyyymmdd", "integer"), 0, None),
        (calendar("yyyymmdd", "integer"), True, INVALID),
        (calendar("yyyymm"), "202402", date(2024, 2, 1)),
        (calendar("yyyymm"), "202413", INVALID),
        (calendar("iso", "date"), "2024-02-29", date(2024, 2, 29)),
        (calendar("iso", "date"), datetime(2024, 2, 29), date(2024, 2, 29)),  # noqa: DTZ001
        (calendar("iso", "date"), datetime(2024, 2, 29, 1), INVALID),  # noqa: DTZ001
        (calendar("iso", "date"), 5, INVALID),
        (PLAIN, "2024-05-01 08:30:00", MORNING),
        (PLAIN, "2024-05-01T08:30:00", INVALID),
        (PLAIN, "0001-01-01 00:00:00", INVALID),
        (PLAIN, "", None),
        (instant("plain", "UTC", trim=True), "  ", None),
        (instant("plain", "UTC"), 5, INVALID),
        (instant("iso", "Asia/Shanghai"), "2024-05-01T08:30:00+08:00", MORNING),
        (instant("iso", "Asia/Shanghai"), "yesterday", INVALID),
        (LOCAL, "2024-05-01 08:30:00.5", MORNING + HALF),
        (LOCAL, THERE, MORNING),
        (instant("iso", "UTC", "timestamptz"), MORNING.astimezone(SHANGHAI), MORNING),
        (instant("iso", "UTC", "timestamptz"), 7, INVALID),
        (instant("epoch_ms", "UTC"), 1_500, datetime(1970, 1, 1, 0, 0, 1, 500000, UTC)),
        (instant("epoch_ms", "UTC"), 10**30, INVALID),
        (instant("epoch_ms", "UTC"), "1500", INVALID),
        (division(), "320205006000", "320205006"),
        (division(), "320000", "32"),
        (division(), "3202", "3202"),
        (division(), "somewhere", "somewhere"),
        (division(), "", None),
        (division(), 320205, INVALID),
        (division(trim=True), "320205 ", "320205"),
        (division(6), "320200", "3202"),
        (division(6), "3202", INVALID),
    ],
)  # fmt: skip
def test_native_values_read_so(codec: Codec, native: object, value: object) -> None:
    decoded = codec.decode(native)

    assert (decoded, type(decoded)) == (value, type(value))


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (numeral(), "007"),
        (numeral(), "seven"),
        (text(upper=True), "11x"),
        (text(trim=True), "a "),
        (code({"1": "ONE"}), "TWO"),
        (code({"0": "UNKNOWN", "1": "ONE"}), "UNKNOWN"),
        (money("fen", "integer"), Decimal("0.001")),
        (calendar("yyyymm"), date(2024, 5, 15)),
        (calendar("yyyymm", "integer"), date(2024, 5, 15)),
        (instant("plain", "UTC"), datetime(2024, 5, 1, 0, 0, 0, 1, UTC)),
        (division(), "3200"),
        (division(6), "320205006"),
    ],
)
def test_what_no_native_says_has_no_spelling(codec: Codec, value: object) -> None:
    assert codec.encode(value) == ()


def test_every_native_code_is_known_or_unknown() -> None:
    codec = code({"0": "UNKNOWN", "1": "ONE", "2": "ONE"})

    assert codec.known == ("1", "2")
    assert codec.encode("ONE") == ("1", "2")
    assert [codec.decode(native) for native in ("0", "1", "2", "3")] == [
        "UNKNOWN",
        "ONE",
        "ONE",
        "UNKNOWN",
    ]


@pytest.mark.parametrize(
    "codec",
    [calendar("yyyymmdd"), calendar("yyyymm", "integer"), instant("plain", "UTC"), division()],
)
def test_natives_that_stand_for_null_decode_to_it(codec: Codec) -> None:
    assert codec.nulls
    assert {codec.decode(native) for native in codec.nulls} == {None}


@pytest.mark.parametrize("codec", [codec for codec, _ in WHOLE.values()])
@given(
    native=st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        TEXTS,
        st.binary(),
        st.lists(st.integers()),
    )
)
def test_no_native_value_is_an_error(codec: Codec, native: object) -> None:
    assert (
        codec.decode(native) is not native
        or native is None
        or isinstance(native, bool | int | str | float)
    )
