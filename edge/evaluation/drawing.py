"""Draws a gate's line, boxes and trails over a frame, and puts lines of text below it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.snapshot.labels import draw_text, wrap_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.frames import Image
    from edge.core.shapes import Box, Point
    from edge.snapshot.labels import Colour

_LEAST_WIDTH = 960  # pixels: smaller frames are enlarged, so that text beside boxes can be read
_LINE_COLOUR = (0, 215, 255)
_SUBJECT_COLOUR, _OTHER_COLOUR = (60, 60, 255), (255, 170, 60)
_DETECTION_COLOUR, _GRID_COLOUR = (150, 150, 150), (210, 210, 210)
_TEXT_COLOUR, _STRIP_COLOUR = (245, 245, 245), (40, 40, 40)
_TEXT_HEIGHT, _LABEL_HEIGHT = 13, 10  # pixels: of a digit
_ROW = 26  # pixels from one line of text to the next
_ARROW = 0.08  # length of the arrow to the inside, as a share of the picture's width


@dataclass(frozen=True, slots=True)
class Annotation:
    """A box with a name, and the path of its centre before and after the frame; pixels of the frame.

    ``box`` is None where only the path is drawn. ``subject``: the picture is about it, so it is drawn last and red.
    """

    box: Box | None
    name: str = ""
    before: tuple[Point, ...] = ()
    after: tuple[Point, ...] = ()
    subject: bool = False


@dataclass(frozen=True, slots=True)
class Overlay:
    """Everything that is drawn over one frame.

    ``line`` and ``inside`` are a gate's, in fractions of the frame; ``text`` are lines below the picture. ``grid``
    draws numbered tenths of the frame, to read coordinates from.
    """

    line: tuple[tuple[float, float], ...] = ()
    inside: tuple[float, float] = (0.5, 0.5)
    detections: tuple[Annotation, ...] = ()
    tracks: tuple[Annotation, ...] = ()
    text: tuple[str, ...] = ()
    grid: bool = False


def draw_overlay(image: Image, overlay: Overlay, width: int | None = None) -> Image:
    """A copy of a frame (BGR) with the overlay, ``width`` pixels wide; without it, 960 pixels or the frame's width."""
    canvas, scale = _resized(image, width or max(_LEAST_WIDTH, image.shape[1]))
    if overlay.grid:
        _draw_grid(canvas)
    for detection in overlay.detections:
        _draw_box(canvas, detection, scale, _DETECTION_COLOUR, 1, name_below=True)
    for track in sorted(overlay.tracks, key=lambda track: track.subject):
        colour = _SUBJECT_COLOUR if track.subject else _OTHER_COLOUR
        _draw_path(canvas, track.before, scale, colour, 2)
        _draw_path(canvas, track.after, scale, colour, 1)
        _draw_box(canvas, track, scale, colour, 3 if track.subject else 2)
    if overlay.line:
        _draw_gate(canvas, overlay)
    return _with_text_below(canvas, overlay.text)


def contact_sheet(pictures: Sequence[Image], columns: int) -> Image:
    """Pictures of one width side by side, row after row."""
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    rows = math.ceil(len(pictures) / columns)
    canvas = np.full((height * rows, width * min(columns, len(pictures)), 3), _STRIP_COLOUR, dtype=np.uint8)
    for number, picture in enumerate(pictures):
        top, left = height * (number // columns), width * (number % columns)
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def _resized(image: Image, width: int) -> tuple[Image, float]:
    """A copy to draw on, and how many of its pixels one of the frame's is."""
    scale = width / image.shape[1]
    size = width, max(1, round(image.shape[0] * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.array(cv2.resize(image, size, interpolation=interpolation), dtype=np.uint8), scale


def _with_text_below(image: Image, text: Sequence[str]) -> Image:
    """The picture with a strip of text below it; lines that are too long are wrapped."""
    rows = [row for line in text for row in wrap_text(line, image.shape[1] - 20, _TEXT_HEIGHT)]
    if not rows:
        return image
    strip = np.full((_ROW * len(rows) + 14, image.shape[1], 3), _STRIP_COLOUR, dtype=np.uint8)
    for number, row in enumerate(rows):
        draw_text(strip, row, (10, _ROW * number + 8), _TEXT_HEIGHT, _TEXT_COLOUR)
    return np.vstack([image, strip])


def _draw_grid(canvas: Image) -> None:
    height, width = canvas.shape[:2]
    for tenth in range(1, 10):
        x, y = width * tenth // 10, height * tenth // 10
        cv2.line(canvas, (x, 0), (x, height), _GRID_COLOUR, 1, cv2.LINE_AA)
        cv2.line(canvas, (0, y), (width, y), _GRID_COLOUR, 1, cv2.LINE_AA)
        _draw_label(canvas, f"0.{tenth}", (x + 3, 14), _GRID_COLOUR)
        _draw_label(canvas, f"0.{tenth}", (3, y - 4), _GRID_COLOUR)


def _draw_gate(canvas: Image, overlay: Overlay) -> None:
    """The line, and an arrow perpendicular to it towards the side on which ``inside`` lies."""
    width, height = canvas.shape[1], canvas.shape[0]
    points = [(round(x * width), round(y * height)) for x, y in overlay.line]
    cv2.polylines(canvas, [np.array(points, dtype=np.int32)], False, _LINE_COLOUR, 2, cv2.LINE_AA)
    (ax, ay), (bx, by) = points[0], points[-1]
    middle = points[len(points) // 2] if len(points) > 2 else ((ax + bx) // 2, (ay + by) // 2)
    towards = overlay.inside[0] * width - middle[0], overlay.inside[1] * height - middle[1]
    normal = (-(by - ay), bx - ax)
    sign = 1 if normal[0] * towards[0] + normal[1] * towards[1] > 0 else -1
    reach = sign * _ARROW * width / max(math.hypot(*normal), 1.0)
    tip = round(middle[0] + normal[0] * reach), round(middle[1] + normal[1] * reach)
    cv2.arrowedLine(canvas, middle, tip, _LINE_COLOUR, 2, cv2.LINE_AA, tipLength=0.3)
    _draw_label(canvas, "inside", (tip[0] + 5, tip[1]), _LINE_COLOUR)


def _draw_path(canvas: Image, points: Sequence[Point], scale: float, colour: Colour, thickness: int) -> None:
    pixels = [(round(point.x * scale), round(point.y * scale)) for point in points]
    if len(pixels) > 1:
        cv2.polylines(canvas, [np.array(pixels, dtype=np.int32)], False, colour, thickness, cv2.LINE_AA)
    for pixel in pixels:
        cv2.circle(canvas, pixel, thickness + 1, colour, -1, cv2.LINE_AA)


def _draw_box(
    canvas: Image, annotation: Annotation, scale: float, colour: Colour, thickness: int, *, name_below: bool = False
) -> None:
    if annotation.box is None:
        return
    left, top, right, bottom = (round(edge * scale) for edge in annotation.box)
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, thickness, cv2.LINE_AA)
    if annotation.name:
        row = min(bottom + 14, canvas.shape[0] - 4) if name_below else max(top - 5, 12)
        _draw_label(canvas, annotation.name, (max(left, 0) + 2, row), colour)


def _draw_label(canvas: Image, text: str, baseline: tuple[int, int], colour: Colour) -> None:
    """Write a text whose first letter stands on ``baseline``."""
    draw_text(canvas, text, (baseline[0] - 1, baseline[1] - _LABEL_HEIGHT - 2), _LABEL_HEIGHT, colour)
