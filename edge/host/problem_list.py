"""This module keeps the list of problems that the device has now, to which any part of the daemon reports."""

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

# A text goes to boards and to systemd's status line: enough for two sentences and a path.
LONGEST_PROBLEM_TEXT = 400


class ProblemList:
    """The problems of the device, each with a code of its own. Thread-safe.

    A warning is logged when a problem begins and when its text becomes another one, and a line when it is over. A text
    in which only numbers change ("7 events wait", "8 events wait") is logged once.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """``clock`` gives the time as aware UTC."""
        self._clock = clock
        self._lock = threading.Lock()
        self._problems: dict[str, Problem] = {}

    def report(self, code: str, text: str, *, logged: bool = False) -> None:
        """Add the problem ``code`` (``database``, ``camera.ramp``), or give it a new text if it is there already.

        ``text`` says what is wrong and what to do, in one line, without secrets. ``logged``: the log has it already.
        """
        # A path in the text may have bytes that are not UTF-8.
        text = " ".join(text.encode(errors="replace").decode().split())[:LONGEST_PROBLEM_TEXT]
        with self._lock:
            known = self._problems.get(code)
            self._problems[code] = Problem(code, text, self._clock() if known is None else known.since)
        if not logged and (known is None or _without_numbers(known.text) != _without_numbers(text)):
            log.warning("problem=%s %s", code, text)

    def clear(self, code: str) -> None:
        """Remove the problem ``code`` if it is there."""
        with self._lock:
            known = self._problems.pop(code, None)
        if known is not None:
            log.info("problem=%s is over", code)

    def current(self) -> tuple[Problem, ...]:
        """The problems in the order in which they began."""
        with self._lock:
            return tuple(self._problems.values())


def _without_numbers(text: str) -> str:
    return re.sub(r"[0-9]+([.,][0-9]+)?", "0", text)
