"""Keeps a live camera connected: starts its reader, watches how far it comes, and tries again after every failure."""

from __future__ import annotations

import logging
import os
import re
import select
import threading
import time
from typing import TYPE_CHECKING

from edge.capture.live.reader_process import ReaderProcess
from edge.capture.reader.messages import Ended, Filled, NewSlots, Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.capture.live.camera_status import CameraStatus
    from edge.capture.live.handover import Handover
    from edge.capture.live.stages import StageLimits
    from edge.capture.reader.messages import ReaderSettings
    from edge.core.backoff import OutageBackoff

log = logging.getLogger(__name__)

# How often the time-outs are looked at.
_LOOK_SECONDS = 0.25
# A connection that gave frames for so long was a good one: the waits begin again with the first.
_STEADY_SECONDS = 10.0
# A camera whose pictures are late a second time within so many seconds has a clock that is not to be trusted.
_LATE_AGAIN_SECONDS = 600.0
# The least pause between two attempts, also when the attempt before took as long as the wait.
_LEAST_PAUSE = 0.2


class ConnectionSupervisor:
    """A thread that keeps one camera connected.

    A reader that reports a failure is used again for the next attempt; one that gave frames, one that hangs, and one
    whose stage took too long are replaced. ``settings`` makes the reader's settings, with its two arguments
    ``trust_times`` and ``probe``.
    """

    def __init__(
        self,
        name: str,
        address: str,
        settings: Callable[[bool, bool], ReaderSettings],
        handover: Handover,
        status: CameraStatus,
        limits: StageLimits,
        backoff: OutageBackoff,
    ) -> None:
        """``name`` and ``address`` are for the log, without secrets."""
        self._name = name
        self._address = address
        self._settings = settings
        self._handover = handover
        self._status = status
        self._limits = limits
        self._backoff = backoff
        self._closing: int | None = None  # an event's descriptor, from the start to the end
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"capture-{name}", daemon=True)
        self._reader: ReaderProcess | None = None
        self._heard_at = 0.0
        self._failed = False  # the last attempt failed
        self._late_at = float("-inf")
        self._trust_times = True
        self._logged = ""

    def start(self) -> None:
        """Start the thread."""
        self._closing = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread.start()

    def close(self, timeout: float) -> None:
        """End the reader and the thread."""
        self._closed = True
        if self._closing is None:
            return
        os.eventfd_write(self._closing, 1)
        self._thread.join(timeout)
        if not self._thread.is_alive():
            os.close(self._closing)
            self._closing = None

    def _run(self) -> None:
        try:
            while not self._closed:
                begun = time.monotonic()
                ended = self._connect()
                if ended is None:
                    break
                if ended.finished:
                    log.info("%s: %s: %s", self._name, self._address, ended.problem)
                    self._status.end(ended.problem)
                    self._handover.end()
                    break
                self._went_down(ended, begun)
        except Exception as error:  # raised again by LiveSource.read
            self._handover.fail(error)
        finally:
            self._end_reader()

    def _connect(self) -> Ended | None:
        """Keep a connection from its opening to its end; None when the source was closed."""
        if self._reader is None:
            try:
                self._reader = ReaderProcess()
            except OSError as error:  # no memory, or too many processes: it may be better in a moment
                return Ended(f"its reader cannot be started: {error.strerror}")
            self._handover.attach(self._reader.messages)
        self._heard_at = now = time.monotonic()
        self._status.begin(now, self._reader.pid)
        if not self._reader.messages.send(self._settings(self._trust_times, self._failed)):
            return self._reader_gone()
        assert self._closing is not None
        poll = select.poll()
        poll.register(self._reader.messages.fileno(), select.POLLIN)
        poll.register(self._closing, select.POLLIN)
        while True:
            ready = poll.poll(_LOOK_SECONDS * 1000)
            if self._closed:
                return None
            # What was said is heard before the clock is looked at: this process may have been stopped for a while.
            ended = self._receive() if ready else self._overdue(time.monotonic())
            if ended is not None:
                return ended

    def _receive(self) -> Ended | None:
        """Handle a message of the reader; returns the end of the connection."""
        assert self._reader is not None
        received = self._reader.messages.receive()
        if received is None:
            return self._reader_gone()
        self._heard_at = time.monotonic()
        try:
            return self._handle(*received)
        except (OSError, ValueError, IndexError):  # no memory for the pictures, or a fault of the reader
            self._end_reader(kill=True)
            return Ended("its reader handed over what is no picture, and is replaced")

    def _handle(self, message: object, descriptor: int | None) -> Ended | None:
        """Act on a message; returns the end of the connection."""
        now = time.monotonic()
        match message:
            case Ended():
                return message
            case NewSlots() if descriptor is not None:
                self._handover.use_slots(message, descriptor)
                log.info("%s: pictures of %d x %d", self._name, message.width, message.height)
            case Report():
                self._status.report(message, now)
                self._handover.numbers_used(message.pictures)
                return self._overdue(now)
            case Filled():
                frame = self._handover.put(message)
                if frame is not None and self._status.frame(frame.monotonic, now):
                    log.info("%s: frames come from %s", self._name, self._address)
                    self._logged = ""
        return None

    def _overdue(self, now: float) -> Ended | None:
        """Whether the reader is hung or the connection has waited for too long: then the reader is killed."""
        waiting = self._status.waiting(now)
        silence = now - self._heard_at
        if waiting.since + waiting.limit <= now:
            problem = waiting.problem(now)
        elif silence >= self._limits.silence and self._status.has_reported:
            problem = f"its reader does not answer for {silence:.0f} s, and is replaced"
        else:
            return None
        self._end_reader(kill=True)
        return Ended(problem)

    def _reader_gone(self) -> Ended:
        how = self._end_reader()
        return Ended(f"its reader ended ({how or 'without a word'}), and is replaced")

    def _went_down(self, ended: Ended, begun: float) -> None:
        """Account for the end of a connection, and wait before the next."""
        now = time.monotonic()
        self._handover.drop()
        up_seconds = self._status.go_down(ended.problem, now)
        self._failed = True
        if ended.late:
            if self._trust_times and now - self._late_at < _LATE_AGAIN_SECONDS:
                self._trust_times = False
                log.warning("%s: the times in its stream are not used any more, they run at another speed", self._name)
            self._late_at = now
        if up_seconds >= _STEADY_SECONDS:
            self._backoff.reset()
        if up_seconds > 0 or ended.unexpected:
            self._end_reader()
        self._log_down(ended)
        pause = self._backoff.next_wait(now) - (now - begun if up_seconds == 0 else 0.0)
        assert self._closing is not None
        select.select([self._closing], [], [], max(pause, _LEAST_PAUSE))

    def _log_down(self, ended: Ended) -> None:
        """A reason is logged as a warning when it is new but for its numbers."""
        words = re.sub(r"[0-9]+", "0", ended.problem)
        level = logging.DEBUG if words == self._logged else logging.WARNING
        self._logged = words
        log.log(level, "%s: %s is down: %s", self._name, self._address, ended.problem)
        if ended.unexpected:
            log.error("%s: the reader failed at\n%s", self._name, ended.unexpected)

    def _end_reader(self, *, kill: bool = False) -> str:
        """End the reader's process, if there is one; returns how it had ended by itself."""
        reader, self._reader = self._reader, None
        if reader is None:
            return ""
        self._handover.detach()
        self._status.reader_ended()
        return reader.close(kill=kill)
