"""Tests of when a condition has begun to last, and when it is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.picture.hysteresis import LONGEST_STEP_SECONDS, Hysteresis

LOOKS = st.lists(st.tuples(st.sampled_from([True, False, None]), st.floats(0.01, 5.0)), max_size=80)


def run(memory: Hysteresis, looks: list[tuple[bool | None, float]]) -> list[tuple[float, bool]]:
    """Take looks, each with the seconds after the one before; the times, and whether the state lasts."""
    at, lasts = 0.0, []
    for seen, step in looks:
        at += step
        lasts.append((at, memory.update(seen, at)))
    return lasts


def test_a_state_begins_after_the_seconds_and_dates_from_the_first_look() -> None:
    """It is noticed later than it began."""
    memory = Hysteresis(5.0, 3.0)
    assert [memory.update(True, 100.0 + second) for second in range(6)] == [False] * 5 + [True]
    assert memory.since == 100.0


def test_a_state_ends_after_the_seconds_and_the_end_dates_from_the_first_good_look() -> None:
    """The end is known too, though it is noticed later."""
    memory = Hysteresis(0.0, 3.0)
    assert memory.update(True, 10.0)
    assert [memory.update(False, at) for at in (11.0, 12.0, 13.0, 14.0)] == [True, True, False, False]
    assert (memory.since, memory.until) == (None, 11.0)


def test_a_known_beginning_is_taken() -> None:
    """A check that has counted the seconds by itself knows better when it began."""
    memory = Hysteresis(0.0, 3.0)
    memory.update(True, 50.0, 20.0)
    assert memory.since == 20.0


@given(LOOKS)
def test_it_never_lasts_without_enough_evidence(looks: list[tuple[bool | None, float]]) -> None:
    """The state lasts only after looks that saw the condition stood for at least the seconds."""
    memory = Hysteresis(5.0, 3.0)
    seen_seconds = 0.0
    for (seen, step), (_, lasts) in zip(looks, run(memory, looks), strict=True):
        seen_seconds += min(step, LONGEST_STEP_SECONDS) if seen else 0.0
        assert not lasts or seen_seconds >= 5.0 - 1e-9


@given(st.floats(0.02, 0.48), st.floats(0.1, 2.0))
def test_what_is_seen_less_than_half_of_the_time_never_begins(share: float, step: float) -> None:
    """Single wrong pictures among good ones are no state, however many there are."""
    memory, debt = Hysteresis(5.0, 3.0), 0.0
    looks: list[tuple[bool | None, float]] = []
    for _ in range(300):
        debt += share
        looks.append((debt >= 1, step))
        debt -= debt >= 1
    assert not any(lasts for _, lasts in run(memory, looks))


@given(LOOKS, st.floats(0.1, 2.0))
def test_it_begins_and_ends_whatever_was_before(looks: list[tuple[bool | None, float]], step: float) -> None:
    """Enough looks that see it begin the state, and enough that do not end it: nothing gets stuck."""
    memory = Hysteresis(5.0, 3.0)
    run(memory, looks)
    count = round(20 / step) + 2
    at = 1000.0
    for seen in (True, False):
        for _ in range(count):
            at += step
            lasts = memory.update(seen, at)
        assert lasts is seen


@given(LOOKS)
def test_looks_that_cannot_see_change_nothing(looks: list[tuple[bool | None, float]]) -> None:
    """A picture in which the condition cannot be seen is no evidence for either."""
    memory = Hysteresis(5.0, 3.0)
    before = run(memory, looks)[-1][1] if looks else False
    assert all(memory.update(None, 1000.0 + second) is before for second in range(20))
