"""Opens video files after checking what they are, and reads their content digest and what their headers say."""

from __future__ import annotations

import hashlib
import re
import stat
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from edge.core.errors import SourceError, shown_name

if TYPE_CHECKING:
    from pathlib import Path

# Recorders without a clock write these years into their containers: 1904 (QuickTime's zero), 1970, 1980.
_FIRST_CREDIBLE_YEAR = 1990
_OTHER_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class ClipReader:
    """The bytes of a clip for PyAV, which then needs no name of the file: names may hold any byte but 0 and /.

    ``name`` is only the ending, by which FFmpeg recognises formats that their first bytes do not tell.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.name = f"clip{re.sub(r'[^.A-Za-z0-9]', '', path.suffix)}"
        self._file = file
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()


def open_clip(path: Path) -> ClipReader:
    """The file, which is a regular file and not empty; anything else is not opened. Raises ``SourceError``."""
    try:
        found = path.stat()
        kind = next((kind for is_kind, kind in _OTHER_KINDS if is_kind(found.st_mode)), None)
        if kind is not None:
            raise SourceError(f"{shown_name(path)} is {kind}, not a file; name a video file")
        if found.st_size == 0:
            raise SourceError(f"{shown_name(path)} is empty; copy it again")
        return ClipReader(path, path.open("rb", buffering=0))
    except FileNotFoundError as error:
        raise SourceError(
            f"{shown_name(path)}: there is no such file; check `source`, or mount the disk that holds it"
        ) from error
    except OSError as error:
        raise SourceError(
            f"{shown_name(path)} cannot be read: {error.strerror}; check its path and its rights"
        ) from error
    except ValueError as error:
        raise SourceError(f"{shown_name(path)} cannot be a file's name: it holds a NUL; check `source`") from error


def content_digest(path: Path) -> str:
    """SHA-256 of a file's content in hex: identifies a clip under any name. Raises ``SourceError``."""
    reader = open_clip(path)
    digest = hashlib.sha256()
    try:
        while block := reader.read(1 << 20):
            digest.update(block)
    except OSError as error:
        raise SourceError(f"{shown_name(path)} cannot be read: {error.strerror}; copy it again") from error
    finally:
        reader.close()
    return digest.hexdigest()


def parse_creation_time(text: str) -> datetime | None:
    """A container's ``creation_time`` in UTC; None for no time, and for what recorders without a clock write."""
    try:
        created = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    created = created.replace(tzinfo=UTC) if created.tzinfo is None else created.astimezone(UTC)
    return created if created.year >= _FIRST_CREDIBLE_YEAR else None
