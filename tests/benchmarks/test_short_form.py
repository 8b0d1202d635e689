from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from benchmarks.collapse import Collapsed, record, refuse_collapse, shares
from benchmarks.fitting import Curve, Point
from benchmarks.plot import drawn
from benchmarks.rounds import Figure
from tests.benchmarks.test_benchmarks import figures

FIGURE = Figure(100.0, 1.0, 10.0, 20.0, 100.0, 0.1)


@pytest.mark.timed
def test_no_ratio_to_strawberry_has_collapsed(state: Path) -> None:
    found = figures(state, "collapse")

    assert set(found["collapse"]) == {"Q1", "Q2", "Q3"}


def test_half_of_a_recorded_ratio_is_a_collapse_and_a_little_more_is_not(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded.json"
    record({"Q1": 10.0, "Q2": 8.0}, recorded)

    refuse_collapse({"Q1": 5.1, "Q2": 40.0}, recorded)

    with pytest.raises(Collapsed, match=r"this server: Q1: 4.9 times, recorded 10.0$"):
        refuse_collapse({"Q1": 4.9, "Q2": 8.0}, recorded)


def test_ratios_are_of_the_least_cpu_of_all_rounds() -> None:
    rounds = {
        ("Q1", "township"): [FIGURE, replace(FIGURE, cpu_ms=3.0)],
        ("Q1", "strawberry"): [replace(FIGURE, cpu_ms=12.0), replace(FIGURE, cpu_ms=30.0)],
    }

    assert shares(rounds) == {"Q1": 12.0}


def test_growth_is_told_with_the_exponent_that_fits() -> None:
    found = Curve("rows", "ms", [Point(size, 3 * size**2) for size in (1, 10, 100, 1_000)]).told()

    assert found == {
        "of": "rows",
        "cost": "ms",
        "exponent": 2.0,
        "exponent_of_upper_half": 2.0,
        "each_more": [33.0, 330.0, 3300.0],
        "points": [
            {"size": 1, "cost": 3},
            {"size": 10, "cost": 300},
            {"size": 100, "cost": 30_000},
            {"size": 1_000, "cost": 3_000_000},
        ],
    }


def test_one_size_has_no_exponent() -> None:
    assert Curve("rows", "ms", [Point(5, 1.0)]).told()["exponent"] is None


def test_a_picture_has_a_bar_for_each_server_and_question() -> None:
    ratio = {question: {"cpu_ms": 0.5} for question in ("q1", "q2", "q3")}

    picture = fromstring(drawn({"yoga <5>": ratio, "strawberry": ratio}))  # noqa: S314 -- our own

    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("yoga <5>") == texts.count("strawberry") == 3
    assert texts.count("2×") == 6
