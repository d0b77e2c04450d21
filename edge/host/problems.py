"""What is wrong with this device: one list that any part adds to, for the log, the boards and systemd."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING

from edge.core.device_health import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

log = logging.getLogger(__name__)

__all__ = ["Health", "Problem"]

# A text goes to boards and to systemd's status line: enough for two sentences and a path.
LONGEST_TEXT = 400


class Health:
    """The problems that there are now. Thread-safe.

    The log has a warning when a problem begins or becomes another one of its code, and a line when it is over; a text
    in which only numbers change ("7 events wait", "8 events wait") is told once.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """``clock`` gives the time as aware UTC."""
        self._clock = clock
        self._lock = threading.Lock()
        self._problems: dict[str, Problem] = {}

    def set(self, code: str, text: str) -> None:
        """There is a problem ``code`` (``database``, ``camera.ramp``), or there still is and ``text`` is news of it.

        ``text`` is for people: what is wrong and the remedy, in one line, without secrets.
        """
        # A path may hold bytes that are no text.
        text = " ".join(text.encode(errors="replace").decode().split())[:LONGEST_TEXT]
        with self._lock:
            known = self._problems.get(code)
            self._problems[code] = Problem(code, text, self._clock() if known is None else known.since)
        if known is None or _kind(known.text) != _kind(text):
            log.warning("problem=%s %s", code, text)

    def clear(self, code: str) -> None:
        """There is no problem ``code``, or not any more."""
        with self._lock:
            known = self._problems.pop(code, None)
        if known is not None:
            log.info("problem=%s is over", code)

    def problems(self) -> tuple[Problem, ...]:
        """The problems that there are, in the order in which they began."""
        with self._lock:
            return tuple(self._problems.values())


def _kind(text: str) -> str:
    return re.sub(r"[0-9]+([.,][0-9]+)?", "0", text)
