"""Tests of the wall clock: its steps, its state, and the order of events, with clocks that the test sets."""

from __future__ import annotations

import ctypes
import logging
from pathlib import Path

import pytest

from edge.core.events import ClockState
from edge.host import kernel_clock
from edge.host.clock import CLOCK_CHECK_SECONDS, STEPPED_SECONDS, ClockReading, WallClock
from edge.host.kernel_clock import boot_id, kernel_clock_state

SECOND = 1_000_000
HOUR = 3600 * SECOND
FORTNIGHT = 14 * 24 * HOUR
START = 1_800_000_000 * SECOND


class Clocks:
    """The two clocks of a machine, and what the kernel says of one of them."""

    def __init__(self, state: ClockState = ClockState.UNSYNCHRONISED) -> None:
        self.monotonic = 100.0
        self.wall = START
        self.state = state
        self.asked = 0
        self.steps: list[ClockReading] = []
        self.synchronised: list[ClockReading] = []
        self.clock = WallClock(self._read_state, lambda: self.monotonic, lambda: self.wall)
        self.clock.on_step = self.steps.append
        self.clock.on_synchronised = self.synchronised.append

    def _read_state(self) -> ClockState:
        self.asked += 1
        return self.state

    def pass_time(self, seconds: float) -> ClockReading:
        """Let time pass on both clocks."""
        self.monotonic += seconds
        self.wall += round(seconds * SECOND)
        return self.clock.check()


def test_this_machine_answers() -> None:
    """The kernel of this machine gives one of the three states, the same to both functions."""
    assert kernel_clock_state() in list(ClockState)
    assert WallClock().state() is kernel_clock_state()
    assert len(boot_id()) == 36 or boot_id() == "unknown"
    assert boot_id(Path("/nowhere")) == "unknown"


@pytest.mark.parametrize(
    ("error", "file", "state"),
    [
        (9776, False, ClockState.SYNCHRONISED),
        (15_999_999, False, ClockState.SYNCHRONISED),
        (16_000_000, True, ClockState.UNSYNCHRONISED),
        (None, True, ClockState.SYNCHRONISED),
        (None, False, ClockState.UNKNOWN),
    ],
)
def test_the_kernel_is_asked_before_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int | None, file: bool, state: ClockState
) -> None:
    """The file of systemd-timesyncd decides only where the kernel refuses to answer."""
    if file:
        (tmp_path / "synchronized").touch()
    monkeypatch.setattr(kernel_clock, "_largest_error", lambda: error)
    assert kernel_clock_state(tmp_path / "synchronized") is state


def test_the_flag_that_chrony_leaves_set_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """With STA_UNSYNC set the result of adjtimex is TIME_ERROR, also of a clock that chrony keeps right."""

    def adjtimex(pointer: object) -> int:
        timex = ctypes.cast(pointer, ctypes.POINTER(kernel_clock.Timex)).contents  # type: ignore[arg-type]
        assert timex.modes == 0
        timex.status, timex.maxerror = 0x40, 31_500
        return 5

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: type("C", (), {"adjtimex": staticmethod(adjtimex)}))
    assert kernel_clock_state(Path("/nowhere")) is ClockState.SYNCHRONISED


def test_the_structure_is_that_of_the_kernel() -> None:
    """On a 64-bit machine the largest error stands at byte 24, and there is room for all of the kernel's 208 bytes."""
    assert kernel_clock.Timex.maxerror.offset == (24 if ctypes.sizeof(ctypes.c_long) == 8 else 12)
    assert ctypes.sizeof(kernel_clock.Timex) >= 208


def test_the_kernel_is_asked_rarely_and_a_change_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The kernel is asked once in ten seconds, and a change that it reports is logged."""
    clocks = Clocks()
    with caplog.at_level(logging.INFO):
        assert [clocks.clock.state() for _ in range(5)] == [ClockState.UNSYNCHRONISED] * 5
        assert clocks.asked == 1
        clocks.state = ClockState.SYNCHRONISED
        assert clocks.pass_time(CLOCK_CHECK_SECONDS).state is ClockState.SYNCHRONISED
    assert [record.getMessage() for record in caplog.records] == [
        "the wall clock is unsynchronised",
        "the wall clock is synchronised",
    ]
    assert [reading.offset for reading in clocks.synchronised] == [START - 100 * SECOND]


@pytest.mark.parametrize("step", [-FORTNIGHT, HOUR, -SECOND // 2, SECOND // 2])
def test_a_step_is_reported_once_with_its_size(step: int, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once; afterwards the offset is that of the new time."""
    clocks = Clocks(ClockState.SYNCHRONISED)
    clocks.pass_time(0.2)
    clocks.wall += step
    clocks.pass_time(0.2)
    clocks.pass_time(0.2)
    [reported] = clocks.steps
    assert (reported.step, reported.state) == (step, ClockState.STEPPED)
    assert reported.at(clocks.monotonic) == clocks.wall
    assert reported.now == clocks.wall - SECOND // 5
    assert [record.levelname for record in caplog.records if "was set by" in record.getMessage()] == ["WARNING"]


def test_small_corrections_are_no_steps() -> None:
    """They are followed, however many there are."""
    clocks = Clocks()
    for _ in range(100):
        clocks.wall += SECOND // 5
        clocks.pass_time(0.2)
    assert clocks.steps == []
    assert clocks.clock.check().at(clocks.monotonic) == clocks.wall


def test_the_offset_is_the_same_for_two_looks_that_differ_a_little() -> None:
    """A time that is computed again is the same to the microsecond."""
    clocks = Clocks()
    offset = clocks.clock.check().offset
    for micros in (7, -9, 3000, -4000):
        clocks.wall += micros
        assert clocks.clock.check().offset == offset


def test_a_process_that_is_interrupted_between_the_clocks_sees_no_step() -> None:
    """The clocks are read again when long passed between them."""
    clocks = Clocks()
    pauses = iter([3.0, 0.0, 2.0, 0.0] * 10)

    def slow_wall() -> int:
        pause = next(pauses)
        clocks.monotonic += pause
        clocks.wall += round(pause * SECOND)
        return clocks.wall

    clock = WallClock(lambda: ClockState.UNKNOWN, lambda: clocks.monotonic, slow_wall)
    clock.on_step = clocks.steps.append
    for _ in range(8):
        clock.check()
    assert clocks.steps == []


def test_the_state_after_a_step() -> None:
    """Stepped for a minute, and then until the clock is seen to be synchronised, which is asked for at once."""
    clocks = Clocks(ClockState.SYNCHRONISED)
    clocks.pass_time(1)
    clocks.wall += HOUR
    clocks.state = ClockState.UNSYNCHRONISED  # as the kernel does when a person sets the clock
    asked = clocks.asked
    assert clocks.pass_time(0.2).state is ClockState.STEPPED
    assert clocks.asked == asked + 1
    assert clocks.pass_time(10 * STEPPED_SECONDS).state is ClockState.STEPPED
    clocks.state = ClockState.SYNCHRONISED
    assert clocks.pass_time(CLOCK_CHECK_SECONDS).state is ClockState.SYNCHRONISED
    clocks.wall += HOUR  # by the time service: it is right at once, and yet the times about it jump
    assert clocks.pass_time(0.2).state is ClockState.STEPPED
    assert clocks.pass_time(STEPPED_SECONDS).state is ClockState.SYNCHRONISED
    assert len(clocks.synchronised) == 1


def test_the_order_after_a_step_back_is_kept_until_the_time_is_reached_again() -> None:
    """Later steps keep the latest time that there ever was."""
    clocks = Clocks()
    assert clocks.pass_time(1).order_from is None
    before = clocks.wall
    clocks.wall -= FORTNIGHT
    assert clocks.pass_time(0.0).order_from == before
    clocks.wall += HOUR
    assert clocks.pass_time(0.0).order_from == before
    clocks.wall += 2 * FORTNIGHT
    later = clocks.wall
    clocks.pass_time(0.0)
    clocks.wall -= HOUR
    assert clocks.pass_time(0.0).order_from == later


def test_the_first_synchronisation_ends_the_order_of_its_own_steps() -> None:
    """What was recorded before it is corrected, so only the order of an earlier run remains."""
    clocks = Clocks()
    clocks.clock.order_after(START - HOUR)
    clocks.pass_time(1)
    clocks.wall -= FORTNIGHT
    assert clocks.pass_time(1).order_from == START + SECOND + SECOND
    clocks.state = ClockState.SYNCHRONISED
    assert clocks.pass_time(CLOCK_CHECK_SECONDS).order_from == START - HOUR


def test_no_step_is_reported_within_a_block() -> None:
    """What is done with a reading is done before the step after it is reported."""
    clocks = Clocks()
    with clocks.clock.held() as reading:
        clocks.wall -= FORTNIGHT
        assert reading.at(clocks.monotonic) == START
        assert clocks.steps == []
    clocks.clock.check()
    assert [step.step for step in clocks.steps] == [-FORTNIGHT]
