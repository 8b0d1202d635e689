from pathlib import Path

import pytest

from tests.benchmarks.test_benchmarks import TINY, figures

SIZES = (
    *("--objects", "10", "--objects", "500", "--depth", "1", "--depth", "3"),
    *("--sources", "1", "--sources", "2", "--accounts", "1", "--accounts", "5"),
    *("--rows", "1500", "--rows", "3000", "--clients", "4"),
)
CURVES = {
    *("objects", "objects_clock", "depth", "sources", "accounts"),
    *(f"rows_q{n}_{kind}" for n in (1, 2, 3) for kind in ("cpu", "clock")),
}


def test_growth_is_told_with_its_exponent(state: Path) -> None:
    sizes = ("--depth", "1", "--depth", "3", "--sources", "1", "--sources", "2")

    found = figures(state, "growth", *TINY, *sizes, "--only=depth", "--only=sources")["growth"]

    assert set(found) == {"depth", "sources", "about"}
    assert [point["size"] for point in found["depth"]["points"]] == [1, 3]
    assert found["sources"]["exponent"] is not None


@pytest.mark.deep
def test_growth_is_measured_along_every_axis(state: Path) -> None:
    only = (f"--only={name}" for name in ("objects", "depth", "sources", "accounts", "rows"))

    found = figures(state, "growth", *TINY, *SIZES, *only)["growth"]

    assert set(found) == {*CURVES, "about"}
    assert all(len(found[name]["points"]) == 2 for name in CURVES)
    assert all(found[name]["exponent"] is not None for name in CURVES)


@pytest.mark.deep
def test_a_day_of_the_province_tells_what_its_busiest_hour_needs(state: Path) -> None:
    asked = ("--accounts", "50", "--hourly", "7200", "--busy", "0.5")

    found = figures(state, "province", *TINY, *asked)["province"]

    assert found["busiest_hour_requests_per_second"] == 100
    assert found["servers_at_the_busiest_hour"] == -(-200 // found["requests_per_second"])
    assert list(found["clients"]) == ["4", "16", "64"]


@pytest.mark.deep
def test_endurance_tells_what_is_held_after_each_part(state: Path) -> None:
    found = figures(state, "endurance", "--requests", "100", "--clients", "2", *TINY)

    assert found["endurance"]["requests"] == 100
    assert len(found["endurance"]["megabytes"]) == 21
