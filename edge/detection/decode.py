"""Converts the raw output of a YOLO model (version 8 or later, exported without built-in NMS) into detections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.core.frames import Detection
from edge.core.shapes import Box

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.detection.letterbox import Letterbox

# An anchor's first values are its box: centre x, centre y, width, height. The rest are the scores of the classes.
BOX_VALUES = 4


def decode(
    output: NDArray[np.float32],
    letterbox: Letterbox,
    names: Mapping[int, str],
    *,
    classes: frozenset[str] | None,
    confidence: float,
    iou: float,
    most_detections: int,
) -> list[Detection]:
    """Returns the detections of one frame, the most confident first, ``most_detections`` at most.

    ``output`` has the shape (4 + classes) x anchors: centre x, centre y, width and height in pixels of the network's
    input, then a score for each class. ``names`` holds the name of each class by its number. An anchor belongs to the
    class with its highest score; it is kept where that class is one of ``classes`` (None: any class) and the score is
    over ``confidence``. Then, class by class, non-maximum suppression removes each box whose intersection over union
    with a more confident one is over ``iou``. This is what Ultralytics does after inference.
    """
    scores = output[BOX_VALUES:]
    best = scores.max(axis=0)
    anchors = np.flatnonzero(best > confidence)
    if anchors.size == 0:
        return []
    numbers = scores[:, anchors].argmax(axis=0)
    if classes is not None:
        wanted = np.isin(numbers, [number for number, name in names.items() if name in classes])
        anchors, numbers = anchors[wanted], numbers[wanted]
        if anchors.size == 0:
            return []
    center, size = output[0:2, anchors].T, output[2:BOX_VALUES, anchors].T
    corner = center - size / 2
    kept = np.asarray(
        cv2.dnn.NMSBoxesBatched(
            np.hstack([corner, size]).tolist(), best[anchors].tolist(), numbers.tolist(), confidence, iou
        ),
        dtype=np.intp,
    ).reshape(-1)
    # Equal scores keep the anchors' order, so that the result does not depend on the library's sort.
    kept = kept[np.lexsort((kept, -best[anchors[kept]]))][:most_detections]
    boxes = letterbox.to_frame(np.hstack([corner[kept], corner[kept] + size[kept]]))
    return [
        Detection(Box(*map(float, box)), names[int(number)], float(score))
        for box, number, score in zip(boxes, numbers[kept], best[anchors[kept]], strict=True)
    ]
