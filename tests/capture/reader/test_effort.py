"""How much of a stream is decoded on a machine that is too slow for it, and when all of it is again."""

from __future__ import annotations

from edge.capture.reader.effort import Effort, EffortControl


def lag_until(control: EffortControl, now: float, seconds: float) -> float:
    """Let pictures lag for so many seconds, five a second; returns the time after that."""
    for _ in range(round(seconds * 5)):
        now += 0.2
        control.lagging(now)
    return now


def keep_up_until(control: EffortControl, now: float, effort: Effort) -> float:
    """Let pictures come in time until that effort is reached; returns the time."""
    while control.effort is not effort:
        now += 0.2
        control.keeping_up(now)
        assert now < 1e6
    return now


def test_the_effort_goes_down_a_step_at_a_time_and_up_again():
    """Lag lowers it at once, more lag lowers it after it had time to act, and time without lag raises it."""
    control = EffortControl(100.0)
    assert control.lagging(100.0)
    assert control.effort is Effort.REFERENCE
    assert not control.lagging(101.0)
    assert control.lagging(103.5)
    assert control.effort is Effort.KEY_FRAMES
    assert not control.lagging(120.0)
    assert keep_up_until(control, 120.0, Effort.REFERENCE) >= 130.0
    assert keep_up_until(control, 130.2, Effort.FULL) >= 140.0


def test_a_machine_that_is_too_slow_tries_less_and_less_often():
    """Each trial of a higher effort that fails doubles the wait before the next, up to a limit."""
    control, now, waits = EffortControl(0.0), 0.0, []
    for _ in range(8):
        now = lag_until(control, now, 4.0)
        while control.effort is not Effort.REFERENCE:
            now += 0.2
            control.lagging(now) if control.effort is Effort.FULL else control.keeping_up(now)
        begun = now
        now = keep_up_until(control, now, Effort.FULL)
        waits.append(now - begun)
    assert waits[0] < 15.0
    assert waits[2] > 1.5 * waits[1] > 2.0 * waits[0]
    assert waits[-1] <= 321.0


def test_a_trial_that_holds_forgets_the_failures():
    """After full effort has held for as long as the wait, the next trouble is answered as if it were the first."""
    control = EffortControl(0.0)
    now = keep_up_until(control, lag_until(control, 0.0, 0.2), Effort.FULL)
    now = keep_up_until(control, lag_until(control, now, 0.2), Effort.FULL)  # failed once: now the wait is doubled
    for _ in range(200):
        now += 0.2
        control.keeping_up(now)
    begun = lag_until(control, now, 0.2)
    assert keep_up_until(control, begun, Effort.FULL) - begun < 11.0
