"""Makes tracks of observations. It asks for no time and sees no picture: observations go in, tracks come out.

In each frame every track moves on with the picture under its box; sightings are matched to tracks, sure ones first;
those that match no track start tracks of their own; then tracks of one vehicle are brought together, and new tracks are
traced back to where they came from. Weak sightings start tracks too: counting decides whether there is enough evidence
of a vehicle.

The ids of a camera's tracks are ``RUN-N``: RUN is the same for one start of the daemon, N numbers the tracks from 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.core.shapes import Point
from edge.tracking.association import TakenPlaces, cheapest_pairs, motion_costs, overlap_costs
from edge.tracking.boxes import box_array, centers, overlaps
from edge.tracking.observer import FrameStep
from edge.tracking.optical_flow import Displacements
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.relations import absorb_parts, find_continued, find_shadows, record_apart, record_contacts
from edge.tracking.retrace import FrameMemory, Origin, possible_occluders
from edge.tracking.sightings import GateRegion, merge_detections
from edge.tracking.tracklet import Tracklet
from edge.tracking.usual_size import SizeModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.config.schema import MechanismsConfig, TrackerConfig
    from edge.core.tracks import Track
    from edge.tracking.boxes import Floats
    from edge.tracking.observer import Observation
    from edge.tracking.parameters import TrackingParameters
    from edge.tracking.retrace import TrackBoxes
    from edge.tracking.sightings import Sightings

# The classes that the usual size of vehicles is learned from.
_SIZED_CLASSES = frozenset({"car", "bus", "truck"})


class Tracker:
    """The tracks of one camera. ``update`` must be called for each processed frame, also for one without detections."""

    def __init__(
        self,
        config: TrackerConfig,
        mechanisms: MechanismsConfig,
        run: str,
        lines: Sequence[Sequence[tuple[float, float]]] = (),
        parameters: TrackingParameters = DEFAULT_TRACKING,
    ) -> None:
        """``lines`` are the gates' lines as fractions of the frame: what is far from all of them is not tracked."""
        self._config, self._mechanisms, self._run = config, mechanisms, run
        self._parameters = parameters
        self._region = GateRegion(lines, parameters.sightings)
        self._ignored = frozenset(config.ignored_classes)
        self._started = 0
        self._step: FrameStep | None = None
        self._tracks: list[Tracklet] = []
        self._sizes = SizeModel(parameters.usual_size)
        self._memory = FrameMemory(config.retrace_seconds, parameters)

    def update(self, observation: Observation, at: float) -> list[Track]:
        """Return the tracks after a frame taken at ``at`` seconds, which must be later than the frame before.

        Every living track is returned once: tentative or confirmed where it was found in this frame, else lost. A track
        that ends with this frame is returned as ended, and never again.
        """
        step, ended = self._begin(observation, at)
        sightings = self._find_sightings(observation, step)
        moved = observation.moved if self._mechanisms.optical_flow else Displacements.none()
        self._advance(moved, step)
        self._associate(sightings, moved, step)
        self._count_person_time(sightings.people, step)
        for track in self._tracks:
            track.update_rest(step.seconds)
            if track.followed:
                track.save_fix(at)
        ended += self._relate(moved, step)
        tracks = [*self._tracks, *ended]
        names = {track.number: f"{self._run}-{track.number}" for track in tracks}
        return [
            track.to_track(names, self._sizes.at(track.motion.x, track.motion.y), ended=track in ended)
            for track in tracks
        ]

    def _begin(self, observation: Observation, at: float) -> tuple[FrameStep, list[Tracklet]]:
        """Return the frame's step, and the tracks that end: all after a long gap, and when size or view change."""
        gaps, last = self._parameters.gaps, self._step
        gap = gaps.first_seconds if last is None else at - last.at
        size, view = observation.size, observation.view
        if last is not None and (size, view) == (last.size, last.view) and gap <= gaps.restart_seconds:
            self._step = FrameStep(at, max(gap, gaps.shortest_seconds), size, view)
            return self._step, []
        self._step = FrameStep(at, gaps.first_seconds, size, view)
        ended, self._tracks = self._tracks, []
        self._memory.clear()
        return self._step, ended

    def _find_sightings(self, observation: Observation, step: FrameStep) -> Sightings:
        """Return the frame's sightings near the gates, and learn the usual sizes from them."""
        sure = self._config.sure_confidence
        sightings = merge_detections(
            observation.detections,
            ignored=self._ignored,
            merge_iou=self._config.merge_iou,
            sure=sure,
            drop_groups=self._mechanisms.group_boxes,
            parameters=self._parameters.sightings,
        )
        near = self._region.indices_inside(centers(sightings.boxes), sightings.confidences >= sure, step.size)
        sightings = sightings.select(near)
        for sighting in sightings:
            if sighting.confidence > self._parameters.usual_size.confidence and sighting.label in _SIZED_CLASSES:
                self._sizes.add_vehicle(sighting.box)
        self._sizes.add_people(sightings.people)
        return sightings

    def _advance(self, moved: Displacements, step: FrameStep) -> None:
        """Move all tracks on from the frame before."""
        occluders = possible_occluders(self._tracks, self._parameters.retrace)
        for track in self._tracks:
            box = track.box
            hidden_by = occluders.hiding(box, self._parameters.retrace, track.number)
            shift = moved.shift_of(box, hidden_by, parameters=self._parameters.shift)
            track.advance(shift, step.seconds, moved.scale)

    def _associate(self, sightings: Sightings, moved: Displacements, step: FrameStep) -> None:
        """Match sightings to tracks in three rounds, and start tracks of those that are left."""
        limits = self._parameters.association
        tracks = [track for track in self._tracks if track.followed]
        unfollowed = [track for track in self._tracks if not track.followed]
        for track in self._tracks:
            track.expect()
        is_sure = sightings.confidences >= self._config.sure_confidence
        sure = [int(index) for index in np.flatnonzero(is_sure)]
        weak = [int(index) for index in np.flatnonzero(~is_sure)]
        for indices, least_iou in ((sure, limits.sure_iou), (weak, limits.weak_iou)):
            if tracks and indices:
                costs = overlap_costs(tracks, sightings.boxes[indices], least_iou, step.view, limits)
                self._match(costs, tracks, indices, sightings, step)
        left = sure + weak
        occluders = possible_occluders(self._tracks, self._parameters.retrace)
        velocities = {index: self._velocity(sightings.boxes[index], moved, occluders, step) for index in left}
        tracks += unfollowed
        if tracks and left:
            costs = motion_costs(tracks, sightings.boxes[left], [velocities[index] for index in left], step, limits)
            self._match(costs, tracks, left, sightings, step)
        self._start_tracks(left, sightings, velocities, step)

    def _match(
        self, costs: Floats, tracks: list[Tracklet], indices: list[int], sightings: Sightings, step: FrameStep
    ) -> None:
        """Match sightings to tracks by ``costs`` and remove both from the lists."""
        pairs = [(tracks[row], indices[column]) for row, column in cheapest_pairs(costs)]
        for track, index in pairs:
            sighting = sightings[index]
            track.match(
                sighting,
                step,
                self._sizes.at(track.motion.x, track.motion.y),
                partial_boxes=self._mechanisms.partial_boxes,
                sure=sighting.confidence > self._config.sure_confidence,
            )
            tracks.remove(track)
            indices.remove(index)

    def _velocity(self, box: Floats, moved: Displacements, occluders: TrackBoxes, step: FrameStep) -> Point | None:
        """Return the velocity of a box's content in pixels a second, None where its corners do not agree."""
        hidden_by = occluders.hiding(box, self._parameters.retrace)
        shift = moved.shift_of(box, hidden_by, backwards=True, parameters=self._parameters.shift)
        if shift is None or shift.share < self._parameters.birth.velocity_share:
            return None
        return Point(shift.x / step.seconds, shift.y / step.seconds)

    def _start_tracks(
        self, indices: list[int], sightings: Sightings, velocities: Mapping[int, Point | None], step: FrameStep
    ) -> None:
        """Start tracks of the sightings that matched none, except where another track is already."""
        partial_boxes = self._mechanisms.partial_boxes
        taken = TakenPlaces(self._tracks, self._parameters.birth, partial_boxes=partial_boxes)
        for index in indices:
            sighting = sightings[index]
            sure = sighting.confidence >= self._config.sure_confidence
            if not taken.include(sighting.box, sure=sure):
                self._started += 1
                self._tracks.append(
                    Tracklet.start(self._started, sighting, velocities[index], step, sure, self._parameters)
                )

    def _count_person_time(self, people: Floats, step: FrameStep) -> None:
        """Add the frame's seconds to the tracks in the box of a person."""
        seen = [track for track in self._tracks if track.seen]
        if not len(people) or not seen:
            return
        life = self._parameters.life
        boxes = box_array(tuple(track.box) for track in seen)
        _, inside, _ = overlaps(boxes, people)
        is_with = (inside > life.person_inside).any(axis=1)
        for number in np.flatnonzero(is_with):
            seen[number].evidence.add_person(min(step.seconds, life.detection_seconds))

    def _relate(self, moved: Displacements, step: FrameStep) -> list[Tracklet]:
        """Bring tracks of one vehicle together and find the origin of new tracks; return the tracks that end."""
        record_contacts(self._tracks, step.at, self._parameters)
        record_apart(
            self._tracks, min(step.seconds, self._parameters.life.detection_seconds), self._parameters.relations
        )
        absorb_parts(self._tracks, step.at, self._parameters.relations)
        ending = find_shadows(self._tracks, step.seconds, self._parameters)
        self._memory.add(step.at, moved, self._tracks)
        for track in self._tracks:
            if not track.confirmed and track.can_be_confirmed(step.at):
                moves = track.motion.speed > self._parameters.retrace.speed * track.size
                track.confirm(self._memory.trace_back(track) if self._mechanisms.retrace and moves else Origin())
        if self._mechanisms.stitching:
            ending |= self._stitch(step)
        ending |= {track.number for track in self._tracks if self._is_over(track, step)}
        ended = [track for track in self._tracks if track.number in ending]
        self._tracks = [track for track in self._tracks if track.number not in ending]
        return ended

    def _stitch(self, step: FrameStep) -> set[int]:
        """Let lost tracks go on as the new tracks that continue them; return the numbers of those new tracks."""
        merged: set[int] = set()
        for track in self._tracks:
            if track.confirmed and track.seen and not track.relations.continuation_tried:
                track.relations.continuation_tried = True
                lost = find_continued(track, self._tracks, self._parameters)
                if lost is not None:
                    lost.continue_as(track, step.at)
                    merged.add(track.number)
        return merged

    def _is_over(self, track: Tracklet, step: FrameStep) -> bool:
        """Whether a track left the picture, or was not seen for too long."""
        life = self._parameters.life
        if not track.seen and track.visible_share(step.view) < life.least_visible:
            return True
        if not track.known:
            most = life.flash_seconds
        else:
            most = self._config.rest_seconds if track.resting else self._config.lost_seconds
        return step.at - track.last.at > most
