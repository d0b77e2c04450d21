"""Recordings made by hand: cars that drive through a picture in which nothing else is, for tests without the model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge.core.frames import Detection, FrameTime
from edge.core.shapes import Box
from edge.evaluation.observation_file import Recorder
from edge.simulator.source import RECORDED_START
from edge.tracking.observer import Observation
from edge.tracking.optical_flow import Displacements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIZE = (640, 360)
FPS = 10.0
LABEL = """
clip = "{name}.mp4"
[gate]
line = [[0.5, 0.3], [0.5, 0.9]]
inside = [0.9, 0.5]
[truth]
entries = {entries}
exits = {exits}
uncertain = {uncertain}
"""


@dataclass(frozen=True)
class Drive:
    """A car whose middle is at x = 320, the middle of the picture, at second ``at``; with ``speed`` < 0 to the left."""

    at: float
    y: float = 200.0
    speed: float = 160.0  # pixels a second
    label: str = "car"
    confidence: float = 0.8

    def detection(self, second: float) -> Detection | None:
        """Its box, while the whole of it is in the picture."""
        x = 320 + self.speed * (second - self.at)
        box = Box(x - 60, self.y - 30, x + 60, self.y + 30)
        return Detection(box, self.label, self.confidence) if box.x1 >= 0 and box.x2 <= SIZE[0] else None


def record(path: Path, title: str, drives: Sequence[Drive], seconds: float) -> None:
    """Write a recording of so many seconds."""
    recorder = Recorder(path, title)
    recorder.start()
    nothing = Displacements(np.empty((0, 2)), np.empty((0, 2)), 2.0)
    for number in range(round(seconds * FPS)):
        at = number / FPS
        seen = [found for drive in drives if (found := drive.detection(at)) is not None]
        recorder.add(Observation(SIZE, seen, nothing), FrameTime(RECORDED_START + timedelta(seconds=at), at, SIZE))
    recorder.close(complete=True)


# A right one; one that is labelled the other way round; one beside the line's upper end; one that was not labelled.
DRIVES = (Drive(3.0), Drive(6.0, speed=-160), Drive(9.0, y=60), Drive(12.0, y=260))


def labelled(
    folder: Path,
    name: str,
    drives: Sequence[Drive] = DRIVES,
    entries: Sequence[float] = (3.1, 6.2),
    exits: Sequence[float] = (),
    uncertain: Sequence[float] = (),
    rate: str = "all frames",
) -> Path:
    """A label, and beside it NAME.jsonl.gz with the recording of its clip, which holds no pictures."""
    (folder / f"{name}.mp4").touch()
    record(folder / f"{name}.jsonl.gz", f"{name}, {rate}", drives, 15.0)
    file = folder / f"{name}.toml"
    file.write_text(LABEL.format(name=name, entries=[*entries], exits=[*exits], uncertain=[*uncertain]))
    return file
