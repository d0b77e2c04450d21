"""Tracks from detections: ByteTrack of the ``trackers`` library, with identities and life times of our own.

The library numbers its tracks; those numbers do not leave this module. A camera's ids are ``RUN-N``: RUN tells one
start of the daemon from another, N counts the camera's tracks from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import supervision as sv
from trackers import ByteTrackTracker

from edge.records import Track, TrackState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.config import TrackerConfig
    from edge.records import Detection

# The library's filter reckons in frames of this rate; real frame times are given with every update, so that this
# is the unit of its noise and not a claim about the camera.
NOMINAL_RATE = 30.0


@dataclass(slots=True)
class _Life:
    """What is known of one of the library's tracks."""

    track: Track
    frames: int
    tracklet: object


class Tracker:
    """One camera's tracks. ``update`` is to be called for every frame, also for one without detections."""

    def __init__(self, config: TrackerConfig, run: str) -> None:
        self._config = config
        self._run = run
        self._count = 0
        self._lives: dict[int, _Life] = {}
        self._tracker = ByteTrackTracker(
            # In thirtieths of a second, whatever the camera's rate.
            lost_track_buffer=max(1, round(config.lost_seconds * 30)),
            frame_rate=NOMINAL_RATE,
            track_activation_threshold=config.activation_confidence,
            high_conf_det_threshold=config.high_confidence,
            minimum_iou_threshold=config.match_iou,
            minimum_consecutive_frames=min(config.confirm_frames, 2),
        )

    def update(self, detections: Sequence[Detection], at: float) -> list[Track]:
        """The tracks after a frame taken at ``at`` seconds (strictly growing) with these detections.

        Every living track comes back once: tentative or confirmed when it was seen in this frame, lost when not.
        A track that ended with this frame comes back once more, as ended, and never again.
        """
        detections = one_box_a_vehicle(detections, self._config.merge_iou)
        boxes = np.array([detection.box for detection in detections], dtype=np.float64).reshape(-1, 4)
        seen = self._tracker.update(
            sv.Detections(
                xyxy=boxes,
                confidence=np.array([detection.confidence for detection in detections], dtype=np.float64),
                class_id=np.zeros(len(detections), dtype=int),
                data={"index": np.arange(len(detections))},
            ),
            timestamp=at,
        )
        matched: dict[int, int] = {}
        unclaimed: list[int] = []
        if seen.tracker_id is not None and len(seen):
            for index, number in zip(seen.data["index"], seen.tracker_id, strict=True):
                if number >= 0:
                    matched[int(number)] = int(index)
                else:
                    unclaimed.append(int(index))
        tracks = []
        living: dict[int, _Life] = {}
        for tracklet in self._tracker.tracks:
            life = self._lives.get(id(tracklet))
            index = matched.get(int(tracklet.tracker_id))
            if index is None and (life is None or tracklet.time_since_update == 0):
                index = _nearest(tracklet.get_state_bbox(), boxes, unclaimed)
            if life is None:
                self._count += 1
                track_id = f"{self._run}-{self._count}"
                life = _Life(Track(track_id, TrackState.TENTATIVE, detections[0].box, "", 0.0, at), 0, tracklet)
            if index is None:
                life.track = replace(life.track, state=TrackState.LOST)
            else:
                detection = detections[index]
                life.frames += 1
                confirmed = life.frames >= self._config.confirm_frames
                life.track = Track(
                    life.track.track_id,
                    TrackState.CONFIRMED if confirmed else TrackState.TENTATIVE,
                    detection.box,
                    detection.label,
                    detection.confidence,
                    at,
                )
            living[id(tracklet)] = life
            tracks.append(life.track)
        tracks += [
            replace(life.track, state=TrackState.ENDED) for key, life in self._lives.items() if key not in living
        ]
        self._lives = living
        return tracks


def one_box_a_vehicle(detections: Sequence[Detection], overlap: float) -> list[Detection]:
    """Without the boxes that overlap a surer one by more than ``overlap`` (intersection over union), of whatever class.

    The detector keeps a "car" and a "truck" on one van, class by class; two tracks of it would be two vehicles.
    Most confident first.
    """
    ordered = sorted(detections, key=lambda detection: -detection.confidence)
    if len(ordered) < 2:
        return ordered
    boxes = np.array([detection.box for detection in ordered], dtype=np.float64)
    overlaps = sv.box_iou_batch(boxes, boxes) > overlap
    kept: list[int] = []
    for index in range(len(ordered)):
        if not overlaps[index, kept].any():
            kept.append(index)
    return [ordered[index] for index in kept]


def _nearest(box: NDArray[np.float64], boxes: NDArray[np.float64], candidates: list[int]) -> int | None:
    """The detection among ``candidates`` that a track without a number was just made of, or matched with.

    The library gives a number only to confirmed tracks; a track that was born of a detection has its very box.
    """
    if not candidates:
        return None
    distances = np.abs(boxes[candidates] - box).sum(axis=1)
    return candidates[int(distances.argmin())]
