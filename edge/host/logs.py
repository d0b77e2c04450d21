"""This module writes log lines to stderr, in the form ``time level logger message key=value ...``."""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# systemd reads the level from the line's beginning (sd-daemon(3)) and strips it.
_SYSLOG = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class LineFormatter(logging.Formatter):
    """Formats a record as one line with its time in UTC. Line breaks in a message are escaped."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, journal: bool) -> None:
        # The journal adds a time to every line.
        time_field = "" if journal else "%(asctime)s "
        super().__init__(f"{time_field}%(levelname)s %(name)s %(message)s")
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        # Only a traceback keeps its line breaks.
        exc_info, record.exc_info, record.exc_text = record.exc_info, None, None
        line = super().format(record).replace("\r", "\\r").replace("\n", "\\n")
        record.exc_info = exc_info
        if exc_info:
            line = f"{line}\n{self.formatException(exc_info)}"
        if not self._journal:
            return line
        level = _SYSLOG.get(record.levelno, 6)
        return "\n".join(f"<{level}>{part}" for part in line.split("\n"))


def set_up_logging(level: str = "info", environ: Mapping[str, str] = os.environ) -> None:
    """Send all log lines of ``level`` and above to stderr; debug lines of the libraries are left out."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(journal="JOURNAL_STREAM" in environ))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("edge").setLevel(level.upper())
    logging.captureWarnings(True)
