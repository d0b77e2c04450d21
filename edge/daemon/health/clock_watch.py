"""This module dates live events by the wall clock, and records what happens to that clock in the database."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.core.device_health import ClockHealth
from edge.host.alive_file import LastRun
from edge.host.clock import LEAST_STEP_SECONDS
from edge.store import ClockChange, ClockChangeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.core.events import Event
    from edge.core.frames import Frame
    from edge.host.alive_file import AliveFile
    from edge.host.clock import ClockReading, WallClock
    from edge.store import BlindInterval, Store, Writer

log = logging.getLogger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A clock that differs by less from that of the last run was not set in between.
_LEAST_STEP = timedelta(seconds=LEAST_STEP_SECONDS)


def utc_of(micros: int) -> datetime:
    """The aware time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


class CameraTimes:
    """Dates the frames and events of one live camera. Used in the thread of the camera.

    A frame keeps its monotonic time, and its UTC time follows from it by the clock as it is set now: a step between the
    capture and the event does no harm.
    """

    def __init__(self, clock: WallClock, submit: Callable[[Sequence[Event]], None]) -> None:
        self._clock = clock
        self._submit = submit
        self._offset = 0

    def dated(self, frame: Frame) -> Frame:
        """The frame with the UTC time of its monotonic time."""
        reading = self._clock.check()
        self._offset = reading.offset
        return replace(frame, captured_at=utc_of(reading.at(frame.monotonic)))

    def submit(self, events: Sequence[Event]) -> None:
        """Submit events that were made from the last frame that was ``dated``.

        A step after that frame moves them to the clock as it is now, so that all events before a step are submitted
        before the step is recorded, and all events after it have the new time.
        """
        with self._clock.held() as reading:
            shift = timedelta(microseconds=reading.offset - self._offset)
            if abs(shift) < _LEAST_STEP:  # two looks at the clock differ by microseconds
                shift = timedelta(0)
            order_from = None if reading.order_from is None else utc_of(reading.order_from)
            dated = []
            for event in events:
                timestamp = event.timestamp + shift
                order_at = order_from if order_from is not None and timestamp < order_from else None
                dated.append(replace(event, timestamp=timestamp, clock_state=reading.state, order_at=order_at))
                if shift:
                    log.info("the clock was set: event=%s becomes event=%s", event.event_id, dated[-1].event_id)
            self._submit(dated)


class ClockWatch:
    """Records starts, steps and the first synchronisation of the wall clock, and until when this daemon ran."""

    def __init__(self, clock: WallClock, boot_id: str, alive: AliveFile, writer: Writer) -> None:
        self._clock = clock
        self._boot_id = boot_id
        self._alive = alive
        self._writer = writer
        # Replaced as a whole: how often the clock was set, by how much the last time, and when.
        self._steps: tuple[int, float, datetime | None] = (0, 0.0, None)

    def health(self) -> ClockHealth:
        """The state of the clock, and how often it was set since the start. For any thread."""
        state = self._clock.state()
        return ClockHealth(state, *self._steps)

    def start(self, cameras: Sequence[str], monotonic: float) -> list[BlindInterval]:
        """Record the start of a run with these live cameras; the blind intervals that last.

        They last since the end of the run before, as far as its file tells. Waits for the commit; StoreError as with
        ``Writer.call``.
        """
        last = self._alive.read()
        # What the clock does until the start is recorded is recorded after it.
        early: list[tuple[Callable[[ClockReading], None], ClockReading]] = []
        self._clock.on_step = lambda reading: early.append((self._record_step, reading))
        self._clock.on_synchronised = lambda reading: early.append((self._record_synchronisation, reading))
        reading = self._clock.check()
        now = utc_of(reading.at(monotonic))
        last_run, same_boot, step = self._last_run(last, reading, now)
        change = self._change(ClockChangeKind.START, reading, now, step)

        def record(store: Store) -> tuple[list[BlindInterval], datetime | None]:
            with store.transaction():
                store.clock.record(change)
                return store.blind.start_run(cameras, last_run, same_boot=same_boot), store.clock.latest_time()

        intervals, latest = self._writer.call(record, "the start of the run")
        if step:
            log.warning("the wall clock was set by %+.1f s since the last run", step.total_seconds())
        if last_run is not None:
            log.info("no daemon ran since %s; the cameras were blind", last_run.isoformat(timespec="seconds"))
        self._clock.order_after(None if latest is None else (latest - _EPOCH) // timedelta(microseconds=1))
        with self._clock.held():
            self._clock.on_step, self._clock.on_synchronised = self._record_step, self._record_synchronisation
            for record_change, reading in early:
                record_change(reading)
        self._alive.start()
        return intervals

    def check(self, monotonic: float) -> None:
        """Look at the clock, and keep the time until which this daemon ran."""
        reading = self._clock.check()
        self._alive.update(LastRun(utc_of(reading.at(monotonic)), monotonic, self._boot_id))

    def close(self) -> None:
        """Write the last time down."""
        self._alive.close()

    def _last_run(
        self, last: LastRun | None, reading: ClockReading, now: datetime
    ) -> tuple[datetime | None, bool, timedelta]:
        """When the last run ended, by the clock as it is now if it was in this boot, and how far the clock was set."""
        if last is None:
            return None, False, timedelta(0)
        if last.boot_id == self._boot_id != "unknown":
            ended = min(utc_of(reading.at(last.monotonic)), now)
            step = utc_of(reading.at(last.monotonic)) - last.at
            return ended, True, step if abs(step) >= _LEAST_STEP else timedelta(0)
        # Of a boot in between only a clock that goes back is seen.
        return last.at, False, min(now - last.at, timedelta(0))

    def _change(
        self, kind: ClockChangeKind, reading: ClockReading, at: datetime, step: timedelta = timedelta(0)
    ) -> ClockChange:
        return ClockChange(kind, at, self._boot_id, timedelta(microseconds=reading.offset), step)

    # Both are called with the clock's lock held.

    def _record_step(self, reading: ClockReading) -> None:
        step = timedelta(microseconds=reading.step)
        self._steps = (self._steps[0] + 1, step.total_seconds(), utc_of(reading.now))
        change = self._change(ClockChangeKind.STEP, reading, utc_of(reading.now), step)
        self._writer.post(lambda store: store.clock.record(change), f"the step of the clock by {step}")

    def _record_synchronisation(self, reading: ClockReading) -> None:
        change = self._change(ClockChangeKind.SYNCHRONISED, reading, utc_of(reading.now))

        def record(store: Store) -> None:
            corrected = store.clock.record(change)
            if corrected:
                log.warning("the clock is synchronised now: the times of %d events were corrected", corrected)

        self._writer.post(record, "the synchronisation of the clock")
