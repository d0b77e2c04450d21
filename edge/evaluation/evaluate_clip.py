"""The real pipeline over a labelled clip, and how right its count is."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.config.schema import CameraConfig, GateConfig
from edge.core.events import Direction
from edge.core.source import EndOfSource
from edge.evaluation.accuracy import TOLERANCE, Count, Figures, Score, TrueCross, score
from edge.evaluation.error_pictures import Error, draw_errors
from edge.evaluation.observation_file import Recorder, read_recording
from edge.evaluation.recording_names import recorded_rate, title
from edge.evaluation.witness import Witness, moment_of
from edge.pipeline import Pipeline
from edge.simulator.scene import Scene, parse_scene
from edge.simulator.source import RECORDED_START, split_recorded
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

# The camera's id, and what track ids begin with: fixed, so that runs repeat.
CAMERA, RUN = "clip", "track"
STANDS = 0.2  # of a simulated vehicle's size: while its middle is this near to the line it stands on it
SAMPLE = 0.1  # seconds between two looks at a simulated vehicle


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one clip. ``fps`` is the most frames a second that were processed, None: all.

    ``verdicts`` are in order of time. ``beside`` is when vehicles passed by an end of the line.
    """

    name: str
    fps: float | None
    frames: int
    seconds: float
    figures: Figures
    errors: tuple[Error, ...]
    events: tuple[Event, ...]
    verdicts: tuple[Verdict, ...]
    beside: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """How a clip is to be evaluated. ``record`` and ``replay`` are files, ``pictures`` is a folder."""

    config: Config
    fps: float | None = None
    record: Path | None = None
    replay: Path | None = None
    pictures: Path | None = None


def evaluate(label: Label, wish: Wish, detector: Detector, progress: Callable[[float], None] | None = None) -> Result:
    """Run the pipeline over a clip, or over its recording: then the ``detector`` need not be started.

    ``progress`` is told the second that was reached. Raises ``SourceError`` where the clip or the recording cannot be
    read, and ``RefusedError`` for a recording of something else.
    """
    fps = recorded_rate(wish.replay, label.name, wish.fps) if wish.replay else wish.fps
    gate = label.gate or simulated_gate()
    camera = CameraConfig(id=CAMERA, source=label.source, fps=fps, gates=(gate,))
    events, witness = watch(label.name, camera, wish, detector, progress)
    counted = [event for event in events if event.floor == gate.floor]
    held = score(true_crossings(label, wish.config), [_count(event) for event in counted])
    errors = _errors(held, witness)
    if wish.pictures is not None:
        draw_errors(label.name, errors, witness, frames_of(camera.model_copy(update={"fps": None})), wish.pictures)
    return Result(
        name=label.name,
        fps=fps,
        frames=len(witness.looks),
        seconds=witness.looks[-1].at if witness.looks else 0.0,
        figures=held.figures,
        errors=tuple(errors),
        events=tuple(counted),
        verdicts=tuple(witness.told()),
        beside=tuple(witness.beside(wish.config)),
    )


def watch(
    name: str, camera: CameraConfig, wish: Wish, detector: Detector, progress: Callable[[float], None] | None = None
) -> tuple[list[Event], Witness]:
    """The events of a camera's clip (or of the recording of it), and who saw how they came about.

    ``name`` is the clip's in a recording that is made.
    """
    events: list[Event] = []
    witness = Witness(camera.gates[0], keep_detections=wish.pictures is not None)
    with ExitStack() as stack:
        recorder = Recorder(wish.record, title(name, camera.fps)) if wish.record is not None else None

        def look(result: FrameResult) -> None:
            witness.watch(result)
            if recorder is not None:
                recorder.add(result.observation, result.frame_time)
            if progress is not None:
                progress(result.frame_time.monotonic)

        pipeline = Pipeline(camera, wish.config, RUN, detector, events.extend, look)
        if wish.replay is not None:
            for frame_time, observation in read_recording(wish.replay):
                pipeline.count(observation, frame_time)
        else:
            if recorder is not None:
                recorder.start()
                # Closed once more after a complete one it does nothing.
                stack.callback(recorder.close, complete=False)
            for frame in frames_of(camera):
                pipeline.process(frame)
            if recorder is not None:
                recorder.close(complete=True)
        witness.verdicts += pipeline.finish()
    return events, witness


def frames_of(camera: CameraConfig) -> Iterator[Frame]:
    """The frames of a recorded clip at the camera's rate. Raises ``SourceError`` where it cannot be read."""
    # A fixed beginning: the same clip gives the same events wherever its file was copied.
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


def simulated_gate() -> GateConfig:
    """The gate of every simulated scene."""
    return GateConfig(id="ramp", line=Scene.LINE, inside=Scene.INSIDE, floor="inside")


def true_crossings(label: Label, config: Config) -> list[TrueCross]:
    """What truly crossed: what the label says, or the simulator."""
    if label.truth is None:
        return _simulated_truth(label.source, bicycles=config.counting.bicycles)
    sides = (
        (Direction.ENTRY, label.truth.entries),
        (Direction.EXIT, label.truth.exits),
        (None, label.truth.uncertain),
    )
    return [TrueCross(direction, at, at) for direction, moments in sides for at in moments]


def summary(results: Sequence[Result]) -> Figures:
    """The figures of all clips together."""
    return sum((result.figures for result in results), Figures())


def second_of(event: Event) -> float:
    """The clip's second at which a vehicle crossed."""
    return (event.timestamp - RECORDED_START).total_seconds()


def _count(event: Event) -> Count:
    return Count(event.direction, second_of(event), event.track_id)


def _simulated_truth(source: str, *, bicycles: bool) -> list[TrueCross]:
    """The simulator's crossings, each as long as the vehicle's middle truly is on the line.

    One that stops there is on the line for seconds, and the moment at which its middle passes by a hair is nothing
    that a picture shows.
    """
    address, _ = split_recorded(source)
    parameters = parse_scene(address)
    scene = Scene(parameters)
    crossings = scene.crossings(parameters.seconds)
    if bicycles:
        crossings += scene.bicycles(parameters.seconds)
    on_line = _seconds_on_line(scene)
    truth = []
    for one in sorted(crossings, key=lambda one: one.at):
        spans = [span for span in on_line.get(one.vehicle, []) if span[0] - SAMPLE <= one.at <= span[1] + SAMPLE]
        first, last = spans[0] if spans else (one.at, one.at)
        truth.append(TrueCross(one.direction, min(first, one.at), max(last, one.at)))
    return truth


def _seconds_on_line(scene: Scene) -> dict[int, list[tuple[float, float]]]:
    """For each vehicle the spans of seconds in which its middle is within ``STANDS`` sizes of the line."""
    parameters = scene.parameters
    line = Scene.LINE[0][0] * parameters.width
    spans: dict[int, list[tuple[float, float]]] = {}
    steps = round((parameters.seconds - parameters.offset) / SAMPLE)
    for at in (parameters.offset + step * SAMPLE for step in range(steps + 1)):
        for one in scene.boxes(at):
            if abs(one.box.center.x - line) > STANDS * one.box.side:
                continue
            known = spans.setdefault(one.vehicle, [])
            if known and at - known[-1][1] < 1.5 * SAMPLE:
                known[-1] = (known[-1][0], at)
            else:
                known.append((at, at))
    return spans


def _errors(held: Score, witness: Witness) -> list[Error]:
    """What is wrong, by time, each with a reason."""
    verdicts = {(one.track_id, round(moment_of(one), 3)): one for one in witness.verdicts if one.counted}

    def why_extra(count: Count) -> str:
        verdict = verdicts.get((count.track_id, round(count.at, 3)))
        return verdict.reason.value if verdict else "counted"

    errors = []
    for true in held.missed:
        assert true.direction is not None
        track, reason = witness.why_missed(true.direction, true.at, true.until, TOLERANCE)
        errors.append(Error("missed", true.direction, true.at, track, reason))
    errors += [Error("extra", one.direction, one.at, one.track_id, why_extra(one)) for one in held.extra]
    for true, count in held.wrong_direction:
        assert true.direction is not None
        said = f"counted as an {count.direction} at {count.at:.2f} s: {why_extra(count)}"
        errors.append(Error("wrong_direction", true.direction, true.at, count.track_id, said))
    return sorted(errors, key=lambda one: (one.at, one.kind, one.track_id))
