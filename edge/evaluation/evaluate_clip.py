"""Runs the pipeline over one labelled clip, or over a recording of it, and compares its events with the label."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.config.schema import CameraConfig
from edge.core.source import EndOfSource
from edge.evaluation.accuracy import TOLERANCE_SECONDS, CountedCrossing, Figures, Matching, match_crossings
from edge.evaluation.error_pictures import CountingError, save_error_pictures
from edge.evaluation.expected_crossings import expected_crossings, simulated_gate
from edge.evaluation.recording import RecordingWriter, read_recording, recorded_rate, recording_title
from edge.evaluation.run_history import RunHistory, verdict_time
from edge.pipeline import Pipeline
from edge.simulator.source import RECORDED_START
from edge.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edge.config.schema import Config
    from edge.core.events import Event
    from edge.core.frames import Frame
    from edge.core.tracks import Verdict
    from edge.detection.detector import Detector
    from edge.evaluation.label_file import Label
    from edge.pipeline import FrameResult

# The camera's id and the first part of track ids: fixed, so that runs repeat.
CLIP_CAMERA, CLIP_RUN = "clip", "track"


@dataclass(frozen=True, slots=True)
class ClipResult:
    """The result of one clip.

    ``fps`` is the most frames a second that were processed, None for every frame. ``frames`` is how many the detector
    looked at, and ``seconds`` the time of the last of these. ``verdicts`` are in order of time. ``beside_line`` are the
    seconds at which vehicles passed by an end of the line.
    """

    name: str
    fps: float | None
    frames: int
    seconds: float
    figures: Figures
    errors: tuple[CountingError, ...]
    events: tuple[Event, ...]
    verdicts: tuple[Verdict, ...]
    beside_line: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ClipOptions:
    """How one clip is evaluated: ``record`` and ``replay`` are files of recordings, ``pictures`` is a folder."""

    config: Config
    fps: float | None = None
    record: Path | None = None
    replay: Path | None = None
    pictures: Path | None = None


def evaluate_clip(
    label: Label, options: ClipOptions, detector: Detector, progress: Callable[[float], None] | None = None
) -> ClipResult:
    """Count a clip and compare the count with its label; for a replay, ``detector`` need not be started.

    ``progress`` is called with the second of each processed frame. Raises ``SourceError`` where the clip or the
    recording cannot be read, and ``RefusedError`` for a recording of another clip or rate.
    """
    fps = recorded_rate(options.replay, label.name, options.fps) if options.replay else options.fps
    gate = label.gate or simulated_gate()
    camera = CameraConfig(id=CLIP_CAMERA, source=label.source, fps=fps, gates=(gate,))
    events, history = run_pipeline(label.name, camera, options, detector, progress)
    counted = [event for event in events if event.floor == gate.floor]
    matching = match_crossings(
        expected_crossings(label, options.config), [counted_crossing(event) for event in counted]
    )
    errors = _errors(matching, history)
    if options.pictures is not None:
        every_frame = clip_frames(camera.model_copy(update={"fps": None}))
        save_error_pictures(label.name, errors, history, every_frame, options.pictures)
    return ClipResult(
        name=label.name,
        fps=fps,
        frames=len(history.frames),
        seconds=history.frames[-1].at if history.frames else 0.0,
        figures=matching.figures,
        errors=tuple(errors),
        events=tuple(counted),
        verdicts=tuple(history.verdicts_by_time()),
        beside_line=tuple(history.times_beside_line(options.config)),
    )


def run_pipeline(
    clip: str,
    camera: CameraConfig,
    options: ClipOptions,
    detector: Detector,
    progress: Callable[[float], None] | None = None,
) -> tuple[list[Event], RunHistory]:
    """The events of a camera's clip, or of the recording of it, and the history of the run.

    ``clip`` is the name that a recording made meanwhile bears. Raises ``SourceError`` as ``evaluate_clip`` does.
    """
    events: list[Event] = []
    history = RunHistory(camera.gates[0], keep_detections=options.pictures is not None)
    with ExitStack() as stack:
        writer = RecordingWriter(options.record, recording_title(clip, camera.fps)) if options.record else None

        def on_frame(result: FrameResult) -> None:
            history.add(result)
            if writer is not None:
                writer.add(result.observation, result.frame_time)
            if progress is not None:
                progress(result.frame_time.monotonic)

        pipeline = Pipeline(camera, options.config, CLIP_RUN, detector, events.extend, on_frame)
        if options.replay is not None:
            for frame_time, observation in read_recording(options.replay):
                pipeline.count(observation, frame_time)
        else:
            if writer is not None:
                writer.start()
                stack.callback(writer.close, complete=False)  # does nothing after it was closed as complete
            for frame in clip_frames(camera):
                pipeline.process(frame)
            if writer is not None:
                writer.close(complete=True)
        history.verdicts += pipeline.finish()
    return events, history


def clip_frames(camera: CameraConfig) -> Iterator[Frame]:
    """The frames of a recorded clip at the camera's rate. Raises ``SourceError`` where it cannot be read."""
    # A fixed start, so that a clip gives the same events wherever its file was copied.
    source = open_source(camera, start=RECORDED_START)
    with ExitStack() as stack:
        stack.callback(source.close)
        source.start()
        while True:
            try:
                frame = source.read(1.0)
            except EndOfSource:
                return
            if frame is not None:
                yield frame


def total_figures(results: Sequence[ClipResult]) -> Figures:
    """The figures of all clips together."""
    return sum((result.figures for result in results), Figures())


def event_second(event: Event) -> float:
    """The clip's second at which a vehicle crossed."""
    return (event.timestamp - RECORDED_START).total_seconds()


def counted_crossing(event: Event) -> CountedCrossing:
    """The event in the form that ``match_crossings`` takes."""
    return CountedCrossing(event.direction, event_second(event), event.track_id)


def _errors(matching: Matching, history: RunHistory) -> list[CountingError]:
    """The errors by time, each with its reason."""
    verdicts = {
        (verdict.track_id, round(verdict_time(verdict), 3)): verdict for verdict in history.verdicts if verdict.counted
    }

    def why_counted(crossing: CountedCrossing) -> str:
        verdict = verdicts.get((crossing.track_id, round(crossing.at, 3)))
        return verdict.reason.value if verdict else "counted"

    errors = []
    for missed in matching.missed:
        assert missed.direction is not None
        track, reason = history.explain_missed(missed.direction, missed.at, missed.until, TOLERANCE_SECONDS)
        errors.append(CountingError("missed", missed.direction, missed.at, track, reason))
    errors += [
        CountingError("extra", extra.direction, extra.at, extra.track_id, why_counted(extra))
        for extra in matching.extra
    ]
    for expected, counted in matching.wrong_direction:
        assert expected.direction is not None
        reason = f"counted as an {counted.direction} at {counted.at:.2f} s: {why_counted(counted)}"
        errors.append(CountingError("wrong_direction", expected.direction, expected.at, counted.track_id, reason))
    return sorted(errors, key=lambda error: (error.at, error.kind, error.track_id))
