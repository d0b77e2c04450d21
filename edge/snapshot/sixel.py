"""Encodes pictures as sixels, the graphics of DEC's terminals that many of today's terminals show.

A sixel is a column of six pixels of one colour, written as one character (DEC, "VT330/VT340 Programmer Reference
Manual", volume 2, 1987, chapter 14). The colours are found by median cut (Heckbert, "Color Image Quantization for Frame
Buffer Display", SIGGRAPH 1982).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.core.frames import Image

# As many as a VT340's successors have registers for.
_COLOURS = 256
_ROWS = 6  # pixels in a sixel
_FIRST = 63  # the character of a sixel without a pixel
_PERCENT = 100
# Colours are counted with five bits a channel.
_BITS = 5
_LEVELS = 1 << _BITS
_LEAST_RUN = 4  # shorter runs are not shorter when they are written with their length


def sixel_text(image: Image) -> str:
    """The text that makes a terminal show a picture (BGR) at its cursor."""
    palette, indices = _quantized(image)
    height, width = indices.shape
    parts = [f'\x1bP0;1;0q"1;1;{width};{height}']
    for number, (blue, green, red) in enumerate(palette):
        parts.append(f"#{number};2;{red * _PERCENT // 255};{green * _PERCENT // 255};{blue * _PERCENT // 255}")
    for top in range(0, height, _ROWS):
        band = indices[top : top + _ROWS]
        weights = (1 << np.arange(len(band), dtype=np.uint8))[:, np.newaxis]
        lines = []
        for colour in np.unique(band):
            sixels = ((band == colour) * weights).sum(axis=0, dtype=np.uint8) + _FIRST
            lines.append(f"#{colour}{_with_run_lengths(sixels)}")
        parts.append("$".join(lines) + "-")
    parts.append("\x1b\\")
    return "".join(parts)


def _with_run_lengths(sixels: NDArray[np.uint8]) -> str:
    """The characters of a line, with the repetitions of each written as a number."""
    starts = np.flatnonzero(np.concatenate(([True], sixels[1:] != sixels[:-1])))
    lengths = np.diff(np.append(starts, len(sixels)))
    return "".join(
        f"!{length}{chr(sixel)}" if length >= _LEAST_RUN else chr(sixel) * length
        for sixel, length in zip(sixels[starts].tolist(), lengths.tolist(), strict=True)
    )


def _quantized(image: Image) -> tuple[list[tuple[int, int, int]], NDArray[np.intp]]:
    """The palette (BGR), and the number of each pixel's colour in it."""
    reduced = (image >> (8 - _BITS)).astype(np.intp)
    codes = (reduced[..., 0] * _LEVELS + reduced[..., 1]) * _LEVELS + reduced[..., 2]
    counts = np.bincount(codes.ravel(), minlength=_LEVELS**3)
    used = np.flatnonzero(counts)
    colours = np.stack((used // _LEVELS**2, used // _LEVELS % _LEVELS, used % _LEVELS), axis=1)
    boxes = _median_cut(colours, counts[used])
    number_of = np.zeros(_LEVELS**3, dtype=np.intp)
    palette = []
    for number, box in enumerate(boxes):
        number_of[used[box]] = number
        mean = np.average(colours[box], axis=0, weights=counts[used[box]])
        blue, green, red = (mean * 255 / (_LEVELS - 1)).round().astype(int).tolist()
        palette.append((blue, green, red))
    return palette, number_of[codes]


def _median_cut(colours: NDArray[np.intp], counts: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The colours in up to 256 groups, as indices; the group with the most pixels times its extent is cut next."""
    groups = [np.arange(len(colours))]
    weights = [_weight(colours, counts)]
    while len(groups) < _COLOURS and max(weights) > 0:
        widest = int(np.argmax(weights))
        group = groups[widest]
        axis = int(np.argmax(np.ptp(colours[group], axis=0)))
        group = group[np.argsort(colours[group, axis], kind="stable")]
        below = np.cumsum(counts[group])
        # At the median, but never within one value: both parts hold at least one colour.
        cut = int(np.clip(np.searchsorted(below, below[-1] / 2), 1, len(group) - 1))
        groups[widest : widest + 1] = [group[:cut], group[cut:]]
        weights[widest : widest + 1] = [_weight(colours[part], counts[part]) for part in (group[:cut], group[cut:])]
    return groups


def _weight(colours: NDArray[np.intp], counts: NDArray[np.intp]) -> float:
    return float(np.ptp(colours, axis=0).max() * np.sqrt(counts.sum()))
