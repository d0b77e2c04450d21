"""The real YOLO11n on frames of 640 x 360, with all that the simulator's tests ask of it. Not a test itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from edge.core.shapes import Box

MODELS = Path(os.environ.get("SMARTPARK_DETECTOR_MODELS_DIR") or Path(__file__).parents[2] / "models")
WEIGHTS = MODELS / "yolo11n.onnx"
VEHICLES = {1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
PEOPLE = {0: "person"}


class Seen(NamedTuple):
    """Something that the network sees."""

    label: str
    confidence: float
    box: Box


class Network:
    """YOLO11n on frames of 640 x 360."""

    def __init__(self) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(WEIGHTS), providers=["CPUExecutionProvider"])

    def see(self, frame: np.ndarray, classes: dict[int, str] = VEHICLES) -> list[Seen]:
        """What has confidence 0.1 or more, the surest first, each once per class (IoU over 0.7)."""
        padded = cv2.copyMakeBorder(frame, 12, 12, 0, 0, cv2.BORDER_CONSTANT, value=(114, 114, 114))
        pixels = np.ascontiguousarray(padded[:, :, ::-1].transpose(2, 0, 1)[None], np.float32) / 255
        (output,) = self._session.run(None, {"images": pixels})
        rows = output[0].T
        best = rows[:, 4:].argmax(axis=1)
        sure = rows[:, 4:].max(axis=1)
        found: list[Seen] = []
        for index in np.argsort(-sure):
            if sure[index] < 0.1:
                break
            if int(best[index]) not in classes:
                continue
            x, y, width, height = (float(value) for value in rows[index, :4])
            box = Box(x - width / 2, y - height / 2 - 12, x + width / 2, y + height / 2 - 12)
            one = Seen(classes[int(best[index])], float(sure[index]), box)
            if all(other.label != one.label or overlap(other.box, box) <= 0.7 for other in found):
                found.append(one)
        return found


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    shared = inside(one, other)
    return shared / (one.area + other.area - shared)


def inside(one: Box, other: Box) -> float:
    """The square pixels that two boxes share."""
    shared = Box(max(one.x1, other.x1), max(one.y1, other.y1), min(one.x2, other.x2), min(one.y2, other.y2))
    return shared.area if shared.x1 < shared.x2 and shared.y1 < shared.y2 else 0.0
