"""Remembers the last seconds of one camera, and traces new tracks back through them to where they came from.

A track that was just confirmed is traced back from its first box: frame by frame the box moves back as the corners in
it moved. So a vehicle that the detector saw only beyond the line is known to have crossed it, and a vehicle that was
tracked under another number is recognised. The method is our own; it works on the optical flow.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.core.shapes import Point
from edge.tracking.boxes import box_array, center, overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.tracking.boxes import Floats
    from edge.tracking.optical_flow import Displacements
    from edge.tracking.parameters import RetraceParameters, TrackingParameters
    from edge.tracking.tracklet import Tracklet


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a track was before it was first detected.

    ``past`` are the times and the centres of its box, the oldest first; it is ``complete`` where it was traced back as
    far as is asked for. ``part_of`` is the number of the track in whose box most of that past lies, 0 for none.
    """

    past: tuple[tuple[float, Point], ...] = ()
    complete: bool = False
    part_of: int = 0


@dataclass(frozen=True, slots=True)
class TrackBoxes:
    """The numbers (n), boxes (n x 4) and velocities (n x 2, pixels a second) of some tracks in one frame."""

    numbers: NDArray[np.int64]
    boxes: Floats
    velocities: Floats

    @classmethod
    def of(cls, tracks: Sequence[Tracklet]) -> TrackBoxes:
        """Return those of ``tracks`` as they are now."""
        return cls(
            np.array([track.number for track in tracks], dtype=np.int64),
            box_array(tuple(track.box) for track in tracks),
            np.array([track.motion.velocity for track in tracks], dtype=np.float64).reshape(-1, 2),
        )

    def hiding(self, box: Floats, limits: RetraceParameters, own_number: int = 0) -> Floats:
        """Return the boxes (n x 4) that hide a part of ``box``, without that of the track ``own_number``.

        A vehicle in front is nearer to the camera, so the lower edge of its box is lower in the picture.
        """
        if not len(self.numbers):
            return self.boxes
        iou, covered, _ = overlaps(box[None], self.boxes)
        is_lower = self.boxes[:, 3] > box[3] + limits.hides_lower * (box[3] - box[1])
        hides = (covered[0] >= limits.hides_share) & (iou[0] < limits.hides_iou) & is_lower
        boxes: Floats = self.boxes[hides & (self.numbers != own_number)]
        return boxes


def possible_occluders(tracks: Sequence[Tracklet], limits: RetraceParameters) -> TrackBoxes:
    """Return the tracks that surely are there, and so may hide others."""
    return TrackBoxes.of(
        [
            track
            for track in tracks
            if track.seen
            and track.evidence.sightings >= limits.hides_sightings
            and track.evidence.best_confidence >= limits.hides_confidence
        ]
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    at: float
    moved: Displacements  # since the frame before
    occluders: TrackBoxes
    followed: TrackBoxes


class FrameMemory:
    """The displacements and the tracks of the last frames of one camera."""

    def __init__(self, seconds: float, parameters: TrackingParameters) -> None:
        """``seconds`` is how far a track is traced back from its first detection."""
        self._seconds, self._parameters = seconds, parameters
        self._frames: deque[_Frame] = deque()

    def add(self, at: float, moved: Displacements, tracks: Sequence[Tracklet]) -> None:
        """Add a frame, with its tracks as they are at its end, and forget frames that are too old."""
        limits = self._parameters.retrace
        followed = TrackBoxes.of([track for track in tracks if track.followed])
        self._frames.append(_Frame(at, moved, possible_occluders(tracks, limits), followed))
        while at - self._frames[0].at > self._seconds + limits.kept_seconds:
            self._frames.popleft()

    def clear(self) -> None:
        """Forget all frames, after a gap."""
        self._frames.clear()

    def trace_back(self, track: Tracklet) -> Origin:
        """Return where a track came from."""
        limits, birth = self._parameters.retrace, track.birth
        frames = list(self._frames)
        first = next((i for i, frame in enumerate(frames) if frame.at >= birth.at), None)
        if first is None or frames[first].at != birth.at:
            return Origin()
        box, velocity = np.array(birth.box), np.array(track.motion.velocity)
        steps: list[tuple[float, Point]] = []
        containing: Counter[int] = Counter()
        is_complete = False
        for index in range(first, 0, -1):
            frame, earlier = frames[index], frames[index - 1]
            is_complete = birth.at - earlier.at > self._seconds
            if is_complete:
                break
            seconds = frame.at - earlier.at
            occluders = frame.occluders.hiding(box, limits, track.number)
            shift = frame.moved.shift_of(box, occluders, backwards=True, parameters=self._parameters.shift)
            if shift is None or shift.share < limits.share:
                break
            step = np.array([shift.x, shift.y])
            most = limits.step_speed * float(np.linalg.norm(velocity)) * seconds + limits.step_size * track.size
            if float(np.linalg.norm(step - velocity * seconds)) > most:
                break
            box = box - np.concatenate([step, step])
            velocity = (1 - limits.learning) * velocity + limits.learning * step / seconds
            steps.append((earlier.at, Point(*center(box))))
            containing.update(_containing_tracks(box, velocity, track, earlier.followed, limits))
        return Origin(tuple(reversed(steps)), is_complete, self._part_of(containing, len(steps)))

    def _part_of(self, containing: Counter[int], steps: int) -> int:
        """Return the number of the track that contained the box in enough of the steps, else 0."""
        if not containing:
            return 0
        limits = self._parameters.retrace
        number, times = containing.most_common(1)[0]
        least = max(2, limits.companion_share * steps)
        return number if times >= least else 0


def _containing_tracks(
    box: Floats, velocity: Floats, track: Tracklet, others: TrackBoxes, limits: RetraceParameters
) -> list[int]:
    """Return the numbers of the other tracks in whose boxes ``box`` lies, and which move like it."""
    if not len(others.numbers):
        return []
    _, inside, _ = overlaps(box[None], others.boxes)
    difference = np.linalg.norm(others.velocities - velocity, axis=1)
    moves_alike = difference < (
        limits.companion_speed * float(np.linalg.norm(velocity)) + limits.companion_size * track.size
    )
    is_inside = inside[0] > limits.companion_inside
    found = is_inside & moves_alike & (others.numbers != track.number)
    return [int(number) for number in others.numbers[found]]
