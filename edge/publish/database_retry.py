"""Decides when an access to the database that failed is tried again, and logs why it failed."""

from __future__ import annotations

import logging
import time

from edge.core.backoff import Backoff

log = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 30.0


class DatabaseRetry:
    """One kind of access, which one thread tries again with jittered, doubling waits.

    A disk may be full for days: a reason is logged as a warning when it is new, and at debug as long as it stays.
    """

    def __init__(self, failure: str) -> None:
        """``failure`` begins the log line, as in "the floors cannot be read"."""
        self._failure = failure
        self._backoff = Backoff(_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS)
        self._retry_at = 0.0
        self._reason = ""

    @property
    def seconds_left(self) -> float:
        """How long to wait before the next attempt; 0 or less when it is due."""
        return self._retry_at - time.monotonic()

    def failed(self, error: Exception) -> float:
        """Note and log a failure; returns the seconds to wait."""
        wait = self._backoff.next_wait()
        self._retry_at = time.monotonic() + wait
        level = logging.DEBUG if repr(error) == self._reason else logging.WARNING
        self._reason = repr(error)
        log.log(level, "%s (%s: %s); trying again", self._failure, type(error).__name__, error)
        return wait

    def succeeded(self) -> None:
        """Note a success: the next failure waits shortly, and is logged whatever its reason."""
        self._reason = ""
        self._backoff.reset()

    def retry_now(self) -> None:
        """Make the next attempt due at once."""
        self._retry_at = 0.0
