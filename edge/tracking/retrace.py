"""The last seconds of one camera: what moved, and where its tracks were.

From it a track that was just confirmed is followed back to where it came from: its first box is moved, frame by frame,
as the corners in it moved. So a vehicle that the detector saw only beyond the line is known to have come across it, and
one that was there before under another track is recognised.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.core.shapes import Point
from edge.tracking.boxes import overlaps, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.tracking.boxes import Floats
    from edge.tracking.optical_flow import Displacements
    from edge.tracking.parameters import RetraceParameters, TrackingParameters
    from edge.tracking.tracklet import Tracklet


@dataclass(frozen=True, slots=True)
class Rows:
    """Boxes of some tracks, with their numbers and velocities."""

    numbers: NDArray[np.int64]
    boxes: Floats
    velocities: Floats

    @classmethod
    def of(cls, tracklets: Sequence[Tracklet]) -> Rows:
        """Where these are now."""
        return cls(
            np.array([one.number for one in tracklets], dtype=np.int64),
            rows(tuple(one.box) for one in tracklets),
            np.array([one.motion.velocity for one in tracklets], dtype=np.float64).reshape(-1, 2),
        )

    def in_front(self, box: Floats, p: RetraceParameters, but: int = 0) -> Floats:
        """The boxes (n x 4) that hide a part of ``box``; ``but`` is the track that it belongs to."""
        if not len(self.numbers):
            return self.boxes
        iou, covered, _ = overlaps(box[None], self.boxes)
        lower = self.boxes[:, 3] > box[3] + p.hides_lower * (box[3] - box[1])
        hides: Floats = self.boxes[
            (covered[0] >= p.hides_share) & (iou[0] < p.hides_iou) & lower & (self.numbers != but)
        ]
        return hides


def standing_in_front(tracklets: Sequence[Tracklet], p: RetraceParameters) -> Rows:
    """Those that are there for sure, and so may hide others."""
    return Rows.of(
        [one for one in tracklets if one.seen and one.sightings >= p.hides_sightings and one.best >= p.hides_confidence]
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    at: float
    moved: Displacements  # from the frame before to this one
    front: Rows
    followed: Rows


class Memory:
    """The last frames, as many seconds of them as are needed."""

    def __init__(self, seconds: float, parameters: TrackingParameters) -> None:
        self._seconds, self._parameters = seconds, parameters
        self._frames: deque[_Frame] = deque()

    def add(self, at: float, moved: Displacements, tracklets: Sequence[Tracklet]) -> None:
        """A frame and its tracks as they are at its end."""
        followed = Rows.of([one for one in tracklets if one.followed])
        self._frames.append(_Frame(at, moved, standing_in_front(tracklets, self._parameters.retrace), followed))
        while at - self._frames[0].at > self._seconds + self._parameters.retrace.kept_seconds:
            self._frames.popleft()

    def clear(self) -> None:
        """Forget everything: there was a gap."""
        self._frames.clear()

    def retrace(self, one: Tracklet) -> None:
        """Find out where a track came from: fills in its ``past``, ``past_whole`` and ``part_of``."""
        p = self._parameters.retrace
        one.past = []
        frames = list(self._frames)
        index = next((i for i, frame in enumerate(frames) if frame.at >= one.born), None)
        if index is None or frames[index].at != one.born:
            return
        box = np.array(one.first_box)
        velocity = np.array(one.motion.velocity)
        steps: list[tuple[float, Point]] = []
        companions: Counter[int] = Counter()
        while index > 0:
            frame, earlier = frames[index], frames[index - 1]
            if one.born - earlier.at > self._seconds:
                one.past_whole = True
                break
            seconds = frame.at - earlier.at
            shift = frame.moved.shift(
                box, frame.front.in_front(box, p, one.number), backwards=True, parameters=self._parameters.shift
            )
            if shift is None or shift.share < p.share:
                break
            step = np.array([shift.x, shift.y])
            allowed = p.step_speed * float(np.linalg.norm(velocity)) * seconds + p.step_size * one.size
            if float(np.linalg.norm(step - velocity * seconds)) > allowed:
                break
            box = box - np.concatenate([step, step])
            velocity = (1 - p.learning) * velocity + p.learning * step / seconds
            steps.append((earlier.at, Point(float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)))
            companions.update(_companions(box, velocity, one, earlier.followed, p))
            index -= 1
        one.past = steps[::-1]
        if companions:
            number, times = companions.most_common(1)[0]
            if times >= max(1 if one.gap > p.sparse_seconds else 2, p.companion_share * len(steps)):
                one.part_of = number


def _companions(box: Floats, velocity: Floats, one: Tracklet, followed: Rows, p: RetraceParameters) -> list[int]:
    """The tracks whose box this one lay in, going the same way."""
    if not len(followed.numbers):
        return []
    iou, inside, _ = overlaps(box[None], followed.boxes)
    differs = np.linalg.norm(followed.velocities - velocity, axis=1)
    together = differs < p.companion_speed * float(np.linalg.norm(velocity)) + p.companion_size * one.size
    found = (
        ((iou[0] > p.companion_iou) | (inside[0] > p.companion_inside)) & together & (followed.numbers != one.number)
    )
    return [int(number) for number in followed.numbers[found]]
