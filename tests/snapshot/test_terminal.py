"""Tests of pictures in terminals: what is written is decoded again as a terminal does, and must be the picture."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from base64 import b64decode
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.snapshot.sixel import sixel_text
from edge.snapshot.terminal import kitty_text, terminal_width

if TYPE_CHECKING:
    from edge.core.frames import Image


def shown_by_a_sixel_terminal(text: str) -> Image:
    """The picture (BGR) that a terminal shows: black where nothing was drawn."""
    match = re.fullmatch(r'\x1bP0;1;0q"1;1;(\d+);(\d+)(.*)\x1b\\', text, re.DOTALL)
    assert match is not None
    width, height = int(match[1]), int(match[2])
    image = np.zeros((height, width, 3), np.uint8)
    palette: dict[int, tuple[int, int, int]] = {}
    colour, x, y = (0, 0, 0), 0, 0
    tokens = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|(\$)|(-)")
    at = 0
    while at < len(match[3]):
        token = tokens.match(match[3], at)
        assert token is not None, match[3][at : at + 20]
        at = token.end()
        if token[1]:
            red, green, blue = (round(int(token[group]) * 255 / 100) for group in (2, 3, 4))
            palette[int(token[1])] = (blue, green, red)
        elif token[5]:
            colour = palette[int(token[5])]
        elif token[9]:
            x = 0
        elif token[10]:
            x, y = 0, y + 6
        else:
            count, bits = int(token[6] or 1), ord(token[7] or token[8]) - 63
            assert x + count <= width
            for row in range(6):
                if bits >> row & 1:
                    assert y + row < height
                    image[y + row, x : x + count] = colour
            x += count
    assert len(palette) <= 256
    return image


def photograph() -> Image:
    """A picture with many colours, an odd number of rows, and thin lines."""
    y, x = np.mgrid[0:91, 0:160]
    image = np.stack((x * 255 // 159, y * 255 // 90, (x + y) % 256), axis=2).astype(np.uint8)
    cv2.line(image, (0, 0), (159, 90), (0, 225, 255), 1)
    return image


def test_sixels_show_the_picture() -> None:
    """A terminal shows each pixel in nearly its colour, with at most 256 colours."""
    image = photograph()
    shown = shown_by_a_sixel_terminal(sixel_text(image))
    difference = np.abs(shown.astype(int) - image)
    assert difference.mean() < 12
    assert difference.max() < 80


@pytest.mark.parametrize("colours", [1, 2, 200])
def test_few_colours_are_shown_as_they_are(colours: int) -> None:
    """A picture with no more colours than the palette loses nothing but the precision of percent and five bits."""
    rng = np.random.default_rng(1)
    palette = rng.integers(0, 32, (colours, 3)) * 255 // 31
    image = palette[rng.integers(0, colours, (13, 40))].astype(np.uint8)
    shown = shown_by_a_sixel_terminal(sixel_text(image))
    assert np.abs(shown.astype(int) - image).max() <= 10


def test_kitty_gets_the_picture_in_pieces() -> None:
    """Each piece is short enough, only the last says that it is, and together they are the PNG."""
    png = np.random.default_rng(1).bytes(10_001)
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty_text(png, 80))
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in pieces) == kitty_text(png, 80)
    assert pieces[0][0] == "a=T,f=100,q=2,c=80,m=1"
    assert [keys for keys, _ in pieces[1:]] == ["m=1"] * (len(pieces) - 2) + ["m=0"]
    assert all(len(data) <= 4096 and len(data) % 4 == 0 for _, data in pieces)
    assert b64decode("".join(data for _, data in pieces)) == png


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((30, 100, 900, 600), (100, 900)),
        ((30, 100, 0, 0), (100, 1000)),
        ((30, 400, 5000, 600), (400, 1920)),
    ],
)
def test_the_width_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int, int, int], expected: tuple[int, int]
) -> None:
    """A terminal is asked for its pixels; one that does not know them gets ten a character, and none too many."""
    master, slave = pty.openpty()
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size))
        with os.fdopen(os.dup(slave), "w") as stream:
            monkeypatch.setattr(sys, "__stdout__", stream)
            width = terminal_width()
    finally:
        os.close(master)
        os.close(slave)
    assert (width.columns, width.pixels) == expected


def test_without_a_terminal_the_width_is_a_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over ssh without -t nothing is known but perhaps the variable COLUMNS."""
    for name in ("__stdout__", "__stderr__", "__stdin__"):
        monkeypatch.setattr(sys, name, None)
    monkeypatch.setenv("COLUMNS", "120")
    assert terminal_width().pixels == 1200
