"""One daemon to a database: an advisory lock that the kernel drops when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.core.file_owner import give_to_folder

if TYPE_CHECKING:
    from pathlib import Path


TRIES = 5
TRY_SECONDS = 0.1


class InstanceLock:
    """Holds ``<database>.lock`` for as long as this process counts into the database."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process has it. Raises ``StoreError`` when the folder is not writable."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            give_to_folder(self._path)
        except OSError as error:
            raise StoreError(
                f"{self._path}: cannot be made ({error.strerror}); check database.path and the folder's rights"
            ) from error
        # A few tries: `held_elsewhere` of another process may be looking just now.
        for _ in range(TRIES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(TRY_SECONDS)
            else:
                self._file = file
                return True
        os.close(file)
        return False

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would race with the next process."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def held_elsewhere(self) -> bool:
        """Whether a process has the lock now. Asks only: neither makes the file nor keeps the lock."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False
