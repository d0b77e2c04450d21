"""Holds what a soak recorded to the truth, and prints it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from statistics import median, mode
from typing import TYPE_CHECKING, NamedTuple

from support.field_daemon import BlindTime, frame_gaps, longest_pause
from support.judgement import Judgement, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.field_daemon import CountedEvent, Resources, SeenFrame

    from edge.core.events import Direction

SLOPE_AIM = 1.0  # megabytes an hour
# The first part of a soak, in which memory is still taken for the first time: seconds, and a share of a short one.
WARM_UP_SECONDS, WARM_UP_SHARE = 300.0, 0.25
# In less time a slope says nothing: memory is still warming up.
LEAST_SLOPE_SECONDS = 600.0
# A machine that is too slow makes cameras blind; with a larger share of the time nothing is shown by the rest.
MOST_OVERLOAD = 0.2
# A camera may still be blind for so long after its fault: the wait before an attempt, and two seconds to a key picture.
RETURN_SECONDS = 10.0
_MOST_READINGS = 400  # of which the slope is made
_CROSSINGS_SHOWN = 5


class Reading(NamedTuple):
    """What the daemon held at second ``at`` of the soak, while nothing was wrong and the cameras showed ``films``."""

    at: float
    held: Resources
    films: tuple[str, ...] = ()


class DoneFault(NamedTuple):
    """What was done to a camera; times are monotonic, ``ended`` is 0 while it lasts."""

    camera: str
    name: str
    began: float
    ended: float


class Check(NamedTuple):
    """A condition, whether it holds, and the figures."""

    name: str
    holds: bool
    figures: str


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was recorded from ``span[0]`` to ``span[1]``; all times are monotonic, ``received`` are payloads."""

    span: tuple[float, float]
    truth: Mapping[str, Sequence[tuple[Direction, float]]]
    events: Sequence[CountedEvent]
    blind: Sequence[BlindTime]
    frames: Sequence[SeenFrame]
    faults: Sequence[DoneFault]
    readings: Sequence[Reading]
    received: Sequence[bytes]
    broker_restarts: int
    exit_code: int
    problems: Sequence[str]
    fps: int

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.span[1] - self.span[0]

    def judgement(self, camera: str, *, with_gaps: bool = True) -> Judgement:
        """One camera's count. What happened before and after is set aside like what happened in blind times.

        With ``with_gaps`` so is what happened in gaps that the machine made, and the camera was not blind in.
        """
        aside = [(interval.began, interval.ended) for interval in self.blind if interval.camera == camera]
        aside += [(float("-inf"), self.span[0]), (self.span[1], float("inf"))]
        if with_gaps:
            aside += [(gap.began, gap.ended) for gap in self.gaps() if gap.camera == camera]
        events = [(event.direction, event.at) for event in self.events if event.camera == camera]
        return judge(self.truth[camera], events, aside)

    def gaps(self) -> list[BlindTime]:
        """The times without a frame of a camera that had no fault."""
        found = [gap for camera in self.truth for gap in frame_gaps(self.frames, camera)]
        return [gap for gap in found if self._without_fault(gap) > 0]

    def overload(self) -> float:
        """The share of the cameras' time in which they were blind, or had no frame, without a fault."""
        blind = sum(self._without_fault(interval) for interval in self.blind)
        gaps = sum(
            self._without_fault(gap)
            for gap in self.gaps()
            if not any(
                each.camera == gap.camera and each.began < gap.ended and each.ended > gap.began for each in self.blind
            )
        )
        return (blind + gaps) / (self.seconds * len(self.truth))

    def _without_fault(self, interval: BlindTime) -> float:
        faults = [fault for fault in self.faults if fault.camera == interval.camera]
        return _outside(interval, faults, self.span)

    def returns(self) -> list[float]:
        """Seconds from the end of each fault to the camera's first frame that was taken after it."""
        found = []
        for fault in self.faults:
            taken = (frame for frame in self.frames if frame.camera == fault.camera and frame.taken > fault.ended)
            found += [frame.processed - fault.ended for frame in [next(taken, None)] if frame is not None]
        return found

    def longest_pause(self) -> float:
        """The longest time without a frame of a camera that had no fault."""
        longest = 0.0
        for camera in self.truth:
            first = self.span[0]
            for fault in (fault for fault in self.faults if fault.camera == camera):
                longest = max(longest, longest_pause(self.frames, camera, first, fault.began))
                first = fault.ended + RETURN_SECONDS
            longest = max(
                longest, longest_pause(self.frames, camera, first, self.span[1]) if first < self.span[1] else 0
            )
        return longest


def checks(soaked: Soaked) -> list[Check]:
    """What must hold."""
    judgements = {camera: soaked.judgement(camera) for camera in soaked.truth}
    missed = sum(len(each.missed) for each in judgements.values())
    extra = sum(len(each.extra) for each in judgements.values())
    overload = soaked.overload()
    readings = [reading for reading in soaked.readings if reading.at >= warm_up(soaked.seconds)]
    slope = slope_per_hour([(each.at, each.held.resident, each.films) for each in readings])
    daemon_slope = slope_per_hour([(each.at, each.held.daemon, ()) for each in readings])
    too_short = "; not judged in so short a time" if soaked.seconds < LEAST_SLOPE_SECONDS else ""
    stored = {event.event_id for event in soaked.events}
    delivered = Counter(json.loads(payload)["event_id"] for payload in soaked.received)
    lost, unknown = len(stored - delivered.keys()), len(delivered.keys() - stored)
    repeated = sum(delivered.values()) - len(delivered)
    return [
        Check(
            "machine fast enough",
            overload <= MOST_OVERLOAD,
            f"{overload:.1%} of the time without frames, and without a fault",
        ),
        Check("none missed", missed == 0, f"{missed} missed outside of blind times"),
        Check("none extra", extra == 0, f"{extra} extra outside of blind times"),
        Check(
            "memory",
            slope is not None and (slope < SLOPE_AIM or soaked.seconds < LEAST_SLOPE_SECONDS),
            "too few readings"
            if slope is None
            else f"{slope:+.2f} MB an hour (aim: below {SLOPE_AIM:g}); the daemon alone {daemon_slope:+.2f}{too_short}",
        ),
        # SQLite keeps a descriptor or two of connections that were closed, and uses them again.
        _constant("descriptors", [reading.held.descriptors for reading in readings], slack=2),
        _constant("threads", [reading.held.threads for reading in readings]),
        _constant("readers", [reading.held.readers for reading in readings]),
        Check(
            "events at the subscriber",
            not lost and not unknown and len(stored) == len(soaked.events),
            f"{len(soaked.events)} stored, {lost} lost, {unknown} unknown; {repeated} delivered again with the same id",
        ),
        Check("database", not soaked.problems, "; ".join(soaked.problems) or "every floor equals its events"),
        Check("stop", soaked.exit_code == 0, f"exit code {soaked.exit_code}"),
    ]


def print_report(soaked: Soaked, found: Sequence[Check]) -> None:
    """The cameras, what they did, and the checks."""
    print(f"\n{'':21}{'set aside:':>15}")
    print(f"{'camera':12}{'true':>6}{'counted':>9}{'blind':>8}{'slow':>6}", end="")
    print(f"{'missed':>8}{'extra':>7}{'blind s':>9}{'faults':>8}")
    for camera in soaked.truth:
        judgement = soaked.judgement(camera)
        in_gaps = judgement.set_aside - soaked.judgement(camera, with_gaps=False).set_aside
        blind = sum(_outside(interval, [], soaked.span) for interval in soaked.blind if interval.camera == camera)
        faults = sum(fault.camera == camera for fault in soaked.faults)
        print(
            f"{camera:12}{judgement.true:6}{judgement.counted:9}{judgement.set_aside - in_gaps:8}"
            f"{in_gaps:6}{len(judgement.missed):8}{len(judgement.extra):7}{blind:9.0f}{faults:8}"
        )
        for what, times in (("missed", judgement.missed), ("extra", judgement.extra)):
            for at in times[:_CROSSINGS_SHOWN]:
                print(f"  {what} at second {at - soaked.span[0]:.1f}; {_fault_before(soaked, camera, at)}")
    returns = soaked.returns() or [0.0]
    print(
        f"\n{len(soaked.faults)} faults; first frame after a fault: median {median(returns):.1f} s, longest"
        f" {max(returns):.1f} s; longest pause of a camera without a fault {soaked.longest_pause():.2f} s"
    )
    for reason, seconds in _blind_by_reason(soaked).most_common():
        print(f"blind for {seconds:.0f} s: {reason}")
    print(f"the broker was restarted {soaked.broker_restarts} times")
    minutes = sorted({int(reading.at // 60) for reading in soaked.readings})
    for name, of in (("daemon and readers", lambda held: held.resident), ("daemon", lambda held: held.daemon)):
        values = [median(of(each.held) for each in soaked.readings if each.at // 60 == minute) for minute in minutes]
        print(f"resident MB by minute, {name}:", *(f"{value:.1f}" for value in values))
    print()
    for check in found:
        print(f"{'holds' if check.holds else 'FAILS':8}{check.name:28}{check.figures}")
    if not found[0].holds:
        print("\nmachine too slow: nothing can be said of the count")


def warm_up(seconds: float) -> float:
    """The second of a soak of that length from which on memory is fitted."""
    return min(WARM_UP_SECONDS, WARM_UP_SHARE * seconds)


def slope_per_hour(readings: Sequence[tuple[float, float, object]]) -> float | None:
    """The slope over an hour of (second, value, kind): the median of those of pairs (Theil 1950, Sen 1968).

    A single jump, as of a reader that has just been replaced, does not move it. Only values of the same kind are
    compared, as a reader of another codec has another size, and only those that are a tenth of the time apart. None
    where there are none.
    """
    # The number of pairs grows with the square of the readings': half an hour of all of them would take minutes.
    readings = readings[:: max(1, len(readings) // _MOST_READINGS)]
    least = (readings[-1][0] - readings[0][0]) / 10 if readings else 0.0
    slopes = [
        (second[1] - first[1]) / (second[0] - first[0])
        for first, second in combinations(readings, 2)
        if second[2] == first[2] and second[0] - first[0] > least
    ]
    return 3600 * median(slopes) if slopes else None


def _constant(name: str, values: Sequence[int], slack: int = 0) -> Check:
    """Whether a number is at the end what it was at the beginning; single readings may fall into a short connection."""
    if len(values) < 3:
        return Check(name, False, "too few readings")
    third = max(len(values) // 3, 1)
    before, after = mode(values[:third]), mode(values[-third:])
    return Check(
        name, before == after, f"{before} after the warm-up, {after} at the end; {min(values)} to {max(values)}"
    )


def _outside(interval: BlindTime, faults: Sequence[DoneFault], span: tuple[float, float]) -> float:
    """The seconds of a blind time within the span that are not of a fault or of the return after it."""
    pieces = [(max(interval.began, span[0]), min(interval.ended, span[1]))]
    for fault in faults:
        first, last = fault.began - 1.0, fault.ended + RETURN_SECONDS
        # Empty pieces are left out: otherwise their number would double with every fault.
        pieces = [
            (began, ended)
            for piece in pieces
            for began, ended in ((piece[0], min(piece[1], first)), (max(piece[0], last), piece[1]))
            if began < ended
        ]
    return sum(ended - began for began, ended in pieces if began < ended)


def _blind_by_reason(soaked: Soaked) -> Counter[str]:
    found: Counter[str] = Counter()
    for interval in soaked.blind:
        found[interval.reason] += _outside(interval, [], soaked.span)  # type: ignore[assignment]
    return found


def _fault_before(soaked: Soaked, camera: str, at: float) -> str:
    """The last fault of the camera before a crossing."""
    before = [fault for fault in soaked.faults if fault.camera == camera and fault.began <= at]
    if not before:
        return "no fault of the camera before"
    fault = before[-1]
    return f"{fault.name} from {fault.began - soaked.span[0]:.1f} to {fault.ended - soaked.span[0]:.1f}"
