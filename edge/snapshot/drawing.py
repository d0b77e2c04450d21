"""Draws a snapshot: the picture with its grid, rulers, gates, region and boxes, and lines of text below it.

Sizes of text and lines are in units of a drawing whose longer side is 1280 pixels, so that a picture of any size can be
read when all of it is on a screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.core.errors import shown_name
from edge.core.tracks import TrackState
from edge.snapshot.labels import LabelPlaces, draw_text, text_size, wrap_text
from edge.snapshot.marks import Marks
from edge.snapshot.rulers import TEXT_HEIGHT, draw_grid, ruler_widths, with_rulers
from edge.snapshot.snapshot import DETECTED

if TYPE_CHECKING:
    from edge.core.frames import Image
    from edge.snapshot.labels import Colour
    from edge.snapshot.snapshot import Snapshot

# The longer side in pixels of a drawing whose unit is 1; smaller frames are enlarged to it.
_LONGER_SIDE = 1280
# In a narrow terminal letters do not become smaller than this.
_LEAST_UNIT = 0.8
_LEAST_WIDTH = 160
_TEXT_COLOUR: Colour = (245, 245, 245)
_PROBLEM_COLOUR: Colour = (90, 170, 255)
_STRIP_COLOUR: Colour = (40, 40, 40)
_BORDER = 8.0  # of the text below, in units
# Below what is wanted first.
_ORDER = (TrackState.CONFIRMED, TrackState.TENTATIVE, TrackState.LOST, DETECTED)
_HOW_TO_READ = "no gate yet: choose the points of `line` and the point `inside`, and read them at the edges as [x, y]"


def draw_snapshot(snapshot: Snapshot, width: int | None = None) -> Image:
    """The drawing, at most ``width`` pixels wide; without it the frame is drawn at its size, or 1280 pixels long."""
    frame = snapshot.image
    rows, columns = frame.shape[:2]
    if width is None:
        scale = max(1.0, _LONGER_SIDE / max(rows, columns))
        unit = max(rows, columns) * scale / _LONGER_SIDE
    else:
        width = max(width, _LEAST_WIDTH)
        # The rulers' width depends on the unit, and the unit on the width that they leave.
        unit = max(_LEAST_UNIT, width / _LONGER_SIDE)
        scale = (width - 2 * ruler_widths(unit)[0]) / columns
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = np.array(cv2.resize(frame, size, interpolation=interpolation), dtype=np.uint8)
    draw_grid(picture, unit)
    marks = Marks(picture, scale, unit, LabelPlaces(size))
    if snapshot.region is not None:
        marks.region(snapshot.region)
    for number, gate in enumerate(snapshot.gates):
        marks.gate(gate, number)
    for box in sorted(snapshot.boxes, key=lambda box: _ORDER.index(box.state) if box.state in _ORDER else 0):
        marks.box(box)
    marks.draw_labels()
    framed, _ = with_rulers(picture, unit)
    return np.vstack([framed, _text_below(snapshot, framed.shape[1], unit)])


def _text_below(snapshot: Snapshot, width: int, unit: float) -> Image:
    """A strip with what is known about the picture, as wide as the drawing."""
    height, border = TEXT_HEIGHT * unit, round(_BORDER * unit)
    rows, columns = snapshot.image.shape[:2]
    taken = f"{snapshot.captured_at:%Y-%m-%d %H:%M:%S} UTC"
    lines = [(f"{snapshot.camera_id}, {columns} x {rows}, {taken}: {snapshot.origin}", _TEXT_COLOUR)]
    if snapshot.problem:
        lines.append((snapshot.problem, _PROBLEM_COLOUR))
    if not snapshot.gates:
        lines.append((_HOW_TO_READ, _TEXT_COLOUR))
    lines += [(note, _PROBLEM_COLOUR) for note in snapshot.notes]
    wrapped = [
        (row, colour) for text, colour in lines for row in wrap_text(shown_name(text), width - 2 * border, height)
    ]
    step = text_size("0", height)[1] + round(2 * unit)
    strip = np.full((step * len(wrapped) + 2 * border, width, 3), _STRIP_COLOUR, dtype=np.uint8)
    for number, (row, colour) in enumerate(wrapped):
        draw_text(strip, row, (border, border + step * number), height, colour)
    return strip
