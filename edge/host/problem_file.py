"""This module keeps the daemon's problems in a small file beside the database, for ``smartpark status``."""

from __future__ import annotations

import json
import logging
import os
import threading
from datetime import datetime
from typing import TYPE_CHECKING

from edge.core.device_health import Problem
from edge.core.file_owner import give_to_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

# The file always has this size and is written in place, so that a new text needs no space of a disk that is full.
_BYTES = 8192
# Some texts hold numbers that change all the time, and an SD card wears out: a new text of a known problem waits.
NEW_TEXT_SECONDS = 60.0
_CLOSE_SECONDS = 2.0


class ProblemFile:
    """The file ``<database>.problems``, which exists while the daemon runs.

    A thread of its own writes it: on a disk that hangs, a write does not return, and the caller feeds the watchdog.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".problems")
        self._problems: tuple[Problem, ...] = ()
        self._changed_at = 0.0
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Make the file, without problems. A file that cannot be written is no error, here and later."""
        self._changed.set()
        self._thread = threading.Thread(target=self._run, name="problem-file", daemon=True)
        self._thread.start()

    def update(self, problems: Sequence[Problem], now: float) -> None:
        """Have the problems written if they have changed; ``now`` is monotonic. Never waits for the disk."""
        problems = tuple(problems)
        same_codes = [problem.code for problem in problems] == [problem.code for problem in self._problems]
        if problems == self._problems or (same_codes and now - self._changed_at < NEW_TEXT_SECONDS):
            return
        self._problems, self._changed_at = problems, now
        self._changed.set()

    def close(self) -> None:
        """Remove the file, at the end of the daemon. A disk that hangs keeps it."""
        if self._thread is None:
            return
        self._closing.set()
        self._changed.set()
        self._thread.join(_CLOSE_SECONDS)
        self._thread = None

    def read(self) -> tuple[Problem, ...]:
        """The problems that were written last. A daemon that was killed leaves them behind, so check that one runs."""
        try:
            rows = json.loads(self._path.read_bytes())
            return tuple(Problem(row["code"], row["text"], datetime.fromisoformat(row["since"])) for row in rows)
        except (OSError, ValueError, KeyError, TypeError):
            return ()

    def _run(self) -> None:
        flags = os.O_CREAT
        while True:
            self._changed.wait()
            self._changed.clear()
            if self._closing.is_set():
                break
            if self._write(self._problems, flags):
                # A file that went with its disk is not made again in the empty mount point.
                flags = 0
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.debug("%s: cannot be removed: %s", self._path, error)

    def _write(self, problems: Sequence[Problem], flags: int) -> bool:
        """Write the problems into the file; whether that succeeded."""
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o644)
            try:
                os.pwrite(file, _content(problems), 0)
            finally:
                os.close(file)
            give_to_folder(self._path)
        except OSError as error:
            log.debug("%s: cannot be written: %s", self._path, error)
            return False
        return True


def _content(problems: Sequence[Problem]) -> bytes:
    """As many of the oldest problems as there is room for, as JSON that is filled up with spaces."""
    rows = [{"code": item.code, "text": item.text, "since": item.since.isoformat()} for item in problems]
    while len(content := json.dumps(rows, ensure_ascii=False).encode()) > _BYTES:
        rows.pop()
    return content.ljust(_BYTES)
