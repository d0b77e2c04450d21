"""Computes when a picture was taken from the time that its stream gives it and the time at which it arrived.

A stream's times count from an unknown zero. A packet arrives some delay after its picture was taken, and the delay is
never less than the least that was seen; so the least difference between arrival and stream time is the zero of the
stream ("minimum-delay offset", as in the clock filters of NTP and of RTP players). What arrives later than that was
held up on its way, and its lag is known.
"""

from __future__ import annotations

# A camera's clock may be slower than ours, or count frames at a rate that is not quite kept: the least delay may rise
# by this share of the time without being taken for lag.
_CLOCK_DRIFT = 0.005
# Seconds by which stream time may go back: pictures that are sent in another order than they are shown.
_MOST_REORDERED = 0.5
# Seconds by which stream time may run ahead of the clock between two packets before it is a jump.
_LARGEST_ADVANCE = 2.0
# Seconds that a made-up time may differ from the time of arrival.
_LARGEST_GUESS = 1.0


class StreamClock:
    """Translates one connection's stream times into monotonic times. Used by one thread that reads packets.

    ``position`` of a packet is its stream time moved to begin at the first arrival; ``taken`` makes the time at which
    the picture was taken of it. Times that jump begin a new count, repeated and missing ones are filled in from the
    step before, and none of it disturbs what follows. With ``trusted`` False arrival times are used throughout.
    """

    def __init__(self, *, trusted: bool = True) -> None:
        self._trusted = trusted
        self._zero: float | None = None  # position = stream time + zero
        self._stream = 0.0  # of the last packet that had a time
        self._at = 0.0  # arrival of the last packet
        self._position = 0.0  # of the last packet
        self._step = 0.0  # of the position, between the last two packets with good times
        self._least_delay = 0.0

    def position(self, stream_time: float | None, at: float) -> float:
        """The position of a packet with that stream time (seconds; None: it has none) that arrived ``at``."""
        elapsed, self._at = at - self._at, at
        if not self._trusted:
            self._position = at
            return at
        if stream_time is None or (self._zero is not None and stream_time == self._stream):
            position = self._position + self._step if self._zero is not None else at
            if abs(at - position - self._least_delay) > _LARGEST_GUESS:
                position = at + min(self._least_delay, 0.0)
        elif self._zero is None or self._jumps(stream_time - self._stream, elapsed):
            self._zero, self._stream, self._least_delay = at - stream_time, stream_time, 0.0
            position = at
        else:
            step = stream_time - self._stream
            self._step = step if 0 < step < _MOST_REORDERED else self._step
            self._stream = stream_time
            position = stream_time + self._zero
        self._position = position
        self._least_delay = min(at - position, self._least_delay + _CLOCK_DRIFT * max(elapsed, 0.0))
        return position

    def taken(self, position: float) -> float:
        """The monotonic time at which the picture with that position was taken, as well as is known by now."""
        return position + self._least_delay

    def lag(self, position: float, now: float) -> float:
        """How many seconds ago the picture was taken, beyond the least delay."""
        return max(now - self.taken(position), 0.0)

    @staticmethod
    def _jumps(step: float, elapsed: float) -> bool:
        return step < -_MOST_REORDERED or step > max(elapsed, 0.0) + _LARGEST_ADVANCE
