"""The sums of what was asked of systems."""

from datetime import UTC, datetime, timedelta

from auth.principal import Principal
from resolvers.usage import Asking, Sum, Usage
from sources.federation import Call

CLERK = Principal("clerk", ("township_clerk",), ("320205106",), purpose="临时救助")
GRID = Principal("grid", ("grid_worker",), ("320205106001",))
BEGUN = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
HOUR = BEGUN.replace(minute=0)


def call(entity: str, state: str = "OK", rows: int = 2) -> Call:
    return Call("aid", "救助", entity, state, rows)


def asking(role: str, entity: str = "Aid", hour: datetime = HOUR, purpose: str = "") -> Asking:
    return Asking(hour, "aid", entity, role, "320205106", purpose)


def test_calls_of_one_role_and_hour_are_one_sum() -> None:
    usage = Usage(clock=lambda: BEGUN)

    usage.note(CLERK, [call("Aid"), call("Aid", "STALE", 1), call("Aid", "TIMEOUT", 0)])
    usage.note(CLERK, [call("Aid"), call("Payment")])

    assert dict(usage.since(None)) == {
        asking("township_clerk", purpose="临时救助"): Sum(4, 5, 1),
        asking("township_clerk", "Payment", purpose="临时救助"): Sum(1, 2, 0),
    }


def test_a_village_counts_as_its_township_and_whoever_holds_two_roles_under_both() -> None:
    usage = Usage(clock=lambda: BEGUN)
    both = Principal("both", ("grid_worker", "auditor"), ("320205106002", "320205106"))

    usage.note(GRID, [call("Aid")])
    usage.note(both, [call("Aid")])
    usage.note(Principal("nobody", (), ()), [call("Aid")])

    assert dict(usage.since(None)) == {
        asking("grid_worker"): Sum(2, 4, 0),
        asking("auditor"): Sum(1, 2, 0),
    }


def test_sums_are_told_from_the_hour_of_a_moment_on() -> None:
    clock = [BEGUN]
    usage = Usage(clock=lambda: clock[0])
    usage.note(GRID, [call("Aid")])
    clock[0] = BEGUN + timedelta(hours=1)
    usage.note(GRID, [call("Aid")])

    later = asking("grid_worker", hour=HOUR + timedelta(hours=1))
    assert list(usage.since(HOUR + timedelta(minutes=59))) == [
        (asking("grid_worker"), Sum(1, 2, 0)),
        (later, Sum(1, 2, 0)),
    ]
    assert list(usage.since(HOUR + timedelta(hours=1))) == [(later, Sum(1, 2, 0))]


def test_the_oldest_sums_are_forgotten_when_there_are_too_many() -> None:
    usage = Usage(most=2, clock=lambda: BEGUN)

    usage.note(GRID, [call("One"), call("Two"), call("Three")])

    assert [asked.entity for asked, _ in usage.since(None)] == ["Two", "Three"]
