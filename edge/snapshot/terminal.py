"""Finds out how wide the terminal is, and writes pictures for kitty's graphics protocol.

The protocol is at https://sw.kovidgoyal.net/kitty/graphics-protocol/: base64 in pieces of up to 4096 characters.
"""

from __future__ import annotations

import fcntl
import shutil
import struct
import sys
import termios
from base64 import b64encode
from dataclasses import dataclass

_PIECE = 4096
# The width of a character in pixels, where the terminal does not say how many pixels it has.
_USUAL_CHARACTER = 10
# A larger picture takes long over a slow line, and shows no more.
_MOST_PIXELS = 1920


@dataclass(frozen=True, slots=True)
class TerminalWidth:
    """How wide the terminal is, in characters and in pixels."""

    columns: int
    pixels: int


def terminal_width() -> TerminalWidth:
    """The width of the terminal that this program writes to; without one (a pipe, ssh without -t) a usual width."""
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        if stream is None:
            continue
        try:
            size = fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, bytes(8))
        except (OSError, ValueError):
            continue
        _, columns, pixels, _ = struct.unpack("HHHH", size)
        if columns:
            return TerminalWidth(columns, min(pixels or columns * _USUAL_CHARACTER, _MOST_PIXELS))
    columns = shutil.get_terminal_size().columns
    return TerminalWidth(columns, min(columns * _USUAL_CHARACTER, _MOST_PIXELS))


def kitty_text(png: bytes, columns: int) -> str:
    """The text that makes a terminal show a PNG at its cursor, scaled to a number of columns."""
    data = b64encode(png).decode("ascii")
    pieces = [data[begin : begin + _PIECE] for begin in range(0, len(data), _PIECE)]
    parts = []
    for number, piece in enumerate(pieces):
        # a=T: transmit and show; f=100: PNG; q=2: no answer, which the shell would take for input.
        keys = f"a=T,f=100,q=2,c={columns}," if number == 0 else ""
        parts.append(f"\x1b_G{keys}m={int(number < len(pieces) - 1)};{piece}\x1b\\")
    return "".join(parts)
