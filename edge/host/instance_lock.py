"""This module keeps a second daemon from a database, by an advisory lock that the kernel drops with its process."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

from edge.core.errors import StoreError
from edge.core.file_owner import give_to_folder

if TYPE_CHECKING:
    from pathlib import Path

# `held_elsewhere` of another process holds the lock for a moment, so `acquire` tries a few times.
_TRIES = 5
_TRY_SECONDS = 0.1


class InstanceLock:
    """A lock on the file ``<database>.lock``, held for as long as this process counts into the database."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process has it. Raises ``StoreError`` when the folder cannot be written."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            give_to_folder(self._path)
        except OSError as error:
            raise StoreError(
                f"{self._path}: cannot be made ({error.strerror}); check [database] path and the rights of the folder"
            ) from error
        for _ in range(_TRIES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_TRY_SECONDS)
            else:
                self._file = file
                return True
        os.close(file)
        return False

    def release(self) -> None:
        """Release the lock. The file stays, because another process may have opened it already."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def held_elsewhere(self) -> bool:
        """Whether a process has the lock now. The file is not made, and the lock is not kept."""
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
