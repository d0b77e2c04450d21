"""Puts another file in the database's place, so that a power cut at any moment leaves either the old or the new one.

The new file is complete as ``<database>.restoring`` before anything is moved. Then a note, ``<database>.replacement``,
records the replacement; the next program that starts and finds the note finishes the replacement first. The old
database and its write-ahead log are renamed, and the new file gets the database's name. The note is removed when the
new database has the replacement in its audit log.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from edge.core.errors import StoreError
from edge.core.file_owner import give_to_folder
from edge.store.sql.online_copy import sync_to_disk

_COMPANION_SUFFIXES = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Replacement:
    """Which database is set aside, what replaces it, and why. ``source`` is None for an empty database.

    ``damage`` is what was wrong with the old database; empty if a person chose to replace it.
    """

    set_aside: Path
    source: Path | None
    at: datetime
    actor: str
    note: str = ""
    damage: str = ""


def replacing_path(path: Path) -> Path:
    """Where the file that is to replace the database ``path`` is written."""
    return path.with_name(f"{path.name}.restoring")


def set_aside_path(path: Path, reason: str, now: datetime) -> Path:
    """An unused path beside ``path`` for the old database: ``<database>.<reason>-<time>``."""
    first = path.with_name(f"{path.name}.{reason}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    others = (first.with_name(f"{first.name}-{number}") for number in count(2))
    return next(candidate for candidate in chain((first,), others) if not candidate.exists())


def begin_replacement(path: Path, replacement: Replacement) -> None:
    """Write the note: from now on ``replacing_path(path)`` replaces ``path``, also after a power cut.

    StoreError if the note cannot be written.
    """
    note = _note(path)
    unfinished = note.with_name(f"{note.name}.unfinished")
    fields = {**asdict(replacement), "at": replacement.at.isoformat()}
    try:
        unfinished.write_text(json.dumps(fields, default=str))
        give_to_folder(unfinished)
        sync_to_disk(unfinished)
        unfinished.replace(note)
        sync_to_disk(note.parent)
    except OSError as error:
        raise StoreError(f"{note}: cannot be written ({error.strerror}); check the free room on the disk") from error


def unfinished_replacement(path: Path) -> Replacement | None:
    """The replacement that was begun and is not finished, or None. StoreError for a note that cannot be read."""
    note = _note(path)
    try:
        fields = json.loads(note.read_text())
        return Replacement(
            Path(fields["set_aside"]),
            None if fields["source"] is None else Path(fields["source"]),
            datetime.fromisoformat(fields["at"]),
            *(str(fields[key]) for key in ("actor", "note", "damage")),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{note}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{note}: was not written by this program ({error}); remove it") from error


def carry_out_replacement(path: Path, replacement: Replacement) -> None:
    """Move the files; after that ``path`` is the new database. Safe to repeat. StoreError if that fails.

    No other program may have the database open.
    """
    new = replacing_path(path)
    if not new.exists():  # it was moved already
        return
    aside = replacement.set_aside
    try:
        # The log first: SQLite would apply it to the new database.
        for suffix in _COMPANION_SUFFIXES:
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.replace(aside.with_name(aside.name + suffix))
        if path.exists() and not aside.exists():
            _link_or_move(path, aside)
        sync_to_disk(path.parent)
        new.replace(path)
        sync_to_disk(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: cannot be replaced by {new} ({error.strerror}); start again") from error


def finish_replacement(path: Path) -> None:
    """Remove the note: the new database has the replacement in its audit log. StoreError if that fails."""
    try:
        _note(path).unlink(missing_ok=True)
        sync_to_disk(path.parent)
    except OSError as error:
        raise StoreError(f"{_note(path)}: cannot be removed ({error.strerror})") from error


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.replacement")


def _link_or_move(path: Path, aside: Path) -> None:
    try:
        # A link, so that a database has its own name at every moment.
        os.link(path, aside)
    except OSError:
        # The file system has no links, for example FAT.
        path.replace(aside)
