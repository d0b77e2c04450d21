"""Draws text that can be read on any picture, and finds places for it that are free."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.frames import Image

    Colour = tuple[int, int, int]  # blue, green, red

_FONT = cv2.FONT_HERSHEY_DUPLEX
_OUTLINE_SHARE = 0.16  # of a letter's height
# OpenCV has letters beyond ASCII since version 5.
_HAS_ALL_LETTERS = int(cv2.__version__.partition(".")[0]) >= 5
_LEAST_SHARE = 1e-6  # of a label that is covered: less is nothing


def shown_text(text: str) -> str:
    """The text as it can be drawn: an older OpenCV has only ASCII, so there accents are left out, and ? stands in."""
    if _HAS_ALL_LETTERS:
        return text
    return unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode() or "?"


def text_size(text: str, height: float) -> tuple[int, int]:
    """Width and height in pixels of a line of text with its outline, whose digits are ``height`` pixels high."""
    (width, above), below = cv2.getTextSize(shown_text(text), _FONT, _scale(height), _thickness(height))
    border = 2 * _outline(height)
    return width + border, above + below + border


def draw_text(image: Image, text: str, place: tuple[int, int], height: float, colour: Colour) -> None:
    """Draw a line of text with a dark outline; ``place`` is its top left. What is outside the image is cut off."""
    text, thickness, outline = shown_text(text), _thickness(height), _outline(height)
    width, rows = text_size(text, height)
    (_, above), _ = cv2.getTextSize(text, _FONT, _scale(height), thickness)
    letters = np.zeros((rows, width), dtype=np.uint8)
    cv2.putText(letters, text, (outline, outline + above), _FONT, _scale(height), (255,), thickness, cv2.LINE_AA)
    # The outline is grown from the letters: a thicker text is wider in OpenCV 5, and would not lie under them.
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * outline + 1, 2 * outline + 1))
    around = cv2.dilate(letters, kernel)
    left, top = max(place[0], 0), max(place[1], 0)
    right, bottom = min(place[0] + width, image.shape[1]), min(place[1] + rows, image.shape[0])
    if left >= right or top >= bottom:
        return
    part = (slice(top - place[1], bottom - place[1]), slice(left - place[0], right - place[0]))
    under = image[top:bottom, left:right].astype(np.float32)
    dark, light = (mask[part][..., np.newaxis].astype(np.float32) / 255 for mask in (around, letters))
    drawn = under * (1 - dark) * (1 - light) + np.array(colour, dtype=np.float32) * light
    image[top:bottom, left:right] = np.clip(drawn, 0, 255).astype(np.uint8)


def wrap_text(text: str, width: int, height: float) -> list[str]:
    """The lines of a text that is at most ``width`` pixels wide; a single long word is not broken."""
    rows = [""]
    for word in text.split(" "):
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and text_size(longer, height)[0] > width:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


class LabelPlaces:
    """The places of labels in a picture of a size (width, height), of which each takes the freest that it can have."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._taken: list[tuple[int, int, int, int]] = []

    def reserve(self, left: int, top: int, size: tuple[int, int]) -> None:
        """Keep labels away from what is drawn in a rectangle."""
        self._taken.append((left, top, *size))

    def take(self, size: tuple[int, int], wanted: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """The top left for a label of a size: of the ``wanted`` places, the best first, that with the least overlap."""
        best: tuple[float, tuple[int, int]] | None = None
        for x, y in wanted:
            place = (
                max(0, min(x, self._size[0] - size[0])),
                max(0, min(y, self._size[1] - size[1])),
            )
            covered = sum(_overlap((*place, *size), taken) for taken in self._taken) / max(size[0] * size[1], 1)
            if best is None or covered < best[0] - _LEAST_SHARE:
                best = covered, place
        assert best is not None, "a label wants a place"
        self._taken.append((*best[1], *size))
        return best[1]


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> int:
    """The area that two rectangles share; each is left, top, width, height."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def _scale(height: float) -> float:
    return height / _digit_height()


@lru_cache(maxsize=1)
def _digit_height() -> float:
    """The height in pixels of a digit at scale 1, measured at a scale at which rounding does not matter."""
    scale = 10.0
    return cv2.getTextSize("0", _FONT, scale, 1)[0][1] / scale


def _thickness(height: float) -> int:
    # In OpenCV 5 it is the weight of the letters, in OpenCV 4 the width of their strokes in pixels.
    return 1 if _HAS_ALL_LETTERS else max(1, round(height / 10))


def _outline(height: float) -> int:
    return max(1, round(height * _OUTLINE_SHARE))
