"""Tracks from detections and optical flow. No clock, no picture: what one frame shows goes in, its tracks come out.

A frame's way: every track goes on as the picture under it moved; detections are given to tracks, sure ones first; those
that nobody claims begin tracks of their own; then tracks that are one vehicle are brought together, and new ones are
followed back to where they came from. Weak detections begin tracks too: whether there is enough evidence of a vehicle
is for the counting to say.

A camera's track ids are ``RUN-N``: RUN tells one start of the daemon from another, N counts the camera's tracks from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.core.shapes import Point
from edge.tracking.association import SURE_IOU, WEAK_IOU, best_pairs, by_motion, by_overlap
from edge.tracking.boxes import areas, centers, overlaps, rows
from edge.tracking.optical_flow import Displacements
from edge.tracking.region import Region
from edge.tracking.relations import absorb_parts, continued, notice_touches, shadows
from edge.tracking.retrace import Memory, standing_in_front
from edge.tracking.sightings import sightings
from edge.tracking.tracklet import KNOWN, ONE_FRAME, Tracklet
from edge.tracking.usual_size import UsualSize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge.config.schema import MechanismsConfig, TrackerConfig
    from edge.core.frames import Detection
    from edge.core.tracks import Track
    from edge.tracking.boxes import Floats
    from edge.tracking.sightings import Sightings

FIRST_GAP = 0.1  # seconds that the very first frame stands for
LONG_GAP = 2.5  # seconds after which a camera begins anew
FLASH_SECONDS = 0.6  # how long a track is kept that was seen once or twice
BORN_AGREE = 0.45  # share of corners that must agree for a detection's own velocity
# The classes that say how large vehicles are, and how sure they must be.
PLAIN_VEHICLES, PLAIN_SURE = frozenset({"car", "bus", "truck"}), 0.4
# A detection begins no track where one is already: overlap for weak and for sure ones, share inside or about.
TAKEN_WEAK, TAKEN_SURE, TAKEN_NESTED = 0.2, 0.5, 0.8
PART_INSIDE, PART_APART = 0.75, 0.25  # of a track of which only another part is seen
PERSON_COVERS, PERSON_INSIDE, PERSON_LARGE = 0.5, 0.5, 0.35  # on or in a person who is not much smaller
LEFT = 0.12  # of a track's box that must still be in the picture


@dataclass(frozen=True, slots=True)
class Observation:
    """What one frame shows: the detector's boxes, and what moved since the frame before. ``size`` is width, height."""

    size: tuple[int, int]
    detections: Sequence[Detection]
    moved: Displacements


class Tracker:
    """One camera's tracks. ``update`` is to be called for every frame, also for one without detections."""

    def __init__(
        self,
        config: TrackerConfig,
        mechanisms: MechanismsConfig,
        run: str,
        lines: Sequence[Sequence[tuple[float, float]]] = (),
    ) -> None:
        """``lines`` are the gates' (fractions of the frame): what is far from all of them is left alone."""
        self._config, self._mechanisms, self._run = config, mechanisms, run
        self._region = Region(lines)
        self._ignored = frozenset(config.ignored_classes)
        self._count = 0
        self._at: float | None = None
        self._size = (0, 0)
        self._seconds = FIRST_GAP
        self._live: list[Tracklet] = []
        self._usual = UsualSize()
        self._memory = Memory(config.retrace_seconds)

    def update(self, observation: Observation, at: float) -> list[Track]:
        """The tracks after a frame taken at ``at`` seconds (strictly growing).

        Every living track comes back once: tentative or confirmed when it was found in this frame, lost when not. A
        track that ended with this frame comes back once more, as ended, and never again.
        """
        gone = self._begin(observation, at)
        seen = self._sightings(observation)
        moved = observation.moved if self._mechanisms.optical_flow else Displacements.none()
        front = standing_in_front(self._live)
        for one in self._live:
            shift = moved.shift(one.box, front.in_front(one.box, one.number))
            one.go_on(shift, self._seconds, moved.pixel)
        self._associate(seen, moved)
        self._notice_people(seen.people)
        for one in self._live:
            one.rest(self._seconds)
            if one.followed:
                one.remember(at)
        gone += self._relate(moved)
        names = {one.number: f"{self._run}-{one.number}" for one in [*self._live, *gone]}
        usual = {one.number: self._usual.at(one.motion.x, one.motion.y) for one in [*self._live, *gone]}
        return [
            one.track(names[one.number], names, usual[one.number], ended=one in gone) for one in [*self._live, *gone]
        ]

    def _begin(self, observation: Observation, at: float) -> list[Tracklet]:
        """Set the clock; after a long gap, or with frames of another size, everything that was ends."""
        gap = FIRST_GAP if self._at is None else at - self._at
        again = gap > LONG_GAP or observation.size != self._size
        self._at, self._size = at, observation.size
        self._seconds = FIRST_GAP if again else max(gap, 1e-3)
        if not again:
            return []
        gone, self._live = self._live, []
        self._memory.clear()
        return gone

    def _sightings(self, observation: Observation) -> Sightings:
        config = self._config
        seen = sightings(
            observation.detections,
            ignored=self._ignored,
            merge_iou=config.merge_iou,
            sure=config.sure_confidence,
            groups=self._mechanisms.group_boxes,
        )
        wanted = self._region.wanted(centers(seen.boxes), seen.confidences >= config.sure_confidence, self._size)
        seen = seen.only(wanted)
        for box, confidence, votes in zip(seen.boxes, seen.confidences, seen.votes, strict=True):
            if confidence > PLAIN_SURE and max(votes, key=lambda label: votes[label]) in PLAIN_VEHICLES:
                self._usual.add_vehicle(box)
        self._usual.add_people(seen.people)
        return seen

    def _associate(self, seen: Sightings, moved: Displacements) -> None:
        last_seen = {one.number for one in self._live if one.seen}
        for one in self._live:
            one.seen = False
        hot = [one for one in self._live if one.shift is not None or one.number in last_seen]
        cold = [one for one in self._live if one.shift is None and one.number not in last_seen]
        sure = [i for i in range(len(seen)) if seen.confidences[i] >= self._config.sure_confidence]
        weak = [i for i in range(len(seen)) if seen.confidences[i] < self._config.sure_confidence]
        hot, sure = self._give(hot, sure, seen, SURE_IOU)
        hot, weak = self._give(hot, weak, seen, WEAK_IOU)
        left = sure + weak
        front = standing_in_front(self._live)
        velocities = {i: self._velocity(seen.boxes[i], moved, front.in_front(seen.boxes[i])) for i in left}
        _, left = self._give(hot + cold, left, seen, None, velocities)
        self._born(left, seen, velocities)

    def _give(
        self,
        tracks: list[Tracklet],
        numbers: list[int],
        seen: Sightings,
        least_iou: float | None,
        velocities: Mapping[int, Point | None] | None = None,
    ) -> tuple[list[Tracklet], list[int]]:
        """Give sightings to tracks; returns those that are left. Without ``least_iou``, by motion."""
        if not tracks or not numbers:
            return tracks, numbers
        boxes = seen.boxes[numbers]
        if least_iou is not None:
            costs = by_overlap(tracks, boxes, least_iou, self._size)
        else:
            own = [(velocities or {}).get(i) for i in numbers]
            costs = by_motion(tracks, boxes, own, self._seconds, self._size)
        given_tracks, given_numbers = set(), set()
        for row, column in best_pairs(costs):
            one, i = tracks[row], numbers[column]
            confidence = float(seen.confidences[i])
            one.match(
                seen.boxes[i],
                confidence,
                seen.votes[i],
                self._now,
                self._seconds,
                self._size,
                self._usual.at(one.motion.x, one.motion.y),
                parts=self._mechanisms.partial_boxes,
                sure=confidence > self._config.sure_confidence,
            )
            given_tracks.add(one.number)
            given_numbers.add(i)
        return (
            [one for one in tracks if one.number not in given_tracks],
            [i for i in numbers if i not in given_numbers],
        )

    @property
    def _now(self) -> float:
        return self._at or 0.0

    def _velocity(self, box: Floats, moved: Displacements, hidden: Floats) -> Point | None:
        shift = moved.shift(box, hidden, backwards=True)
        if shift is None or shift.share < BORN_AGREE:
            return None
        return Point(shift.x / self._seconds, shift.y / self._seconds)

    def _born(self, numbers: list[int], seen: Sightings, velocities: Mapping[int, Point | None]) -> None:
        """Begin tracks of the sightings that nobody claimed, where there is not one already."""
        known = [one for one in self._live if one.followed]
        boxes = rows(tuple(one.box) for one in known)
        visible = np.array([one.seen for one in known], dtype=bool)
        for i in numbers:
            sure = bool(seen.confidences[i] >= self._config.sure_confidence)
            if known and self._is_taken(seen.boxes[i], sure, known, boxes, visible):
                continue
            self._count += 1
            self._live.append(
                Tracklet.begin(
                    self._count,
                    seen.boxes[i],
                    float(seen.confidences[i]),
                    seen.votes[i],
                    velocities.get(i),
                    self._now,
                    self._seconds,
                    sure,
                )
            )

    def _is_taken(
        self, box: Floats, sure: bool, known: Sequence[Tracklet], boxes: Floats, visible: NDArray[np.bool_]
    ) -> bool:
        iou, inside, about = (matrix[0] for matrix in overlaps(box[None], boxes))
        if not sure and (iou.max() > TAKEN_WEAK or np.maximum(inside, about)[visible].max(initial=0.0) > TAKEN_NESTED):
            return True
        if sure and iou[visible].max(initial=0.0) > TAKEN_SURE:
            return True
        if not self._mechanisms.partial_boxes:
            return False
        parts = [known[int(n)] for n in np.flatnonzero((inside > PART_INSIDE) & visible) if known[int(n)].partial]
        return any(overlaps(box[None], one.matched[None])[0][0, 0] < PART_APART for one in parts)

    def _notice_people(self, people: Floats) -> None:
        visible = [one for one in self._live if one.seen]
        if not len(people) or not visible:
            return
        boxes = rows(tuple(one.box) for one in visible)
        _, inside, covers = overlaps(boxes, people)
        large = areas(people)[None, :] > PERSON_LARGE * areas(boxes)[:, None]
        with_person = np.asarray(((inside > PERSON_INSIDE) | ((covers > PERSON_COVERS) & large)).any(axis=1))
        for one, is_with in zip(visible, with_person, strict=True):
            if is_with:
                one.person_seconds += min(self._seconds, ONE_FRAME)

    def _relate(self, moved: Displacements) -> list[Tracklet]:
        """Bring together what is one vehicle, look for the past of new tracks; returns the tracks that end."""
        notice_touches(self._live, self._now)
        absorb_parts(self._live, self._now)
        gone = set(shadows(self._live, self._seconds))
        self._memory.add(self._now, moved, self._live)
        for one in self._live:
            if one.past is not None or not one.ripe(self._now):
                continue
            one.past = []
            if self._mechanisms.retrace and one.motion.speed > 0.3 * one.size:
                self._memory.retrace(one)
        for one in self._live:
            if self._mechanisms.stitching and one.confirmed and not one.stitch_tried and one.seen:
                one.stitch_tried = True
                lost = continued(one, self._live)
                if lost is not None:
                    lost.take_over(one, self._now)
                    gone.add(one.number)
        gone |= {one.number for one in self._live if not one.seen and self._visible_share(one) < LEFT}
        gone |= {one.number for one in self._live if self._now - one.last_seen > self._keeps(one)}
        ended = [one for one in self._live if one.number in gone]
        self._live = [one for one in self._live if one.number not in gone]
        return ended

    def _keeps(self, one: Tracklet) -> float:
        if one.sightings < KNOWN:
            return FLASH_SECONDS
        return self._config.rest_seconds if one.resting else self._config.lost_seconds

    def _visible_share(self, one: Tracklet) -> float:
        x1, y1, x2, y2 = one.box
        across = max(0.0, min(x2, self._size[0]) - max(x1, 0.0))
        down = max(0.0, min(y2, self._size[1]) - max(y1, 0.0))
        return float(across * down / max(one.width * one.height, 1e-6))
