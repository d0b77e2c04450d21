"""Putting another file in the database's place, so that a power cut at any moment leaves the one or the other.

The new file is complete as ``<database>.restoring`` before anything is moved. Then a note, ``<database>.replacement``,
says what is under way: whoever starts next with the note there finishes the work first. The old database and its
write-ahead log get their new name, the new file gets the database's, and once the new database itself tells of the
replacement in its audit log, the note goes.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from edge.core.errors import StoreError
from edge.core.file_owner import give_to_folder
from edge.store.sql.online_copy import on_disk

_WITH_IT = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is put in the place of what, and why. ``source`` is None for an empty database.

    ``damage`` says what was wrong with the database that was there; empty when a person wanted another one.
    """

    set_aside: Path
    source: Path | None
    at: datetime
    actor: str
    note: str = ""
    damage: str = ""


def new_file(path: Path) -> Path:
    """Where the database that is to replace ``path`` is made."""
    return path.with_name(f"{path.name}.restoring")


def name_aside(path: Path, why: str, now: datetime) -> Path:
    """A name beside ``path`` that nothing has yet: ``<database>.<why>-<time>``."""
    first = path.with_name(f"{path.name}.{why}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    return next(
        name
        for number in count(1)
        if not (name := first if number == 1 else first.with_name(f"{first.name}-{number}")).exists()
    )


def begin(path: Path, replacement: Replacement) -> None:
    """From now on ``new_file(path)`` is to replace ``path``, whatever happens. StoreError if that cannot be noted."""
    note = _note(path)
    unfinished = note.with_name(f"{note.name}.unfinished")
    fields = {**asdict(replacement), "at": replacement.at.isoformat()}
    try:
        unfinished.write_text(json.dumps(fields, default=str))
        give_to_folder(unfinished)
        on_disk(unfinished)
        unfinished.replace(note)
        on_disk(note.parent)
    except OSError as error:
        raise StoreError(f"{note}: cannot be written ({error.strerror}); check the room on the disk") from error


def under_way(path: Path) -> Replacement | None:
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
        raise StoreError(f"{note}: is not what the program wrote ({error}); remove it") from error


def carry_out(path: Path, replacement: Replacement) -> None:
    """Move the files; after that ``path`` is the new database. Safe to repeat. StoreError when that fails.

    Nobody else may have the database open.
    """
    new = new_file(path)
    if not new.exists():  # it has its name already
        return
    aside = replacement.set_aside
    try:
        # The log first: with it the new database would be taken for the old one.
        for suffix in _WITH_IT:
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.replace(aside.with_name(aside.name + suffix))
        if path.exists() and not aside.exists():
            _second_name(path, aside)
        on_disk(path.parent)
        new.replace(path)
        on_disk(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: cannot be replaced by {new} ({error.strerror}); start again") from error


def finish(path: Path) -> None:
    """The new database tells of itself: the note goes. StoreError when it cannot be removed."""
    try:
        _note(path).unlink(missing_ok=True)
        on_disk(path.parent)
    except OSError as error:
        raise StoreError(f"{_note(path)}: cannot be removed ({error.strerror})") from error


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.replacement")


def _second_name(path: Path, aside: Path) -> None:
    try:
        # So that there is a database under its own name at every moment.
        os.link(path, aside)
    except OSError:
        # A file system without links, as on a card that other machines read too.
        path.replace(aside)
