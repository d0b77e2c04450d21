"""Writes labels, recordings and clips of scripted cars in an otherwise empty picture, for tests without a model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.core.frames import Detection, FrameTime
from edge.core.shapes import Box
from edge.evaluation.recording import RecordingWriter
from edge.simulator.source import RECORDED_START
from edge.tracking.observer import Observation
from edge.tracking.optical_flow import Displacements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge.core.frames import Image

SIZE = (640, 360)
FPS = 10
_LABEL = """
clip = "{name}.mp4"
[gate]
line = [[0.5, 0.3], [0.5, 0.9]]
inside = [0.9, 0.5]
[truth]
entries = {entries}
exits = {exits}
uncertain = {uncertain}
"""
_BIT = 8  # pixels: side of the squares in a frame's corner that hold its number


@dataclass(frozen=True)
class Drive:
    """A car whose centre is at x = 320, the middle of the picture, at second ``at``.

    ``speed`` is in pixels a second; a car of negative speed drives to the left.
    """

    at: float
    y: float = 200.0
    speed: float = 160.0
    label: str = "car"
    confidence: float = 0.8

    def detection(self, second: float) -> Detection | None:
        """Its detection while all of it is in the picture."""
        x = 320 + self.speed * (second - self.at)
        box = Box(x - 60, self.y - 30, x + 60, self.y + 30)
        return Detection(box, self.label, self.confidence) if box.x1 >= 0 and box.x2 <= SIZE[0] else None


# An entry; an exit that is labelled as an entry; a car beside the line's upper end; a car without a label.
DRIVES = (Drive(3.0), Drive(6.0, speed=-160), Drive(9.0, y=60), Drive(12.0, y=260))


def write_recording(path: Path, title: str, drives: Sequence[Drive], seconds: float) -> None:
    """Write a recording of the drives, without optical flow."""
    writer = RecordingWriter(path, title)
    writer.start()
    no_flow = Displacements(np.empty((0, 2)), np.empty((0, 2)), 2.0)
    for number in range(round(seconds * FPS)):
        at = number / FPS
        observation = Observation.of_frame(SIZE, detections_at(drives, at), no_flow)
        writer.add(observation, FrameTime(RECORDED_START + timedelta(seconds=at), at, SIZE))
    writer.close(complete=True)


def write_label(
    folder: Path,
    name: str,
    drives: Sequence[Drive] = DRIVES,
    entries: Sequence[float] = (3.1, 6.2),
    exits: Sequence[float] = (),
    uncertain: Sequence[float] = (),
) -> Path:
    """Write a label, an empty clip, and NAME.jsonl.gz with the recording of all frames; returns the label's path."""
    (folder / f"{name}.mp4").touch()
    write_recording(folder / f"{name}.jsonl.gz", f"{name}, all frames", drives, 15.0)
    file = folder / f"{name}.toml"
    file.write_text(_LABEL.format(name=name, entries=[*entries], exits=[*exits], uncertain=[*uncertain]))
    return file


def write_numbered_clip(path: Path, seconds: float, drives: Sequence[Drive] = ()) -> None:
    """Write a grey clip whose frames hold their number in a corner, for ``NumberedFrameDetector``.

    The cars of ``drives`` are drawn as light rectangles.
    """
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    for number in range(round(FPS * seconds)):
        image = np.full((SIZE[1], SIZE[0], 3), 90, dtype=np.uint8)
        for detection in detections_at(drives, number / FPS):
            left, top, right, bottom = (round(edge) for edge in detection.box)
            cv2.rectangle(image, (left, top), (right, bottom), (220, 220, 220), -1)
        for bit in range(8):
            image[:_BIT, _BIT * bit : _BIT * (bit + 1)] = 255 * (number >> bit & 1)
        writer.write(image)
    writer.release()


class NumberedFrameDetector:
    """A detector that reads the frame's number from its corner and returns the drives' detections at that time."""

    def __init__(self, drives: Sequence[Drive]) -> None:
        self.drives = drives

    def start(self) -> None:
        """There is nothing to load."""

    def close(self) -> None:
        """There is nothing to free."""

    def detect(self, image: Image, share: float = 1.0) -> list[Detection]:
        """The detections of the frame."""
        bits = [int(image[_BIT // 2, _BIT * bit + _BIT // 2].mean() > 128) for bit in range(8)]
        return detections_at(self.drives, sum(on << bit for bit, on in enumerate(bits)) / FPS)


def detections_at(drives: Sequence[Drive], second: float) -> list[Detection]:
    """The detections of all drives at a second."""
    return [found for drive in drives if (found := drive.detection(second)) is not None]
