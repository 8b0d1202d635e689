"""What an account has spent: in no stretch of time more than the limit, and its own alone."""

import tracemalloc
from random import Random
from time import perf_counter

import pytest

from auth.quota import BUILT_IN, COST, LOOKUPS, QUESTIONS
from auth.throttle import Throttle
from contract.errors import RateLimited

SIXTY = {60: 60}


class Clock:
    """A time that the test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def spent(throttle: Throttle, account: str, kind: str, times: int) -> int:
    """Return how many of so many look-ups were not refused."""
    return sum(refusal(throttle, account, kind) is None for _ in range(times))


def refusal(throttle: Throttle, account: str, kind: str) -> RateLimited | None:
    try:
        throttle.spend(account, kind, SIXTY)
    except RateLimited as refused:
        return refused
    return None


@pytest.mark.parametrize("seed", range(5))
def test_in_no_stretch_of_time_is_more_spent_than_the_limit(seed: int) -> None:
    chance, clock = Random(seed), Clock()
    throttle, limits = Throttle(clock), {60: 50, 3_600: 400}
    times: list[tuple[float, int]] = []
    for _ in range(4_000):
        clock.now += chance.choice((0.0, 0.01, 0.3, 1.0, 7.0))
        amount = chance.randint(1, 5)
        try:
            throttle.spend("a", COST, limits, amount)
        except RateLimited:
            continue
        times.append((clock.now, amount))

    for seconds, limit in limits.items():
        begin, total = 0, 0
        for at, amount in times:
            total += amount
            while times[begin][0] <= at - seconds:
                total -= times[begin][1]
                begin += 1
            assert total <= limit
    assert sum(amount for _, amount in times) > 400


def test_what_was_refused_is_allowed_after_the_time_that_was_told_and_not_before() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    assert spent(throttle, "a", LOOKUPS, 60) == 60

    refused = refusal(throttle, "a", LOOKUPS)
    assert refused is not None
    assert refused.message == "按证件号码等查找的次数已达上限,请65秒后再试。"
    clock.now += refused.retry_after_seconds - 1.5
    assert spent(throttle, "a", LOOKUPS, 1) == 0
    clock.now += 1.5
    assert spent(throttle, "a", LOOKUPS, 61) == 60


def test_the_longest_of_several_waits_is_told_in_words() -> None:
    clock = Clock()
    throttle, limits = Throttle(clock), {60: 10, 86_400: 10}
    throttle.spend("a", LOOKUPS, limits, 10)

    with pytest.raises(RateLimited) as refused:
        throttle.spend("a", LOOKUPS, limits)

    hours = -(-refused.value.retry_after_seconds // 3_600)
    assert 24 <= hours <= 26
    assert refused.value.message == f"按证件号码等查找的次数已达上限,请{hours}小时后再试。"


def test_a_refusal_spends_nothing_in_any_stretch_of_time() -> None:
    clock = Clock()
    throttle, limits = Throttle(clock), {60: 10, 3_600: 15}
    for _ in range(100):
        with pytest.raises(RateLimited):
            throttle.spend("a", COST, limits, 11)
    throttle.spend("a", COST, limits, 10)
    clock.now += 65
    with pytest.raises(RateLimited):
        throttle.spend("a", COST, limits, 6)

    throttle.spend("a", COST, limits, 5)

    assert throttle.refused == {COST: 101}


def test_neither_another_account_nor_another_kind_has_less() -> None:
    throttle = Throttle(Clock())

    assert spent(throttle, "a", LOOKUPS, 70) == 60
    assert spent(throttle, "b", LOOKUPS, 70) == 60
    assert spent(throttle, "a", QUESTIONS, 70) == 60


def test_smaller_limits_hold_at_once_for_what_was_spent_before() -> None:
    throttle = Throttle(Clock())
    throttle.spend("a", LOOKUPS, {60: 100}, 80)

    assert spent(throttle, "a", LOOKUPS, 1) == 0


def test_the_log_tells_that_quotas_are_used_up_and_not_whose(
    caplog: pytest.LogCaptureFixture,
) -> None:
    throttle = Throttle(Clock())

    spent(throttle, "110101199001011237", LOOKUPS, 64)

    assert caplog.messages == [
        "refused 1 times, since quotas were used up: lookups",
        "refused 2 times, since quotas were used up: lookups",
        "refused 4 times, since quotas were used up: lookups",
    ]


def test_accounts_that_are_silent_for_a_day_are_forgotten_and_no_others() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    spent(throttle, "early", LOOKUPS, 1)
    clock.now += 50_000
    spent(throttle, "late", LOOKUPS, 60)
    clock.now += 50_000
    spent(throttle, "now", LOOKUPS, 1)

    assert len(throttle) == 2


def test_of_more_accounts_than_are_remembered_the_longest_silent_goes() -> None:
    clock = Clock()
    throttle = Throttle(clock, most=3)
    for name in ("a", "b", "c"):
        clock.now += 0.1
        spent(throttle, name, LOOKUPS, 60)
    clock.now += 0.1
    assert spent(throttle, "a", LOOKUPS, 1) == 0
    spent(throttle, "d", LOOKUPS, 1)

    assert len(throttle) == 3
    assert [spent(throttle, name, LOOKUPS, 1) for name in ("a", "c")] == [0, 0]
    assert spent(throttle, "b", LOOKUPS, 1) == 1


def test_a_thousand_accounts_take_less_than_three_megabytes_and_a_check_little_time() -> None:
    throttle = Throttle()
    tracemalloc.start()
    for number in range(1_000):
        for kind, limits in BUILT_IN.items():
            throttle.spend(f"account-{number}", kind, limits)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    begun = perf_counter()
    for number in range(1_000):
        throttle.spend(f"account-{number}", QUESTIONS, BUILT_IN[QUESTIONS])
    seconds = perf_counter() - begun

    assert taken < 3_000_000
    assert seconds / 1_000 < 0.000_5  # some five millionths of a second where the machine is idle
