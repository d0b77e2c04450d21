"""Reads what a video file says about itself without decoding it: its path, content digest, date, frames and length."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from edge.core.errors import SourceError

# Recorders without a clock write these years into their containers: 1904 (QuickTime's zero), 1970, 1980.
_FIRST_CREDIBLE_YEAR = 1990
# FFmpeg plays plain text as the picture of a terminal.
_FORMATS_WITHOUT_VIDEO = ("tty",)


def content_digest(path: Path) -> str:
    """SHA-256 of a file's content in hex: identifies a clip under any name. Raises ``SourceError``."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error


def clip_path(address: str) -> Path:
    """The path in a camera's ``source``: a plain path, or the path of a ``file://`` URL."""
    if address.lower().startswith("file://"):
        return Path(unquote(urlsplit(address).path))
    return Path(address).expanduser()


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """When a file says it was recorded, and how many frames and seconds it claims; None: it does not say."""

    created: datetime | None = None
    frames: int | None = None
    seconds: float | None = None


def read_container(path: Path) -> ContainerInfo:
    """Read a video file's header. Raises ``SourceError`` with the path and the remedy."""
    if not path.exists():
        raise SourceError(f"{path}: there is no such file; check `source`, or mount the disk that holds it")
    if not path.is_file():
        raise SourceError(f"{path} is not a file; name a video file")
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty; copy it again")
    import av  # 18 MB that a daemon with live cameras does not need

    try:
        with av.open(str(path.absolute()), metadata_errors="replace") as container:
            if not container.streams.video or container.format.name in _FORMATS_WITHOUT_VIDEO:
                raise SourceError(f"{path} holds no video; name a video file")
            return ContainerInfo(
                created=parse_creation_time(container.metadata.get("creation_time", "")),
                frames=container.streams.video[0].frames or None,
                seconds=_video_seconds(container.duration, container.start_time, av.time_base),
            )
    except (av.FFmpegError, OSError) as error:
        reason = error.strerror or "it is damaged"
        raise SourceError(f"{path} cannot be opened as video: {reason}; copy or record it again") from error


def parse_creation_time(text: str) -> datetime | None:
    """A container's ``creation_time`` in UTC; None for no time, and for what recorders without a clock write."""
    try:
        created = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    created = created.replace(tzinfo=UTC) if created.tzinfo is None else created.astimezone(UTC)
    return created if created.year >= _FIRST_CREDIBLE_YEAR else None


def _video_seconds(duration: int | None, start: int | None, units_per_second: int) -> float | None:
    """The least length of the video: some containers count the duration from 0, not from the first frame."""
    return (duration - max(start or 0, 0)) / units_per_second if duration else None
