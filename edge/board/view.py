"""Draws a board: in large digits for a terminal, and as one line of text for a log or a pipe."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich import box
from rich.align import Align
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edge.board.session import BoardSnapshot
    from edge.board.state import ShownFloor

_UNKNOWN = "--"

# Three rows of three characters each, as on a seven-segment display.
_GLYPHS = {
    "0": (" _ ", "| |", "|_|"),
    "1": ("   ", "  |", "  |"),
    "2": (" _ ", " _|", "|_ "),
    "3": (" _ ", " _|", " _|"),
    "4": ("   ", "|_|", "  |"),
    "5": (" _ ", "|_ ", " _|"),
    "6": (" _ ", "|_ ", "|_|"),
    "7": (" _ ", "  |", "  |"),
    "8": (" _ ", "|_|", "|_|"),
    "9": (" _ ", "|_|", " _|"),
    "-": ("   ", " _ ", "   "),
}


def render(snapshot: BoardSnapshot) -> RenderableType:
    """The board for a terminal: a line of large digits for each floor, and the recommended floor."""
    table = Table(box=box.SIMPLE, show_header=True, header_style="dim", expand=True)
    table.add_column("floor", vertical="middle", ratio=2)
    table.add_column("free", justify="right", vertical="middle", ratio=2)
    table.add_column("of", justify="right", vertical="middle", ratio=1)
    table.add_column("occupied", justify="right", vertical="middle", ratio=1)
    for row in snapshot.rows:
        style = _style(row)
        table.add_row(
            Text(printable(row.name), style=f"bold {style}"),
            Text(large_digits(_free_places(row)), style=f"bold {style}", no_wrap=True),
            Text(_UNKNOWN if row.total is None else str(row.total)),
            Text(_UNKNOWN if row.percentage is None else f"{row.percentage:.1f} %{_short_doubt(row)}"),
        )
    if not snapshot.rows:
        table.add_row(Text("no floor is known yet", style="dim"), "", "", "")
    return Panel(
        Group(table, Align.center(_recommendation(snapshot))),
        title=Text(f"{printable(snapshot.site_id)} - free places"),
        subtitle=Text(_footer(snapshot), style=_footer_style(snapshot)),
        border_style="green" if snapshot.connected else "red",
    )


def as_line(snapshot: BoardSnapshot) -> str:
    """The board as one line without colours, for a log or a pipe."""
    floors = [_row_text(row) for row in snapshot.rows] or ["no floor is known yet"]
    parts = [f"board {printable(snapshot.site_id)}: {_connection_text(snapshot)}", *floors]
    if snapshot.recommended is not None:
        parts.append(f"go to {printable(snapshot.recommended.name)}")
    parts += [f"{printable(device)}: {printable(text)}" for device, text in snapshot.problems]
    return " | ".join(parts)


def large_digits(text: str) -> str:
    """Digits and ``-`` as three lines of three characters each; a text with anything else on the middle line."""
    if not all(character in _GLYPHS for character in text):
        return f"\n{text}\n"
    return "\n".join(" ".join(_GLYPHS[character][line] for character in text) for line in range(3))


def printable(name: str) -> str:
    """A name from outside, with ``?`` for each character that a terminal would obey instead of print."""
    return "".join(character if character.isprintable() else "?" for character in name)


def _style(row: ShownFloor) -> str:
    if row.available is None or not row.is_active:
        return "dim"
    return "red" if row.is_full else "green"


def _free_places(row: ShownFloor) -> str:
    if row.available is None:
        return _UNKNOWN
    if not row.is_active:
        return "CLOSED"
    return "FULL" if row.is_full else str(row.available)


def _row_text(row: ShownFloor) -> str:
    name = printable(row.name)
    if row.available is None or row.total is None or row.percentage is None:
        return f"{name} {_UNKNOWN}"
    if not row.is_active:
        return f"{name} closed"
    free = "FULL" if row.is_full else f"{row.available} free"
    return f"{name} {free} of {row.total} ({row.percentage:.1f} %){_doubt(row)}"


def _short_doubt(row: ShownFloor) -> str:
    """``_doubt`` for a narrow column."""
    if row.off_by is None:
        return " ±?"
    return f" ±{math.ceil(row.off_by)}" if row.off_by else ""


def _doubt(row: ShownFloor) -> str:
    """A note for a count that may be wrong, because a gate was blind since the floor was counted."""
    if row.off_by is None:
        return ", may be wrong"
    return f", may be off by {math.ceil(row.off_by)}" if row.off_by else ""


def _recommendation(snapshot: BoardSnapshot) -> Text:
    if snapshot.recommended is not None:
        return Text(f">> {printable(snapshot.recommended.name)}", style="bold green")
    if snapshot.site is not None and snapshot.site.unknown_floors:
        return Text(_UNKNOWN, style="bold yellow")
    if snapshot.site is not None and snapshot.site.is_full:
        return Text("FULL", style="bold red")
    return Text("")


def _connection_text(snapshot: BoardSnapshot) -> str:
    return "connected" if snapshot.connected else "no connection to the broker"


def _footer_style(snapshot: BoardSnapshot) -> str:
    if not snapshot.connected:
        return "bold red"
    return "bold yellow" if snapshot.problems else "dim"


def _footer(snapshot: BoardSnapshot) -> str:
    devices = ", ".join(f"{printable(name)} {'online' if up else 'offline'}" for name, up in snapshot.devices.items())
    parts = [_connection_text(snapshot), devices, f"{snapshot.messages} messages"]
    if snapshot.invalid_messages:
        parts.append(f"{snapshot.invalid_messages} invalid")
    if snapshot.problems:
        # There is room for one; all are in the device's health topic.
        device, text = snapshot.problems[0]
        parts.insert(0, f"{printable(device)}: {printable(text)}")
    return " - ".join(part for part in parts if part)
