"""From the raw output of a YOLO (v8 and later, no built-in NMS) to detections."""

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

# More than any car park shows; keeps a bad frame from costing a second.
MOST_DETECTIONS = 300


def decode(
    output: NDArray[np.float32],
    letterbox: Letterbox,
    names: Mapping[int, str],
    *,
    classes: frozenset[str] | None,
    confidence: float,
    iou: float,
) -> list[Detection]:
    """Detections of one frame, most confident first.

    ``output`` is (4 + classes) x anchors: centre x, centre y, width, height in pixels of the network's input, then
    one score a class. An anchor belongs to its best class; it is kept when that class is wanted (None: every class is)
    and the score is over ``confidence``. Then, class by class, a box that overlaps a surer one by more than ``iou``
    goes.
    """
    scores = output[4:]
    best = scores.max(axis=0)
    anchors = np.flatnonzero(best > confidence)
    if anchors.size == 0:
        return []
    kinds = scores[:, anchors].argmax(axis=0)
    if classes is not None:
        wanted = np.isin(kinds, [number for number, name in names.items() if name in classes])
        anchors, kinds = anchors[wanted], kinds[wanted]
        if anchors.size == 0:
            return []
    center, size = output[0:2, anchors].T, output[2:4, anchors].T
    corner = center - size / 2
    kept = np.asarray(
        cv2.dnn.NMSBoxesBatched(
            np.hstack([corner, size]).tolist(), best[anchors].tolist(), kinds.tolist(), confidence, iou
        ),
        dtype=np.intp,
    ).reshape(-1)
    # A stable order for equal scores: the result must not depend on the library's sort.
    kept = kept[np.lexsort((kept, -best[anchors[kept]]))][:MOST_DETECTIONS]
    boxes = letterbox.to_frame(np.hstack([corner[kept], corner[kept] + size[kept]]))
    return [
        Detection(Box(*map(float, box)), names[int(kind)], float(score))
        for box, kind, score in zip(boxes, kinds[kept], best[anchors[kept]], strict=True)
    ]
