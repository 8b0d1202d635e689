from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sources.breaker import Breaker, Circuit, Outcome, Passage


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def ask(breaker: Breaker, outcome: Outcome) -> bool:
    """Ask one question with this outcome; return whether it passed."""
    passage = breaker.enter()
    if passage is not None:
        breaker.leave(passage, outcome)
    return passage is not None


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(2, 5.0, clock)
    assert all(ask(breaker, Outcome.FAILED) for _ in range(2))
    return breaker, clock


def test_failures_in_a_row_open_the_circuit_and_a_success_between_does_not() -> None:
    breaker = Breaker(2, 5.0, Clock())

    for outcome in (Outcome.FAILED, Outcome.ANSWERED, Outcome.FAILED):
        ask(breaker, outcome)
    closed = breaker.circuit
    ask(breaker, Outcome.FAILED)

    assert (closed, breaker.circuit, breaker.enter()) == (Circuit.CLOSED, Circuit.OPEN, None)


def test_after_the_pause_exactly_one_question_passes() -> None:
    breaker, clock = opened()

    clock.now = 5.0

    passed = [breaker.enter() is not None for _ in range(5)]
    assert passed == [True, False, False, False, False]


def test_the_probe_closes_the_circuit_or_opens_it_for_another_pause() -> None:
    breaker, clock = opened()
    clock.now = 5.0
    ask(breaker, Outcome.FAILED)
    again = (breaker.circuit, breaker.enter())
    clock.now = 10.0
    ask(breaker, Outcome.ANSWERED)

    assert again == (Circuit.OPEN, None)
    assert (breaker.circuit, ask(breaker, Outcome.ANSWERED)) == (Circuit.CLOSED, True)


def test_a_probe_that_nobody_waited_for_lets_the_next_one_pass() -> None:
    breaker, clock = opened()
    clock.now = 5.0
    ask(breaker, Outcome.ABANDONED)

    assert [breaker.enter() is not None for _ in range(2)] == [True, False]


class AnyOrder(RuleBasedStateMachine):
    """However questions end, and in whatever order, there is one probe at most."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(3, 2.0, self.clock)
        self.under_way: list[Passage] = []

    @rule()
    def begin(self) -> None:
        closed = self.breaker.circuit is Circuit.CLOSED
        passage = self.breaker.enter()
        if passage is not None:
            assert passage.is_probe is not closed
            self.under_way.append(passage)

    @rule()
    def wait(self) -> None:
        self.clock.now += 1

    @precondition(lambda self: self.under_way)
    @rule(place=st.integers(0, 99), outcome=st.sampled_from(Outcome))
    def end(self, place: int, outcome: Outcome) -> None:
        passage = self.under_way.pop(place % len(self.under_way))
        self.breaker.leave(passage, outcome)

    @invariant()
    def one_probe_at_most(self) -> None:
        assert sum(passage.is_probe for passage in self.under_way) <= 1


TestAnyOrder = AnyOrder.TestCase
