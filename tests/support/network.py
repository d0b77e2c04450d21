"""Runs the real YOLO11n on frames of 640 x 360 for the simulator's tests, without any code of `edge.detection`."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from edge.core.frames import Detection
from edge.core.shapes import Box

MODELS = Path(os.environ.get("SMARTPARK_DETECTOR_MODELS_DIR") or Path(__file__).parents[2] / "models")
WEIGHTS = MODELS / "yolo11n.onnx"
VEHICLES = {1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
PEOPLE = {0: "person"}
PADDING = 12  # pixels above and below a frame, so that its height is a multiple of 32


class Network:
    """YOLO11n on frames of 640 x 360."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # more threads wait for each other, and spend as much again on that
        self._session = onnxruntime.InferenceSession(str(WEIGHTS), options, providers=["CPUExecutionProvider"])

    def detect(self, frame: np.ndarray, classes: dict[int, str] = VEHICLES) -> list[Detection]:
        """The detections of confidence 0.1 or more, the surest first, without those of an IoU over 0.7 in a class."""
        padded = cv2.copyMakeBorder(frame, PADDING, PADDING, 0, 0, cv2.BORDER_CONSTANT, value=(114, 114, 114))
        pixels = np.ascontiguousarray(padded[:, :, ::-1].transpose(2, 0, 1)[None], np.float32) / 255
        (output,) = self._session.run(None, {"images": pixels})
        anchors = output[0].T
        number = anchors[:, 4:].argmax(axis=1)
        score = anchors[:, 4:].max(axis=1)
        detections: list[Detection] = []
        for index in np.argsort(-score):
            if score[index] < 0.1:
                break
            if int(number[index]) not in classes:
                continue
            x, y, width, height = (float(value) for value in anchors[index, :4])
            y -= PADDING
            box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            new = Detection(box, classes[int(number[index])], float(score[index]))
            if all(known.label != new.label or iou(known.box, box) <= 0.7 for known in detections):
                detections.append(new)
        return detections


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    shared = shared_area(a, b)
    return shared / (a.area + b.area - shared)


def shared_area(a: Box, b: Box) -> float:
    """The square pixels that two boxes share."""
    shared = Box(max(a.x1, b.x1), max(a.y1, b.y1), min(a.x2, b.x2), min(a.y2, b.y2))
    return shared.area if shared.x1 < shared.x2 and shared.y1 < shared.y2 else 0.0
