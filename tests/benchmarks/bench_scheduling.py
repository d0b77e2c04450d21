"""Measures what motion gating and the region of interest save, and whether four cameras share one detector well.

``make bench-scheduling``. The camera is high above a yard (``wide_yard.py``): 1080p, 10 frames a second, a vehicle for
5 % of the time. CPU is that of the process, without decoding, which is the same for all. Ultralytics' ``ObjectCounter``
gets every frame, as its documentation has it; it is left out where Ultralytics is not installed. Each contender runs in
a process of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench import torchvision_fits
from benchmarks.contenders import without_torchvision
from benchmarks.wide_yard import FPS, HEIGHT, WIDTH, WideYard

from edge.config.schema import Config
from edge.core.frames import Frame
from edge.core.source import EndOfSource, SourceState, SourceStatus
from edge.daemon.cameras import Cameras
from edge.detection.detector import make_detector
from edge.evaluation.accuracy import CountedCrossing, ExpectedCrossing, Figures, match_crossings
from edge.host.clock import WallClock
from edge.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.events import Event

PROJECT = Path(__file__).parents[2]
START = datetime(2026, 1, 1, tzinfo=UTC)
IDLE_AIM, COUNTER_AIM, REGION_AIM = 0.25, 0.1, 2.0
PERIOD, BUSY = 100.0, 5.0  # seconds
# Both off, one off, none: what is compared.
OFF = {"all": (), "no region": ("region_of_interest",), "neither": ("region_of_interest", "motion_gating")}
# When the four cameras' vehicles come: two at almost the same time.
SHIFTS = (5.0, 6.5, 30.0, 55.0)
_CLASSES = [1, 2, 3, 5, 6, 7, 8]  # bicycles and what the product counts as vehicles, in COCO


def main() -> int:
    """Measure and print; 1 when an aim is missed or a crossing is."""
    options = arguments()
    if options.task:
        print(json.dumps(run_task(json.loads(options.task))))
        return 0
    base = {"weights": str(options.weights), "size": options.size}
    seconds = options.seconds
    idle = {"busy": BUSY, "period": PERIOD, "seconds": seconds}
    busy = {"busy": 24.0, "period": 24.0, "seconds": min(24.0, seconds)}
    print(f"1080p, {FPS} frames a second, image size {options.size}, {os.cpu_count()} cores")
    ours = in_process({**base, **idle, "contender": "all"})
    neither = in_process({**base, **idle, "contender": "neither"})
    print(
        f"\na vehicle for {BUSY / PERIOD:.0%} of the time, {seconds:.0f} s, CPU seconds a camera-hour; our share, aim"
    )
    failed = print_row("gating and region", ours, ours, None)
    failed |= print_row("the same pipeline without both", neither, ours, IDLE_AIM)
    if importlib.util.find_spec("ultralytics"):
        failed |= print_row(
            "Ultralytics ObjectCounter", in_process({**base, **idle, "contender": "counter"}), ours, COUNTER_AIM
        )
    else:
        print("Ultralytics ObjectCounter is left out: it is not installed (`make bench-scheduling` does it)")
    on, off = (in_process({**base, **busy, "contender": name}) for name in ("all", "no region"))
    ratio = on["fps"] / off["fps"]
    print(f"\nbusy all the time{'frames/s':>34}{'counted':>9}{'true':>6}")
    for title, figures in (("region of interest", on), ("whole frame", off)):
        print(f"{title:35}{figures['fps']:16.1f}{figures['counted']:9}{figures['true']:6}")
    print(f"{'ratio':35}{ratio:16.2f}, aim {REGION_AIM:g}")
    failed |= ratio < REGION_AIM or on["counted"] != off["counted"]
    four = four_cameras(options.weights, options.size, seconds)
    print(
        f"\nfour cameras, {seconds:.0f} s: {four.figures.truth} crossings, {four.figures.missed} missed, "
        f"{four.figures.extra} extra; {four.frames_per_second:.1f} frames a second each, detector busy "
        f"{four.load:.0%} of the time"
    )
    return int(failed or four.figures.missed > 0 or four.figures.extra > 0)


def print_row(title: str, figures: dict[str, Any], ours: dict[str, Any], aim: float | None) -> bool:
    """Print one contender of the idle yard; whether the aim for our share of its CPU is missed."""
    hour = figures["cpu"] / figures["seconds"] * 3600
    share = ours["cpu"] / figures["cpu"]
    right = f"{share:8.2f}{aim:8.2f}" if aim is not None else ""
    print(f"{title:35}{hour:20.0f}{right:>16}   {figures['counted']} of {figures['true']} counted")
    return aim is not None and share > aim


def in_process(task: dict[str, Any]) -> dict[str, Any]:
    """Run a task in a process of its own and return its figures."""
    command = [sys.executable, "-m", "benchmarks.bench_scheduling", "--task", json.dumps(task)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_task(task: dict[str, Any]) -> dict[str, Any]:
    """Count a yard with one contender: CPU and wall seconds, and what it counted."""
    yard = WideYard(busy_seconds=task["busy"], period=task["period"])
    count = count_with_ultralytics if task["contender"] == "counter" else count_with_pipeline
    frames = round(task["seconds"] * FPS)
    cpu, wall, counted = count(task, yard, frames)
    return {
        "cpu": cpu,
        "fps": frames / wall,
        "seconds": task["seconds"],
        "counted": counted,
        "true": len(yard.crossings(task["seconds"])),
    }


def count_with_pipeline(task: dict[str, Any], yard: WideYard, frames: int) -> tuple[float, float, int]:
    """CPU and wall seconds of the pipeline over the frames, and the crossings that it counted."""
    config = make_config(task["weights"], task["size"], OFF[task["contender"]])
    detector = make_detector(config.detector)
    detector.start()
    events: list[Event] = []
    pipeline = Pipeline(yard.camera(), config, "bench", detector, events.extend)
    detector.detect(yard.image(0))  # the first inference allocates
    cpu = wall = 0.0
    for number in range(frames):
        at = number / FPS
        frame = Frame(yard.image(number), START + timedelta(seconds=at), at, number)
        started, processed = time.perf_counter(), time.process_time()
        pipeline.process(frame)
        wall, cpu = wall + time.perf_counter() - started, cpu + time.process_time() - processed
    pipeline.finish()
    return cpu, wall, len(events)


def count_with_ultralytics(task: dict[str, Any], yard: WideYard, frames: int) -> tuple[float, float, int]:
    """The same of Ultralytics' ``ObjectCounter``, with the same weights and input size."""
    from ultralytics import solutions

    line = [(round(x * WIDTH), round(y * HEIGHT)) for x, y in yard.line]
    counter = solutions.ObjectCounter(
        model=task["weights"], region=line, classes=_CLASSES, imgsz=task["size"], show=False, verbose=False
    )
    if not torchvision_fits():
        counter.model.add_callback("on_predict_start", without_torchvision)
    counter.process(yard.image(0).copy())
    cpu = wall = 0.0
    for number in range(frames):
        image = yard.image(number).copy()  # it draws into the image
        started, processed = time.perf_counter(), time.process_time()
        counter.process(image)
        wall, cpu = wall + time.perf_counter() - started, cpu + time.process_time() - processed
    return cpu, wall, counter.in_count + counter.out_count


@dataclass(frozen=True, slots=True)
class FourCameras:
    """What four cameras counted together, their frames a second, and the detector's share of the time."""

    figures: Figures
    frames_per_second: float
    load: float


class YardSource:
    """A live camera above a yard: frames are due every tenth of a second, and the newest wins."""

    recorded = False

    def __init__(self, yard: WideYard, seconds: float) -> None:
        self._yard, self._last = yard, round(seconds * FPS)
        self._closing = threading.Event()
        self._next = 0
        self._zero = 0.0
        self.status = SourceStatus(SourceState.UP)

    @property
    def zero(self) -> float:
        """The monotonic time of the yard's second 0."""
        return self._zero

    def start(self) -> None:
        """Begin at second 0."""
        self._zero = time.monotonic()

    def read(self, timeout: float) -> Frame | None:
        """The newest frame that was not read yet."""
        due = max(self._next, int((time.monotonic() - self._zero) * FPS))
        wait = self._zero + due / FPS - time.monotonic()
        if due >= self._last or (wait > 0 and self._closing.wait(min(wait, timeout))):
            raise EndOfSource
        if wait > timeout:
            return None
        self._next = due + 1
        at = self._zero + due / FPS
        return Frame(self._yard.image(due), datetime.now(UTC), at, due)

    def close(self) -> None:
        """Wake a ``read`` that waits."""
        self._closing.set()


def four_cameras(weights: Path, size: int, seconds: float) -> FourCameras:
    """Let four cameras share one detector for so long, as in the daemon, and compare their events with the truth."""
    config = make_config(str(weights), size, ())
    detector = make_detector(config.detector)
    detector.start()
    yards = [WideYard(busy_seconds=BUSY, period=PERIOD, shift=shift) for shift in SHIFTS]
    sources = {f"yard-{number}": YardSource(yard, seconds) for number, yard in enumerate(yards)}
    events: list[Event] = []
    errors: list[BaseException] = []
    clock = WallClock()
    cameras = Cameras(config, detector, events.extend, lambda _, error: errors.append(error), clock)
    offset = clock.check().offset
    cameras.start([(yard.camera(key), source) for yard, (key, source) in zip(yards, sources.items(), strict=True)])
    while not cameras.finished:
        time.sleep(0.1)
    frames = [worker.pipeline.statistics.frames for worker in cameras.workers]
    cameras.close()
    if errors:
        raise errors[0]
    figures = Figures()
    for yard, (key, source) in zip(yards, sources.items(), strict=True):
        expected = [ExpectedCrossing(direction, at, at) for at, direction in yard.crossings(seconds - 1)]
        counted = [
            CountedCrossing(event.direction, event.timestamp.timestamp() - offset / 1e6 - source.zero, event.track_id)
            for event in events
            if event.camera_id == key
        ]
        figures += match_crossings(expected, counted).figures
    return FourCameras(figures, sum(frames) / len(frames) / seconds, cameras.turns.busy_seconds / seconds)


def make_config(weights: str, size: int, off: Sequence[str]) -> Config:
    """The default configuration with these weights, and without some mechanisms."""
    detector = {"model": weights, "image_size": size}
    return Config.model_validate({"detector": detector, "mechanisms": dict.fromkeys(off, False)})


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    models = Path(os.environ.get("SMARTPARK_DETECTOR_MODELS_DIR", PROJECT / "models"))
    parser.add_argument("--weights", type=Path, default=models / "yolo11n.onnx", help="default: %(default)s")
    parser.add_argument("--size", type=int, default=640, help="image size of the network (default: 640)")
    parser.add_argument("--seconds", type=float, default=PERIOD, help="of each measurement (default: %(default)g)")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
