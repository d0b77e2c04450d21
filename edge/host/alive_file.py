"""This module keeps the time until which a daemon ran in a small file beside the database, for the next start.

A daemon that is killed cannot write down when it saw its cameras for the last time. The file is written in place each
second without waiting for the disk: after a kill it is right to a second, after a power cut to half a minute, when the
kernel writes its pages.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from edge.core.file_owner import give_to_folder

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

# The file always has this size, so that a new time needs no space of a disk that is full.
_BYTES = 256
_WRITE_SECONDS = 1.0
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LastRun:
    """A moment at which a daemon ran: on the wall clock (aware UTC), and on the monotonic clock of its boot."""

    at: datetime
    monotonic: float
    boot_id: str


class AliveFile:
    """The file ``<database>.alive``, which stays when the daemon ends.

    A thread of its own writes it: on a disk that hangs a write does not return, and the caller feeds the watchdog.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".alive")
        self._latest: LastRun | None = None
        self._written: LastRun | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def read(self) -> LastRun | None:
        """When the last daemon ran; None if there was none, or its file cannot be read."""
        try:
            fields = json.loads(self._path.read_bytes())
            last = LastRun(datetime.fromisoformat(fields["at"]), float(fields["monotonic"]), str(fields["boot"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return last if last.at.tzinfo is not None else None

    def start(self) -> None:
        """Begin to write what ``update`` gives. A file that cannot be written is no error, here and later."""
        self._thread = threading.Thread(target=self._run, name="alive-file", daemon=True)
        self._thread.start()

    def update(self, now: LastRun) -> None:
        """Have the moment written within a second. Never waits for the disk."""
        self._latest = now

    def close(self) -> None:
        """Write the last moment, at the end of the daemon. A disk that hangs keeps an older one."""
        if self._thread is None:
            return
        self._closing.set()
        self._thread.join(_CLOSE_SECONDS)
        self._thread = None

    def _run(self) -> None:
        flags = os.O_CREAT
        while True:
            closing = self._closing.wait(_WRITE_SECONDS)
            latest = self._latest
            if latest is not None and latest is not self._written and self._write(latest, flags):
                self._written = latest
                # A file that went with its disk is not made again in the empty mount point.
                flags = 0
            if closing:
                return

    def _write(self, moment: LastRun, flags: int) -> bool:
        content = json.dumps({"at": moment.at.isoformat(), "monotonic": moment.monotonic, "boot": moment.boot_id})
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o644)
            try:
                os.pwrite(file, content.encode().ljust(_BYTES), 0)
            finally:
                os.close(file)
            if flags:
                give_to_folder(self._path)
        except OSError as error:
            log.debug("%s: cannot be written: %s", self._path, error)
            return False
        return True
