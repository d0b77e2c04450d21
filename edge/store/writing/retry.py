"""Patience with the world's trouble: told once, tried again at growing intervals."""

from __future__ import annotations

import logging
import random
import time

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 5.0


class Retry:
    """The trouble that there is, and how long to wait. Used by one thread; ``trouble`` may be read by any."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self._since = 0.0
        self._delay = FIRST_RETRY_SECONDS

    def failed(self, what: str, waiting: int) -> float:
        """Take note of a failure while so many events wait; seconds until the next attempt, jittered and capped.

        Logs a trouble when it begins and when it becomes another one.
        """
        if self.trouble is None:
            self._since = time.monotonic()
        if what != self.trouble:
            log.error("cannot write to the database: %s; trying again, %d events wait", what, waiting)
        self.trouble = what
        seconds = self._delay * random.uniform(0.5, 1.0)
        self._delay = min(2 * self._delay, LONGEST_RETRY_SECONDS)
        return seconds

    def succeeded(self, waiting: int) -> None:
        """Take note of a success while so many events wait; logs the end of a trouble."""
        if self.trouble is not None:
            seconds = time.monotonic() - self._since
            log.warning("the database can be written again after %.1f s, %d events wait", seconds, waiting)
        self.trouble = None
        self._delay = FIRST_RETRY_SECONDS
