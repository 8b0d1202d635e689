"""Windows of maintenance: how they are written, when they last, and that nobody is asked then."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.document import Mistakes
from contract.errors import SourceInMaintenance, SourceUnavailable
from contract.read import Read, Rows
from contract.source import Capabilities
from sources.breaker import Circuit
from sources.declaration import Budget
from sources.guard import Guard
from sources.maintenance import Maintenance, Window, recurrence
from sources.mapping import load_departments
from tests.mapped import CORE, GOOD, write

READ = Read("Resident", ("name",))
CHINA = "+08:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}{CHINA}")


def planned(*texts: str) -> Maintenance:
    return Maintenance(tuple(recurrence(text) for text in texts))


@pytest.mark.parametrize(
    ("texts", "moment", "lasts"),
    [  # 2026-11-28 is a Saturday
        (["Sat 22:00-24:00"], "2026-11-28T21:59:59", None),
        (["Sat 22:00-24:00"], "2026-11-28T22:00", ("2026-11-28T22:00", "2026-11-29T00:00")),
        (["Sat 22:00-24:00"], "2026-11-29T00:00", None),
        (["Sat 22:00-02:00"], "2026-11-29T01:59", ("2026-11-28T22:00", "2026-11-29T02:00")),
        (["Sat 22:00-02:00"], "2026-11-28T01:59", None),
        (["daily 23:30-00:30"], "2026-11-25T00:10", ("2026-11-24T23:30", "2026-11-25T00:30")),
        (
            ["Sat 22:00-24:00", "Sun 00:00-06:00"],
            "2026-11-28T23:00",
            ("2026-11-28T22:00", "2026-11-29T06:00"),
        ),
        (
            ["2026-12-01T00:00/2026-12-03T06:00"],
            "2026-12-03T05:59",
            ("2026-12-01T00:00", "2026-12-03T06:00"),
        ),
        (["2026-12-01T00:00/2026-12-03T06:00"], "2026-12-03T06:00", None),
        ([], "2026-12-03T06:00", None),
    ],
)
def test_a_window_lasts_from_its_beginning_until_just_before_its_end(
    texts: list[str], moment: str, lasts: tuple[str, str] | None
) -> None:
    window = lasts and Window(at(lasts[0]), at(lasts[1]))

    assert planned(*texts).current(at(moment)) == window
    assert planned(*texts).current(at(moment).astimezone(UTC)) == window


def test_the_next_window_is_the_first_to_begin() -> None:
    maintenance = planned("Sat 22:00-24:00", "2026-11-27T00:00/2026-11-27T01:00")

    found = [maintenance.following(at(f"2026-11-{day}T12:00")) for day in (25, 27, 29)]

    assert [window.begins if window else None for window in found] == [
        at("2026-11-27T00:00"),
        at("2026-11-28T22:00"),
        at("2026-12-05T22:00"),
    ]
    assert planned("2026-11-27T00:00/2026-11-27T01:00").following(at("2026-11-27T00:00")) is None


def test_the_clock_is_that_of_the_system() -> None:
    in_tokyo = Maintenance((recurrence("daily 02:00-03:00"),), "Asia/Tokyo")

    assert in_tokyo.current(at("2026-11-28T01:30")) is not None
    assert in_tokyo.current(at("2026-11-28T02:30")) is None


@pytest.mark.parametrize(
    "wrong",
    [
        '"Sat"',
        '"Sa 22:00-24:00"',
        '"Sat 22:00-22:00"',
        '"Sat 24:00-02:00"',
        '"Sat 22:60-23:00"',
        '"Sat 22:00-24:01"',
        '"2026-12-01T06:00/2026-12-01T00:00"',
        '"2026-13-01T00:00/2026-13-01T06:00"',
        '"2026-12-01T00:00+08:00/2026-12-01T06:00+08:00"',
        "7",
    ],
)
def test_a_window_that_is_none_is_told_with_its_line(tmp_path: Path, wrong: str) -> None:
    text = f'maintenance = [\n  "daily 02:00-03:00",\n  {wrong},\n]\n{GOOD}'

    with pytest.raises(Mistakes) as caught:
        load_departments(write(tmp_path, one=text), CORE, {})

    assert str(caught.value) == (
        f"{tmp_path / 'one.toml'}:3: maintenance is not what it should be. Write a window such as "
        '"Sat 22:00-24:00", "daily 02:00-03:30" or "2026-12-01T00:00/2026-12-01T06:00".'
    )


def test_a_mapping_file_says_when_its_system_is_not_asked(tmp_path: Path) -> None:
    text = f'maintenance = ["daily 02:00-03:00"]\ntime_zone = "Asia/Tokyo"\n{GOOD}'

    (department,) = load_departments(write(tmp_path, one=text), CORE, {})

    expected = Maintenance((recurrence("daily 02:00-03:00"),), "Asia/Tokyo")
    assert department.maintenance == expected


class Counting:
    """A system that counts what it is asked."""

    name = "population"
    title = "人口系统"
    entities = {"Resident": Capabilities()}  # noqa: RUF012 -- read alone

    def __init__(self) -> None:
        self.asked = 0

    async def read(self, _: object) -> Rows:
        self.asked += 1
        return Rows(("name",), [("甲",)])

    aggregate = read


async def test_while_maintenance_lasts_nobody_is_asked_and_it_is_said_until_when() -> None:
    source, clock = Counting(), [at("2026-11-28T21:59")]
    guard = Guard(source, Budget(), lambda: clock[0], maintenance=planned("Sat 22:00-24:00"))
    await guard.read(READ)

    clock[0] = at("2026-11-28T22:00")
    with pytest.raises(SourceInMaintenance) as caught:
        await guard.read(READ)
    during = (guard.state, guard.is_well, guard.circuit, guard.health.reads, guard.health.failures)
    clock[0] = at("2026-11-29T00:00")
    rows = await guard.read(READ)

    assert caught.value.message == (
        "“人口系统”正在维护,预计2026年11月29日00:00恢复,其余内容不受影响,请届时再试。"
    )
    assert (caught.value.code, caught.value.state) == (SourceUnavailable.code, "MAINTENANCE")
    assert during == ("MAINTENANCE", False, Circuit.CLOSED, 1, 0)
    assert (rows.rows, source.asked, guard.state) == ([("甲",)], 2, "OK")


async def test_a_copy_may_stand_in_while_maintenance_lasts() -> None:
    source, clock = Counting(), [at("2026-11-28T21:59")]
    budget = Budget(stale_seconds=timedelta(hours=1).total_seconds())
    guard = Guard(source, budget, lambda: clock[0], maintenance=planned("Sat 22:00-24:00"))
    fresh = await guard.read(READ)

    clock[0] = at("2026-11-28T22:30")
    copy = await guard.read(READ)
    clock[0] = at("2026-11-28T23:30")
    with pytest.raises(SourceInMaintenance):
        await guard.read(READ)

    assert (fresh.as_of, copy.as_of) == (None, at("2026-11-28T21:59"))
    assert (copy.rows, source.asked) == (fresh.rows, 1)


async def test_a_look_at_the_structure_waits_until_maintenance_is_over() -> None:
    source = Counting()
    guard = Guard(source, Budget(), maintenance=planned("daily 00:00-24:00"))

    with pytest.raises(SourceInMaintenance):
        await guard.inspect(lambda: source.read(READ))

    assert source.asked == 0
