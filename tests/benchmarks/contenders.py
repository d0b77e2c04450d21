"""Runs one contender over one clip, in a process of its own; ``bench.py`` and ``bench_counts.py`` start it.

Every contender is set up as in its maker's documentation, with the same weights: it reads the clip, detects, tracks and
counts. The others get the vehicle classes as an option; this pipeline decides by itself what is a vehicle, as in the
daemon. No large package is imported before the contender imports it, so that memory and the time to the first result
are the contender's own.

A task with the key ``fps`` is about counts: all contenders get the same frames, those that ``smartpark evaluate``
takes at this rate (None: all), and the times of events are seconds from the first frame, as in labels.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

# The classes that the product counts as vehicles by their name, and bicycles, with their numbers in COCO.
CLASSES = {"car": 2, "motorcycle": 3, "bus": 5, "truck": 7, "bicycle": 1, "train": 6, "boat": 8}


def smartpark(task: dict[str, Any], figures: dict[str, Any]) -> Generator[None, None, None]:
    """This pipeline: source, detector, tracker and gate as in the daemon, without the database."""
    from edge.config.schema import CameraConfig, Config
    from edge.core.source import EndOfSource
    from edge.detection.detector import make_detector
    from edge.pipeline import Pipeline
    from edge.simulator.source import RECORDED_START
    from edge.sources import open_source

    gate = {"id": "gate", "line": task["line"], "inside": task["inside"], "floor": "floor"}
    described = {"id": "bench", "source": task["clip"], "fps": task.get("fps"), "gates": [gate]}
    camera = CameraConfig.model_validate(described)
    config = Config.model_validate({"detector": {"model": task["weights"], "image_size": task["size"]}})
    detector = make_detector(config.detector)

    def submit(events: Any) -> None:
        for event in events:
            figures[event.direction.value] += 1
            crossed = (event.timestamp - RECORDED_START).total_seconds()
            figures["events"].append((event.direction.value, crossed))

    detector.start()

    # Before the pipeline is made, which keeps the detector's method.
    stages = figures["stages"]
    for owner, name, stage in timed_methods(type(detector)):
        setattr(owner, name, timed(getattr(owner, name), stages, stage))
    source = open_source(camera, start=RECORDED_START)
    pipeline = Pipeline(camera, config, "bench", detector, submit)
    source.start()
    read = timed(source.read, stages, "decode")
    try:
        while True:
            frame = read(1.0)
            pipeline.process(frame)
            figures["until"] = frame.monotonic
            yield
    except EndOfSource:
        return
    finally:
        # Also when the bench stops early: crossings that still wait for a decision count too.
        pipeline.finish()


def timed_methods(detector: type) -> list[tuple[type, str, str]]:
    """The class, the method and the stage of each part of our frame that is timed."""
    import onnxruntime

    from edge.counting.gate import Gate
    from edge.tracking.optical_flow import OpticalFlow
    from edge.tracking.tracker import Tracker

    return [
        (detector, "detect", "detect"),
        (onnxruntime.InferenceSession, "run", "inference"),
        (OpticalFlow, "update", "flow"),
        (Tracker, "update", "track"),
        (Gate, "update", "count"),
    ]


def object_counter(task: dict[str, Any], figures: dict[str, Any]) -> Generator[None, None, None]:
    """Ultralytics' ``solutions.ObjectCounter``, with its default tracker."""
    import cv2
    from ultralytics import solutions

    capture = cv2.VideoCapture(task["clip"])
    a, b, inside = in_pixels(task, capture)
    counter = solutions.ObjectCounter(
        model=task["weights"],
        region=[a, b],
        classes=list(CLASSES.values()),
        imgsz=task["size"],
        show=False,
        verbose=False,
    )
    if not task["torchvision"]:
        counter.model.add_callback("on_predict_start", without_torchvision)
    # It counts as "in" what moves down across a horizontal line, or to the right across a vertical one.
    vertical = abs(a[0] - b[0]) < abs(a[1] - b[1])
    in_is_entry = inside[0] > a[0] if vertical else inside[1] > a[1]
    for image in images(task, capture, figures):
        result = counter.process(image)
        totals = result.in_count, result.out_count
        add_events(figures, *(totals if in_is_entry else totals[::-1]))
        yield


def line_zone(task: dict[str, Any], figures: dict[str, Any]) -> Generator[None, None, None]:
    """supervision's ``LineZone`` on Ultralytics' detections, with the ByteTrack that its documentation names."""
    import cv2
    import numpy as np
    import supervision as sv
    from trackers import ByteTrackTracker
    from ultralytics import YOLO

    capture = cv2.VideoCapture(task["clip"])
    a, b, inside = in_pixels(task, capture)
    # It counts as "in" what moves to the left, seen from the line's start towards its end.
    if (b[0] - a[0]) * (inside[1] - a[1]) > (b[1] - a[1]) * (inside[0] - a[0]):
        a, b = b, a
    model = YOLO(task["weights"], task="detect")
    if not task["torchvision"]:
        model.add_callback("on_predict_start", without_torchvision)
    rate = capture.get(cv2.CAP_PROP_FPS)
    tracker = ByteTrackTracker(frame_rate=min(task.get("fps") or rate, rate))
    # By centres, as the labels and the other contenders; by all four corners, its default, a near car never crosses.
    zone = sv.LineZone(start=sv.Point(*a), end=sv.Point(*b), triggering_anchors=[sv.Position.CENTER])
    wanted = np.array(list(CLASSES.values()))
    for image in images(task, capture, figures):
        detections = sv.Detections.from_ultralytics(model(image, imgsz=task["size"], verbose=False)[0])
        detections = detections[np.isin(detections.class_id, wanted)]
        zone.trigger(tracker.update(detections))
        add_events(figures, zone.in_count, zone.out_count)
        yield


def add_events(figures: dict[str, Any], entries: int, exits: int) -> None:
    """Take over a contender's totals after a frame; a total that rose makes as many events at the frame's time."""
    for direction, total in (("entry", entries), ("exit", exits)):
        figures["events"] += [(direction, figures["until"])] * (total - figures[direction])
        figures[direction] = total


def images(task: dict[str, Any], capture: Any, figures: dict[str, Any]) -> Iterator[Any]:
    """The frames of a clip; ``until`` becomes the second of the last one."""
    if "fps" in task:
        yield from paced(task["fps"], capture, figures)
        return
    while True:
        # Property 0 is the position in milliseconds; it is that of the next frame, so it is read first.
        at = capture.get(0)
        read, image = capture.read()
        if not read:
            return
        figures["until"] = at / 1000
        yield image


def paced(fps: float | None, capture: Any, figures: dict[str, Any]) -> Iterator[Any]:
    """The frames that this pipeline takes at ``fps`` frames a second of the clip's time, by the same clock."""
    from edge.capture.clips.presentation_clock import PresentationClock
    from edge.core.pacer import Pacer

    # Property 5 is the rate, and property 0 the position in milliseconds of the frame that was grabbed.
    clock, pacer = PresentationClock(capture.get(5)), Pacer(fps)
    while capture.grab():
        at = clock.seconds(capture.get(0) / 1000)
        if pacer.takes(at):
            figures["until"] = at
            yield capture.retrieve()[1]


def in_pixels(task: dict[str, Any], capture: Any) -> list[tuple[int, int]]:
    """The ends of the label's line and the point inside, in pixels of the clip."""
    width, height = capture.get(3), capture.get(4)
    return [(round(x * width), round(y * height)) for x, y in (task["line"][0], task["line"][-1], task["inside"])]


def without_torchvision(predictor: Any) -> None:
    """Skip Ultralytics' warm-up, which on a CPU only imports torchvision; without that it uses an NMS of its own."""
    predictor.done_warmup = True


def timed(function: Callable[..., Any], stages: dict[str, float], stage: str) -> Callable[..., Any]:
    """A function that does the same and adds the seconds that it took to ``stages[stage]``."""
    stages[stage] = 0.0

    def wrapper(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            stages[stage] += time.perf_counter() - started

    return wrapper


def memory() -> dict[str, float]:
    """Resident megabytes of this process: the most so far, and now."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(lines[key].split()[0]) / 1024 for name, key in (("peak", "VmHWM"), ("resident", "VmRSS"))}


def main() -> None:
    """Take the task from the first argument (JSON) and write the figures to the file that it names."""
    task = json.loads(sys.argv[1])
    figures: dict[str, Any] = {"entry": 0, "exit": 0, "until": 0.0, "stages": {}, "events": []}
    run = {"smartpark": smartpark, "object_counter": object_counter, "line_zone": line_zone}[task["contender"]](
        task, figures
    )
    next(run)
    # The monotonic clock is the same in all processes: the parent read it just before it started this one.
    figures["first"] = time.monotonic() - task["started"]
    figures["stages"].update(dict.fromkeys(figures["stages"], 0.0))
    frames, started, cpu_started = 0, time.perf_counter(), time.process_time()
    for _ in run:
        frames += 1
        if frames + 1 >= task["frames"]:
            break
    figures["milliseconds"] = 1000 * (time.perf_counter() - started) / frames
    figures["cpu"] = 1000 * (time.process_time() - cpu_started) / frames
    figures["stages"] = {stage: 1000 * seconds / frames for stage, seconds in figures["stages"].items()}
    run.close()
    Path(task["result"]).write_text(json.dumps(figures | memory() | {"frames": frames + 1}))


if __name__ == "__main__":
    main()
