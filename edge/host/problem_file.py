"""This module keeps the daemon's problems in a small file beside the database, for ``smartpark status``."""

from __future__ import annotations

import json
import logging
import os
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


class ProblemFile:
    """The file ``<database>.problems``, which exists while the daemon runs."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".problems")
        self._written: tuple[Problem, ...] = ()
        self._written_at = 0.0

    def create(self) -> None:
        """Make the file, without problems. A file that cannot be written is no error, here and later."""
        self._written = ()
        self._write(os.O_CREAT)

    def update(self, problems: Sequence[Problem], now: float) -> None:
        """Write the problems if they have changed; ``now`` is monotonic."""
        problems = tuple(problems)
        same_codes = [problem.code for problem in problems] == [problem.code for problem in self._written]
        if problems == self._written or (same_codes and now - self._written_at < NEW_TEXT_SECONDS):
            return
        self._written, self._written_at = problems, now
        self._write()

    def remove(self) -> None:
        """Remove the file, at the end of the daemon."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.debug("%s: cannot be removed: %s", self._path, error)

    def read(self) -> tuple[Problem, ...]:
        """The problems that were written last. A daemon that was killed leaves them behind, so check that one runs."""
        try:
            rows = json.loads(self._path.read_bytes())
            return tuple(Problem(row["code"], row["text"], datetime.fromisoformat(row["since"])) for row in rows)
        except (OSError, ValueError, KeyError, TypeError):
            return ()

    def _write(self, flags: int = 0) -> None:
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o644)
            try:
                os.pwrite(file, self._content(), 0)
            finally:
                os.close(file)
            give_to_folder(self._path)
        except OSError as error:
            log.debug("%s: cannot be written: %s", self._path, error)

    def _content(self) -> bytes:
        """As many of the oldest problems as there is room for, as JSON that is filled up with spaces."""
        rows = [{"code": item.code, "text": item.text, "since": item.since.isoformat()} for item in self._written]
        while len(content := json.dumps(rows, ensure_ascii=False).encode()) > _BYTES:
            rows.pop()
        return content.ljust(_BYTES)
