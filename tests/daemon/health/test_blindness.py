"""Tests of blind intervals as the daemon makes them: when they begin and end, and what a restart does with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.events import ClockState
from edge.daemon.health.blindness import (
    LEAST_BLIND_SECONDS,
    NEW_REASON_SECONDS,
    NO_FRAME_YET,
    STEADY_SECONDS,
    Blindness,
)
from edge.host.clock import WallClock
from edge.store import NOT_RUNNING, BlindInterval, ClockChange, ClockChangeKind, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BOOT = datetime(2026, 5, 4, tzinfo=UTC)
START = 1000.0
DEAD, SLOW = "the camera gives no frames", "too few frames are processed"


class Bench:
    """Blindness on a real database, with clocks that the test sets; intervals are in seconds of the monotonic clock."""

    def __init__(self, path: Path) -> None:
        self.store = open_store(path)
        self.now = START
        self.boot = BOOT
        self.taken = True
        self.clock = WallClock(lambda: ClockState.SYNCHRONISED, lambda: self.now, self.wall_micros)
        self.blindness = Blindness(self.post, self.clock)
        self.restart()

    def wall_micros(self) -> int:
        """The wall clock."""
        return (self.boot + timedelta(seconds=self.now) - EPOCH) // timedelta(microseconds=1)

    def post(self, function: Any, what: str) -> bool:
        """Do the work at once, or drop it."""
        assert "camera" in what
        if self.taken:
            function(self.store)
        return self.taken

    def restart(self, *lasting: BlindInterval) -> None:
        """Begin a run with the camera ``ramp``."""
        self.blindness = Blindness(self.post, self.clock)
        self.blindness.start(["ramp"], lasting, self.now, self.boot)

    def report(self, reason: str | None, seconds: float, at: float | None = None, every: float = 2.0) -> None:
        """Report the camera every two seconds for so long."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + every, end)
            self.blindness.update("ramp", reason, self.now, at)

    def stored(self) -> list[tuple[float, float | None, str]]:
        """The intervals in the database: beginning and end as seconds since the start."""

        def seconds(moment: datetime | None) -> float | None:
            return None if moment is None else (moment - self.boot).total_seconds() - START

        rows = reversed(self.store.blind.newest(100))
        return [(seconds(row.began_at) or 0.0, seconds(row.ended_at), row.reason) for row in rows]

    def reasons(self) -> list[str]:
        """Why cameras are blind now."""
        return [interval.reason for interval in self.blindness.current()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A run of one camera, of which no frame has come yet."""
    made = Bench(tmp_path / "smartpark.db")
    yield made
    made.store.close()


def test_a_camera_is_blind_until_its_first_frame(bench: Bench) -> None:
    """Nothing is recorded of a camera that comes up soon."""
    assert bench.reasons() == [NO_FRAME_YET]
    bench.report(None, 2)
    assert (bench.reasons(), bench.stored()) == ([], [])


def test_a_camera_that_is_dead_since_the_start_is_blind_since_the_start(bench: Bench) -> None:
    """Whatever time its last frame is said to have."""
    bench.now += 10
    bench.report(DEAD, 2)
    assert (bench.reasons(), bench.stored()) == ([DEAD], [(0.0, None, DEAD)])


def test_an_interval_is_from_the_last_usable_frame_to_the_first_after_it(bench: Bench) -> None:
    """Though both are noticed later."""
    bench.report(None, 4)
    bench.now += 10
    bench.report(DEAD, 20, at=START + 3.5)
    assert bench.stored() == [(3.5, None, DEAD)]
    [interval] = bench.blindness.current()
    assert interval.began_at == BOOT + timedelta(seconds=START + 3.5)
    first = bench.now + 0.25
    bench.report(None, 4, at=first)
    assert (bench.reasons(), bench.stored()) == ([], [(3.5, first - START, DEAD)])


def test_single_late_frames_are_no_interval(bench: Bench) -> None:
    """A reason that is over soon is not recorded, and neither is a frame between two blind times an end."""
    bench.report(None, 2)
    bench.report(DEAD, LEAST_BLIND_SECONDS / 2)
    bench.report(None, 2)
    assert bench.stored() == []
    bench.report(DEAD, 10, at=bench.now)
    bench.report(None, STEADY_SECONDS / 2, every=0.5)
    bench.report(DEAD, 10)
    assert bench.reasons() == [DEAD]
    assert [end for _, end, _ in bench.stored()] == [None]


def test_another_reason_begins_another_interval_when_it_lasts(bench: Bench) -> None:
    """Reasons that alternate do not: the table would grow without end."""
    bench.report(None, 2)
    bench.report(DEAD, 10, at=START + 2)
    for _ in range(20):
        bench.report(SLOW, 4)
        bench.report(DEAD, 4)
    assert len(bench.stored()) == 1
    changed = bench.now
    bench.report(SLOW, NEW_REASON_SECONDS + 4)
    assert bench.stored() == [(2.0, changed + 2 - START, DEAD), (changed + 2 - START, None, SLOW)]
    assert bench.reasons() == [SLOW]


def test_a_restart_leaves_no_gap(bench: Bench) -> None:
    """The camera is blind from the end of the last run to its first frame, or until another reason is known."""
    ended = BOOT + timedelta(seconds=START - 30)
    bench.restart(*bench.store.blind.start_run(["ramp"], ended, same_boot=True))
    assert bench.reasons() == [NOT_RUNNING]
    first = bench.now + 3.0
    bench.now += 4.0
    bench.report(None, 4, at=first)
    assert bench.stored() == [(-30.0, 3.0, NOT_RUNNING)]
    bench.now += 100
    ended = BOOT + timedelta(seconds=bench.now - 60)
    bench.restart(*bench.store.blind.start_run(["ramp"], ended, same_boot=True))
    began = bench.now
    bench.report(DEAD, 60)
    change = began + 2 - START
    assert bench.stored()[1:] == [(began - 60 - START, change, NOT_RUNNING), (change, None, DEAD)]


def test_an_interval_of_an_earlier_boot_keeps_its_beginning(bench: Bench) -> None:
    """It is before the monotonic clock began."""
    ended = BOOT - timedelta(hours=5)
    bench.restart(*bench.store.blind.start_run(["ramp"], ended))
    bench.report(None, 6, at=START + 1)
    [row] = bench.store.blind.newest()
    assert (row.began_at, row.ended_at) == (ended, BOOT + timedelta(seconds=START + 1))


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(days=-14)])
def test_a_step_of_the_clock_makes_no_interval_longer(bench: Bench, step: timedelta) -> None:
    """Both ends are then by the new time, in memory and in the database."""

    def record(kind: ClockChangeKind, size: timedelta) -> None:
        at = bench.boot + timedelta(seconds=bench.now)
        bench.store.clock.record(ClockChange(kind, at, "boot", bench.boot - EPOCH, size))

    record(ClockChangeKind.START, timedelta(0))
    bench.report(None, 2)
    bench.report(DEAD, 10, at=START + 2)
    bench.boot += step
    record(ClockChangeKind.STEP, step)
    assert bench.stored() == [(2.0, None, DEAD)]
    assert bench.blindness.current()[0].began_at == bench.store.blind.open()[0].began_at
    first = bench.now + 1
    bench.report(None, 6, at=first)
    assert bench.stored() == [(2.0, first - START, DEAD)]


def test_a_stop_makes_every_camera_blind(bench: Bench) -> None:
    """The boards are to show it; the table has it from the next start on."""
    bench.report(None, 2)
    bench.blindness.stop(bench.now)
    assert (bench.reasons(), bench.stored()) == ([NOT_RUNNING], [])


def test_changes_that_were_dropped_are_made_up_for(bench: Bench) -> None:
    """While the disk is full the beginning is lost: the end records the whole interval."""
    bench.report(None, 2)
    bench.taken = False
    bench.report(DEAD, 10, at=START + 2)
    assert bench.reasons() == [DEAD]
    bench.taken = True
    first = bench.now + 1
    bench.report(None, 6, at=first)
    assert bench.stored() == [(2.0, first - START, DEAD)]


def test_an_end_before_the_beginning_is_now(bench: Bench) -> None:
    """A time that is older than the interval is not that of a frame after it."""
    bench.report(None, 2)
    bench.report(SLOW, 10, at=START + 2)
    bench.report(None, 6, at=START + 1, every=1.0)
    assert bench.stored() == [(2.0, 13.0, SLOW)]
