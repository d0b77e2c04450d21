"""Which recording of observations belongs to which clip, and for what rate of frames it is.

What moved is told from one processed frame to the next, so a recording is good for the rate that it was made at only.
"""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

from edge.core.errors import RefusedError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENDINGS = (".jsonl", ".jsonl.gz")
ALL_FRAMES = "all frames"


def rate_text(fps: float | None) -> str:
    """A rate in words; also the key of a baseline's tables, but for the unit."""
    return ALL_FRAMES if fps is None else f"{fps:g} frames a second"


def title(name: str, fps: float | None) -> str:
    """What a recording says that it is of."""
    return f"{name}, {rate_text(fps)}"


def place(given: Path, names: Sequence[str]) -> dict[str, Path]:
    """Where the recording of each clip lies: ``given`` itself for one clip, else ``given/CLIP.jsonl.gz``.

    One file cannot hold several clips: ``RefusedError``.
    """
    if not given.name.endswith(ENDINGS):
        return {name: given / f"{name}.jsonl.gz" for name in names}
    if len(names) != 1:
        raise RefusedError(f"{given}: one file holds one clip; name a folder for the recordings of {len(names)} clips")
    return {names[0]: given}


def recorded_rate(path: Path, name: str, fps: float | None) -> float | None:
    """The rate that a recording of the clip ``name`` was made at. ``fps`` is the one that is asked for, if any.

    Raises ``RefusedError`` for a recording of another clip or rate, ``SourceError`` for what is no recording.
    """
    said = _said(path)
    match = re.fullmatch(rf"(.*), (?:({ALL_FRAMES})|([0-9.e+]+) frames a second)", said)
    if match is None or match[1] != name:
        raise RefusedError(f"{path} is a recording of {said!r}, not of {name}; name the right one, or record it")
    rate = None if match[2] else float(match[3])
    if fps is not None and fps != rate:
        raise RefusedError(
            f"{path} was recorded at {rate_text(rate)}, and what moved between two frames cannot be told for another "
            f"rate; leave --fps away, or record with --fps {fps:g}"
        )
    return rate


def _said(path: Path) -> str:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            return str(json.loads(file.readline())["clip"])
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}; check the path, or record it") from error
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise SourceError(f"{path} is no recording; record the clip again") from error
