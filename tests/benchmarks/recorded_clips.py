"""Counts the labelled clips and the simulated scenes from recordings of their observations, with any numbers.

A set is a folder of recordings at one rate: ``clips-5`` holds the labelled clips at 5 frames a second, ``scenes-all``
the simulated scenes at all frames. Recordings that are missing are made, which needs the model and takes minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.config.schema import CameraConfig
from edge.core.shapes import Box
from edge.counting.events import make_events
from edge.counting.gate import Gate
from edge.detection.detector import make_detector
from edge.evaluation.accuracy import match_crossings
from edge.evaluation.evaluate_clip import CLIP_CAMERA, CLIP_RUN, clip_frames, counted_crossing
from edge.evaluation.expected_crossings import expected_crossings, simulated_gate
from edge.evaluation.label_file import read_labels
from edge.evaluation.recording import read_recording
from edge.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.tuned_numbers import Numbers

    from edge.core.events import Event
    from edge.core.frames import Detection, FrameTime, Image
    from edge.core.tracks import Track
    from edge.detection.detector import Detector
    from edge.evaluation.accuracy import ExpectedCrossing
    from edge.pipeline import FrameResult
    from edge.tracking.observer import Observation

PROJECT = Path(__file__).parent.parent.parent
CLIPS = Path(os.environ.get("SMARTPARK_CLIPS", PROJECT.parent / "shared" / "clips"))
CACHE = PROJECT / "build" / "recordings"  # kept between runs; remove it when the detector or its weights change
SCENES = PROJECT / "tests" / "evaluation" / "scenes"
RATES = {"all": None, "10": 10.0, "5": 5.0}
SETS = tuple(f"{kind}-{rate}" for kind in ("clips", "scenes") for rate in RATES)


@dataclass(frozen=True, slots=True)
class RecordedClip:
    """A clip or a scene with its expected crossings and the observations of its frames."""

    camera: CameraConfig
    expected: Sequence[ExpectedCrossing]
    frames: Sequence[tuple[FrameTime, Observation]]

    def errors(self, events: Sequence[Event]) -> int:
        """The number of crossings that the events miss and how many they have too many, together."""
        figures = match_crossings(self.expected, [counted_crossing(event) for event in events]).figures
        return figures.missed + figures.extra

    @property
    def certain_crossings(self) -> int:
        """The number of expected crossings that are not uncertain."""
        return sum(crossing.direction is not None for crossing in self.expected)


def without_tracks(events: Sequence[Event]) -> Counter[tuple[object, ...]]:
    """What events are apart from the numbers of their tracks: direction, time, vehicle type and confidence."""
    return Counter((event.direction, event.timestamp, event.vehicle_type, event.confidence) for event in events)


def labels_of(set_name: str, clips: Path = CLIPS) -> list[Path]:
    """The label files of a set, by name."""
    return sorted((clips if set_name.startswith("clips") else SCENES).glob("*.toml"))


def rate_of(set_name: str) -> float | None:
    """The frames a second of a set at most; None: all."""
    return RATES[set_name.rpartition("-")[2]]


def recordings_folder(set_name: str, without: str = "") -> str:
    """The name of the folder of a set's recordings, which were made ``without`` a mechanism; empty: with all."""
    return f"{set_name}-without-{without}" if without else set_name


def make_recordings(set_name: str, folder: Path, labels: Sequence[Path], jobs: int, without: str = "") -> None:
    """Record the clips of a set whose recordings are missing in ``folder/SET``, in a process of its own.

    ``without`` names a mechanism that is switched off; their folder is that of ``recordings_folder``. Raises
    ``subprocess.CalledProcessError`` where the evaluation fails.
    """
    place = folder / recordings_folder(set_name, without)
    missing = [label for label in labels if not (place / f"{label.stem}.jsonl.gz").exists()]
    if not missing:
        return
    print(f"recording {len(missing)} clips of {place.name}, once", file=sys.stderr, flush=True)
    place.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "edge", "evaluate", *map(str, missing), "--record", str(place)]
    command += ["--without", without] if without else []
    rate = rate_of(set_name)
    command += ["--jobs", str(jobs), *([] if rate is None else ["--fps", f"{rate:g}"])]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def read_clips(
    set_name: str, folder: Path, labels: Sequence[Path], numbers: Numbers, without: str = ""
) -> list[RecordedClip]:
    """The recorded clips of a set, as ``make_recordings`` made them.

    Raises ``SourceError`` for a recording that cannot be read.
    """
    clips = []
    for label in read_labels(labels):
        gate = label.gate or simulated_gate()
        camera = CameraConfig(id=CLIP_CAMERA, source=label.source, fps=rate_of(set_name), gates=(gate,))
        frames = list(read_recording(folder / recordings_folder(set_name, without) / f"{label.name}.jsonl.gz"))
        clips.append(RecordedClip(camera, expected_crossings(label, numbers.config), frames))
    return clips


def count_observations(clip: RecordedClip, numbers: Numbers) -> tuple[list[Event], list[Sequence[Track]]]:
    """Track and count the recorded observations; the events, and each frame's tracks."""
    tracks: list[Sequence[Track]] = []
    events: list[Event] = []
    detector = make_detector(numbers.config.detector)  # never started: the detections are those of the recording
    pipeline = _pipeline(clip, numbers, detector, events, lambda result: tracks.append(result.tracks))
    for frame_time, observation in clip.frames:
        pipeline.count(observation, frame_time)
    pipeline.finish()
    return _of_the_floor(events, clip), tracks


def count_tracks(clip: RecordedClip, tracks: Sequence[Sequence[Track]], numbers: Numbers) -> list[Event]:
    """Count tracks that are known for each frame: for numbers that act after tracking."""
    (config,) = clip.camera.gates
    gate = Gate(config, numbers.config.counting, numbers.config.mechanisms, numbers.counting)
    events: list[Event] = []
    for (frame_time, _), there in zip(clip.frames, tracks, strict=True):
        for crossing in gate.update(there, frame_time.size, frame_time.monotonic):
            events += make_events(crossing, config, clip.camera.id, frame_time)
        gate.verdicts()
    if clip.frames:
        for crossing in gate.finish():
            events += make_events(crossing, config, clip.camera.id, clip.frames[-1][0])
    return _of_the_floor(events, clip)


def count_frames(clip: RecordedClip, numbers: Numbers, detector: Detector | None = None) -> list[Event]:
    """Count the clip's frames, with optical flow computed anew; without a ``detector``, with the recorded detections.

    The frames are those that were looked at when the clip was recorded. Raises ``SourceError`` where the clip cannot be
    read.
    """
    events: list[Event] = []
    recorded = _RecordedDetections(clip.frames)
    pipeline = _pipeline(clip, numbers, detector or recorded, events)
    for frame in clip_frames(clip.camera):
        if recorded.begin(frame.monotonic):
            pipeline.look(frame)
    pipeline.finish()
    return _of_the_floor(events, clip)


class _RecordedDetections:
    """A detector that finds in a frame what was found there when the clip was recorded."""

    def __init__(self, frames: Sequence[tuple[FrameTime, Observation]]) -> None:
        self._observations = {time.monotonic: observation for time, observation in frames}
        self._observation: Observation | None = None

    def begin(self, at: float) -> bool:
        """Take the frame at second ``at`` next; False when it was not looked at."""
        self._observation = self._observations.get(at)
        return self._observation is not None

    def start(self) -> None:
        """There is nothing to load."""

    def detect(self, image: Image, share: float = 1.0) -> Sequence[Detection]:
        """The detections of the frame, in pixels of the part of it that was looked at."""
        assert self._observation is not None
        left, top = self._observation.view[:2]
        return [
            replace(found, box=Box(found.box.x1 - left, found.box.y1 - top, found.box.x2 - left, found.box.y2 - top))
            for found in self._observation.detections
        ]

    def close(self) -> None:
        """There is nothing to free."""


def _pipeline(
    clip: RecordedClip, numbers: Numbers, detector: Detector, events: list[Event],
    on_frame: Callable[[FrameResult], None] | None = None,
) -> Pipeline:  # fmt: skip
    return Pipeline(
        *(clip.camera, numbers.config, CLIP_RUN, detector, events.extend, on_frame),
        tracking=numbers.tracking,
        counting=numbers.counting,
    )


def _of_the_floor(events: Sequence[Event], clip: RecordedClip) -> list[Event]:
    """One event a crossing: a gate between two floors makes two."""
    return [event for event in events if event.floor == clip.camera.gates[0].floor]
