"""Pictures for people: a frame with the line, boxes and trails drawn into it, and what is to be said below it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge.core.frames import Image
    from edge.core.shapes import Box, Point

# Small frames are drawn larger, so that text beside boxes can be read.
LEAST_WIDTH = 960
# Blue, green, red.
LINE, INSIDE = (0, 215, 255), (0, 215, 255)
SUBJECT, OTHER, DETECTION, GRID = (60, 60, 255), (255, 170, 60), (150, 150, 150), (210, 210, 210)
TEXT, PAPER = (245, 245, 245), (40, 40, 40)
FONT = cv2.FONT_HERSHEY_SIMPLEX
ROW = 26  # pixels of a line of text


@dataclass(frozen=True, slots=True)
class Shape:
    """A box with a name, and the way that its middle went before and after; pixels of the frame.

    ``subject``: it is what the picture is about.
    """

    box: Box | None
    name: str = ""
    before: tuple[Point, ...] = ()
    after: tuple[Point, ...] = ()
    subject: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """What to draw: the line and a point inside it (fractions of the frame), detections, tracks, and lines of text.

    ``grid`` draws tenths of the frame, numbered, to read coordinates from.
    """

    line: tuple[tuple[float, float], ...] = ()
    inside: tuple[float, float] = (0.5, 0.5)
    detections: tuple[Shape, ...] = ()
    tracks: tuple[Shape, ...] = ()
    text: tuple[str, ...] = ()
    grid: bool = False


def draw(image: Image, drawing: Drawing, width: int | None = None) -> Image:
    """A new picture: ``image`` with the drawing in it and the text below; enlarged if small, or of that ``width``."""
    canvas, scale = _resized(image, width or max(LEAST_WIDTH, image.shape[1]))
    if drawing.grid:
        _grid(canvas)
    for shape in drawing.detections:
        _box(canvas, shape, scale, DETECTION, 1, below=True)
    for shape in sorted(drawing.tracks, key=lambda shape: shape.subject):
        colour = SUBJECT if shape.subject else OTHER
        _way(canvas, shape.before, scale, colour, 2)
        _way(canvas, shape.after, scale, colour, 1)
        _box(canvas, shape, scale, colour, 3 if shape.subject else 2)
    if drawing.line:
        _gate(canvas, drawing)
    return below(canvas, drawing.text)


def below(image: Image, text: Sequence[str]) -> Image:
    """The picture with lines of text on a strip below it; long ones are broken."""
    rows = [row for line in text for row in _wrapped(line, image.shape[1] - 20)]
    if not rows:
        return image
    strip = np.full((ROW * len(rows) + 14, image.shape[1], 3), PAPER, dtype=np.uint8)
    for number, row in enumerate(rows):
        cv2.putText(strip, _ascii(row), (10, ROW * (number + 1) - 2), FONT, 0.6, TEXT, 1, cv2.LINE_AA)
    return np.vstack([image, strip])


def sheet(pictures: Sequence[Image], columns: int) -> Image:
    """Pictures of one width side by side, row after row."""
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    rows = math.ceil(len(pictures) / columns)
    canvas = np.full((height * rows, width * min(columns, len(pictures)), 3), PAPER, dtype=np.uint8)
    for number, picture in enumerate(pictures):
        top, left = height * (number // columns), width * (number % columns)
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def save(path: Path, image: Image) -> None:
    """Write a picture; the file gets its name when all is written. Raises ``SourceError`` where that cannot be."""
    done, data = cv2.imencode(path.suffix, image)
    if not done:
        raise SourceError(f"{path}: pictures cannot be written as {path.suffix}; name a .png or .jpg")
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(data.tobytes())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SourceError(f"{path} cannot be written: {error.strerror}; choose another place") from error


def _resized(image: Image, width: int) -> tuple[Image, float]:
    """A copy to draw on, and how many of its pixels one of the picture's is."""
    scale = width / image.shape[1]
    size = width, max(1, round(image.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.array(cv2.resize(image, size, interpolation=way), dtype=np.uint8), scale


def _grid(canvas: Image) -> None:
    height, width = canvas.shape[:2]
    for tenth in range(1, 10):
        x, y = width * tenth // 10, height * tenth // 10
        cv2.line(canvas, (x, 0), (x, height), GRID, 1, cv2.LINE_AA)
        cv2.line(canvas, (0, y), (width, y), GRID, 1, cv2.LINE_AA)
        _label(canvas, f"0.{tenth}", (x + 3, 14), GRID)
        _label(canvas, f"0.{tenth}", (3, y - 4), GRID)


def _gate(canvas: Image, drawing: Drawing) -> None:
    size = canvas.shape[1], canvas.shape[0]
    points = [(round(x * size[0]), round(y * size[1])) for x, y in drawing.line]
    cv2.polylines(canvas, [np.array(points, dtype=np.int32)], False, LINE, 2, cv2.LINE_AA)
    middle = points[len(points) // 2] if len(points) > 2 else _halfway(points[0], points[1])
    towards = drawing.inside[0] * size[0] - middle[0], drawing.inside[1] * size[1] - middle[1]
    # Straight off the line, on the side on which `inside` lies.
    (ax, ay), (bx, by) = points[0], points[-1]
    normal = (-(by - ay), bx - ax)
    sign = 1 if normal[0] * towards[0] + normal[1] * towards[1] > 0 else -1
    reach = sign * 0.08 * size[0] / max(math.hypot(*normal), 1.0)
    tip = round(middle[0] + normal[0] * reach), round(middle[1] + normal[1] * reach)
    cv2.arrowedLine(canvas, middle, tip, INSIDE, 2, cv2.LINE_AA, tipLength=0.3)
    _label(canvas, "inside", (tip[0] + 5, tip[1]), INSIDE)


def _halfway(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return (a[0] + b[0]) // 2, (a[1] + b[1]) // 2


def _way(canvas: Image, points: Sequence[Point], scale: float, colour: tuple[int, int, int], weight: int) -> None:
    pixels = [(round(point.x * scale), round(point.y * scale)) for point in points]
    if len(pixels) > 1:
        cv2.polylines(canvas, [np.array(pixels, dtype=np.int32)], False, colour, weight, cv2.LINE_AA)
    for pixel in pixels:
        cv2.circle(canvas, pixel, weight + 1, colour, -1, cv2.LINE_AA)


def _box(
    canvas: Image, shape: Shape, scale: float, colour: tuple[int, int, int], weight: int, *, below: bool = False
) -> None:
    if shape.box is None:
        return
    left, top, right, bottom = (round(edge * scale) for edge in shape.box)
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, weight, cv2.LINE_AA)
    if shape.name:
        row = min(bottom + 14, canvas.shape[0] - 4) if below else max(top - 5, 12)
        _label(canvas, shape.name, (max(left, 0) + 2, row), colour)


def _label(canvas: Image, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(canvas, _ascii(text), at, FONT, 0.45, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(canvas, _ascii(text), at, FONT, 0.45, colour, 1, cv2.LINE_AA)


def _wrapped(text: str, width: int) -> list[str]:
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and cv2.getTextSize(_ascii(longer), FONT, 0.6, 1)[0][0] > width:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


def _ascii(text: str) -> str:
    # OpenCV's letters are these only.
    return text.encode("ascii", "replace").decode()
