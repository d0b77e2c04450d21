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
from edge.tracking.association import best_pairs, by_motion, by_overlap
from edge.tracking.boxes import areas, centers, overlaps, rows
from edge.tracking.optical_flow import Displacements
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.relations import absorb_parts, continued, notice_touches, shadows
from edge.tracking.retrace import Memory, standing_in_front
from edge.tracking.sightings import Region, sightings
from edge.tracking.tracklet import Tracklet
from edge.tracking.usual_size import UsualSize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge.config.schema import MechanismsConfig, TrackerConfig
    from edge.core.frames import Detection
    from edge.core.tracks import Track
    from edge.tracking.boxes import Floats
    from edge.tracking.parameters import TrackingParameters
    from edge.tracking.sightings import Sightings

# The classes that say how large vehicles are.
PLAIN_VEHICLES = frozenset({"car", "bus", "truck"})


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
        parameters: TrackingParameters = DEFAULT_TRACKING,
    ) -> None:
        """``lines`` are the gates' (fractions of the frame): what is far from all of them is left alone."""
        self._config, self._mechanisms, self._run = config, mechanisms, run
        self._parameters = parameters
        self._region = Region(lines, parameters.sightings)
        self._ignored = frozenset(config.ignored_classes)
        self._count = 0
        self._at: float | None = None
        self._size = (0, 0)
        self._seconds = parameters.gaps.first_seconds
        self._live: list[Tracklet] = []
        self._usual = UsualSize(parameters.usual_size)
        self._memory = Memory(config.retrace_seconds, parameters)

    def update(self, observation: Observation, at: float) -> list[Track]:
        """The tracks after a frame taken at ``at`` seconds (strictly growing).

        Every living track comes back once: tentative or confirmed when it was found in this frame, lost when not. A
        track that ended with this frame comes back once more, as ended, and never again.
        """
        gone = self._begin(observation, at)
        seen = self._sightings(observation)
        moved = observation.moved if self._mechanisms.optical_flow else Displacements.none()
        front = standing_in_front(self._live, self._parameters.retrace)
        for one in self._live:
            shift = moved.shift(
                one.box,
                front.in_front(one.box, self._parameters.retrace, one.number),
                parameters=self._parameters.shift,
            )
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
        gaps = self._parameters.gaps
        gap = gaps.first_seconds if self._at is None else at - self._at
        again = gap > gaps.restart_seconds or observation.size != self._size
        self._at, self._size = at, observation.size
        self._seconds = gaps.first_seconds if again else max(gap, gaps.shortest_seconds)
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
            parameters=self._parameters.sightings,
        )
        wanted = self._region.wanted(centers(seen.boxes), seen.confidences >= config.sure_confidence, self._size)
        seen = seen.only(wanted)
        for box, confidence, votes in zip(seen.boxes, seen.confidences, seen.votes, strict=True):
            if (
                confidence > self._parameters.usual_size.confidence
                and max(votes, key=lambda label: votes[label]) in PLAIN_VEHICLES
            ):
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
        hot, sure = self._give(hot, sure, seen, self._parameters.association.sure_iou)
        hot, weak = self._give(hot, weak, seen, self._parameters.association.weak_iou)
        left = sure + weak
        front = standing_in_front(self._live, self._parameters.retrace)
        velocities = {
            i: self._velocity(seen.boxes[i], moved, front.in_front(seen.boxes[i], self._parameters.retrace))
            for i in left
        }
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
            costs = by_overlap(tracks, boxes, least_iou, self._size, self._parameters.association)
        else:
            own = [(velocities or {}).get(i) for i in numbers]
            costs = by_motion(tracks, boxes, own, self._seconds, self._size, self._parameters.association)
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
        shift = moved.shift(box, hidden, backwards=True, parameters=self._parameters.shift)
        if shift is None or shift.share < self._parameters.birth.velocity_share:
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
                    self._parameters,
                )
            )

    def _is_taken(
        self, box: Floats, sure: bool, known: Sequence[Tracklet], boxes: Floats, visible: NDArray[np.bool_]
    ) -> bool:
        p = self._parameters.birth
        iou, inside, about = (matrix[0] for matrix in overlaps(box[None], boxes))
        if not sure and (
            iou.max() > p.taken_iou_weak or np.maximum(inside, about)[visible].max(initial=0.0) > p.taken_nested
        ):
            return True
        if sure and iou[visible].max(initial=0.0) > p.taken_iou_sure:
            return True
        if not self._mechanisms.partial_boxes:
            return False
        parts = [known[int(n)] for n in np.flatnonzero((inside > p.part_inside) & visible) if known[int(n)].partial]
        return any(overlaps(box[None], one.matched[None])[0][0, 0] < p.part_iou for one in parts)

    def _notice_people(self, people: Floats) -> None:
        visible = [one for one in self._live if one.seen]
        if not len(people) or not visible:
            return
        life = self._parameters.life
        boxes = rows(tuple(one.box) for one in visible)
        _, inside, covers = overlaps(boxes, people)
        large = areas(people)[None, :] > life.person_area * areas(boxes)[:, None]
        with_person = np.asarray(((inside > life.person_inside) | ((covers > life.person_covers) & large)).any(axis=1))
        for one, is_with in zip(visible, with_person, strict=True):
            if is_with:
                one.person_seconds += min(self._seconds, life.detection_seconds)

    def _relate(self, moved: Displacements) -> list[Tracklet]:
        """Bring together what is one vehicle, look for the past of new tracks; returns the tracks that end."""
        notice_touches(self._live, self._now, self._parameters)
        absorb_parts(self._live, self._now, self._parameters.relations)
        gone = set(shadows(self._live, self._seconds, self._parameters))
        self._memory.add(self._now, moved, self._live)
        for one in self._live:
            if one.past is not None or not one.ripe(self._now):
                continue
            one.past = []
            if self._mechanisms.retrace and one.motion.speed > self._parameters.retrace.speed * one.size:
                self._memory.retrace(one)
        for one in self._live:
            if self._mechanisms.stitching and one.confirmed and not one.stitch_tried and one.seen:
                one.stitch_tried = True
                lost = continued(one, self._live, self._parameters)
                if lost is not None:
                    lost.take_over(one, self._now)
                    gone.add(one.number)
        gone |= {
            one.number
            for one in self._live
            if not one.seen and self._visible_share(one) < self._parameters.life.least_visible
        }
        gone |= {one.number for one in self._live if self._now - one.last_seen > self._keeps(one)}
        ended = [one for one in self._live if one.number in gone]
        self._live = [one for one in self._live if one.number not in gone]
        return ended

    def _keeps(self, one: Tracklet) -> float:
        if one.sightings < self._parameters.life.known_sightings:
            return self._parameters.life.flash_seconds
        return self._config.rest_seconds if one.resting else self._config.lost_seconds

    def _visible_share(self, one: Tracklet) -> float:
        x1, y1, x2, y2 = one.box
        across = max(0.0, min(x2, self._size[0]) - max(x1, 0.0))
        down = max(0.0, min(y2, self._size[1]) - max(y1, 0.0))
        return float(across * down / max(one.width * one.height, 1e-6))
