"""Tests of the drawing: what is drawn stands at the fractions that it says, at any size and on any picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.snapshot.drawing import draw_snapshot
from edge.snapshot.rulers import ruler_widths

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.config.schema import GateConfig
    from edge.core.frames import Image
    from edge.snapshot.snapshot import Snapshot, SnapshotBox

    Make = Callable[..., Snapshot]

SIZES = [(640, 360), (320, 240), (1920, 1080), (3840, 2160), (1080, 1920), (64, 48), (1001, 563), (1600, 90)]
GATE_COLOUR = (0, 225, 255)
COLOURS = {
    "confirmed": (90, 255, 90),
    "tentative": (235, 235, 235),
    "lost": (80, 120, 255),
    "detected": (255, 190, 90),
}


def picture_of(drawing: Image, frame: Snapshot) -> tuple[Image, float]:
    """The picture within the rulers, and the unit of the drawing."""
    rows, columns = frame.image.shape[:2]
    unit = max(1280, rows, columns) / 1280
    beside, above = ruler_widths(unit)
    scale = max(1.0, 1280 / max(rows, columns))
    width, height = round(columns * scale), round(rows * scale)
    assert drawing.shape[1] == width + 2 * beside
    return drawing[above : above + height, beside : beside + width], unit


def near(picture: Image, at: tuple[float, float], colour: tuple[int, int, int], reach: int) -> bool:
    """Whether a pixel of about the colour is within some pixels of a point in fractions."""
    x, y = round(at[0] * picture.shape[1]), round(at[1] * picture.shape[0])
    part = picture[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1].astype(int)
    return bool((np.abs(part - np.array(colour)).max(axis=2) < 40).any())


@pytest.mark.parametrize("grey", [0, 120, 255])
@pytest.mark.parametrize("size", SIZES)
def test_a_gate_is_where_it_says(
    snapshot: Make, gate: Callable[..., GateConfig], size: tuple[int, int], grey: int
) -> None:
    """Points, line, arrow and inside are at their fractions, on dark and bright pictures from 64 to 3840 pixels."""
    frame = snapshot(size, grey, gates=(gate(),))
    picture, unit = picture_of(draw_snapshot(frame), frame)
    reach = round(2 * unit)
    assert all(near(picture, at, GATE_COLOUR, reach) for at in [(0.1, 0.6), (0.3, 0.6), (0.9, 0.6), (0.5, 0.9)])
    below = 0.6 + 20 * unit / picture.shape[0]
    assert near(picture, (0.5, below), GATE_COLOUR, reach)
    assert not near(picture, (0.5, 1.2 - below), GATE_COLOUR, reach)


def test_the_arrow_points_to_the_inside_of_a_line_that_bends(snapshot: Make, gate: Callable[..., GateConfig]) -> None:
    """It starts in the middle of the line's length, and follows the side that counting uses."""
    bent = gate(line=((0.2, 0.2), (0.5, 0.2), (0.5, 0.9)), inside=(0.9, 0.5))
    frame = snapshot((1000, 1000), gates=(bent,))
    picture, _ = picture_of(draw_snapshot(frame), frame)
    # Of the length of 1.0 a half is 0.3 across and 0.2 down.
    assert near(picture, (0.53, 0.4), GATE_COLOUR, 2)
    assert not near(picture, (0.47, 0.4), GATE_COLOUR, 2)


def test_each_gate_has_a_colour(snapshot: Make, gate: Callable[..., GateConfig]) -> None:
    """Two gates can be told apart."""
    other = gate(id="ramp", line=((0.8, 0.1), (0.8, 0.4)), inside=(0.95, 0.2), outside_floor="First Floor")
    frame = snapshot((1280, 720), gates=(gate(), other))
    picture, _ = picture_of(draw_snapshot(frame), frame)
    assert near(picture, (0.3, 0.6), GATE_COLOUR, 2)
    assert near(picture, (0.8, 0.15), (255, 120, 255), 2)


def test_boxes_have_the_colour_of_their_state(snapshot: Make, boxes: tuple[SnapshotBox, ...]) -> None:
    """The left edge of each box is where the track is."""
    frame = snapshot((640, 360), boxes=boxes)
    picture, unit = picture_of(draw_snapshot(frame), frame)
    for box in boxes:
        height = np.linspace(box.box.y1, box.box.y2, 9)[1:-1] / 360
        found = [near(picture, (box.box.x1 / 640, y), COLOURS[box.state], round(unit)) for y in height]
        # That of a lost track is dashed.
        assert any(found) if box.state == "lost" else all(found), box


def test_the_region_is_drawn(snapshot: Make) -> None:
    """A dashed rectangle at its fractions; without a region there is none."""
    dark = snapshot((1280, 720), 30, region=(0.23, 0.31, 0.77, 0.93))
    picture, _ = picture_of(draw_snapshot(dark), dark)
    edge = [near(picture, (0.23, y), (255, 255, 255), 1) for y in np.linspace(0.32, 0.92, 30)]
    assert 5 < sum(edge) < 30
    plain = snapshot((1280, 720), 30)
    picture, _ = picture_of(draw_snapshot(plain), plain)
    assert not any(near(picture, (0.23, y), (255, 255, 255), 1) for y in np.linspace(0.32, 0.39, 10))


@pytest.mark.parametrize("grey", [0, 255])
def test_the_grid_is_seen_on_dark_and_on_bright(snapshot: Make, grey: int) -> None:
    """At each tenth there is a line that differs clearly from the picture beside it."""
    frame = snapshot((1280, 720), grey)
    picture, _ = picture_of(draw_snapshot(frame), frame)
    row, column = picture[36 * 3].astype(int), picture[:, 64 * 3].astype(int)
    for tenth in range(1, 10):
        x, y = 128 * tenth, 72 * tenth
        assert np.abs(row[x - 3 : x + 4] - grey).max() > 80, tenth
        assert np.abs(column[y - 3 : y + 4] - grey).max() > 80, tenth
        assert np.abs(row[x + 20 : x + 30] - grey).max() < 5


def test_the_frame_is_not_changed(snapshot: Make, gate: Callable[..., GateConfig]) -> None:
    """The daemon's frame is shared: drawing works on a copy, also where nothing is scaled."""
    frame = snapshot((1280, 720), gates=(gate(),))
    frame.image.flags.writeable = False
    draw_snapshot(frame)
    assert (frame.image == 120).all()


def test_what_is_known_stands_below(snapshot: Make, gate: Callable[..., GateConfig]) -> None:
    """Each problem and note has a line of its own, and without a gate a line says how to read coordinates."""
    heights = [
        draw_snapshot(snapshot(**keys)).shape[0]
        for keys in (
            {"gates": (gate(),)},
            {"gates": (gate(),), "problem": "the picture is dark"},
            {},
            {"problem": "the picture is dark", "notes": ("a note", "x" * 20 + " " + "words " * 60)},
        )
    ]
    assert heights[0] < heights[1] == heights[2] < heights[3] - 3 * (heights[1] - heights[0])


@pytest.mark.parametrize("width", [100, 400, 800, 1920])
@pytest.mark.parametrize("size", [(3840, 2160), (320, 240), (1080, 1920)])
def test_a_drawing_for_a_terminal_has_its_width(
    snapshot: Make, gate: Callable[..., GateConfig], size: tuple[int, int], width: int
) -> None:
    """It is never wider; below 160 pixels nothing could be read."""
    drawing = draw_snapshot(snapshot(size, gates=(gate(),)), width)
    assert max(width, 160) - 2 <= drawing.shape[1] <= max(width, 160)
