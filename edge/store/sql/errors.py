"""Translates what a database's driver raises into edge's own exceptions, and classifies them.

An error either may pass (a lock, a full or missing disk: the same work may succeed later), or it lasts (a damaged file,
a wrong statement). The text of each says what happened and, where it is known, what a person can do.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import peewee

from edge.core.errors import RefusedError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peewee import Database

# SQLite's primary result codes that may pass, and the remedy for each.
_PASSING = {
    sqlite3.SQLITE_PERM: "use the account that owns the file and its folder",
    sqlite3.SQLITE_BUSY: "another program holds it; close that one",
    sqlite3.SQLITE_LOCKED: "another program holds it; close that one",
    sqlite3.SQLITE_READONLY: "use the account that owns the file and its folder; the disk may be mounted read-only",
    sqlite3.SQLITE_INTERRUPT: "try again",
    sqlite3.SQLITE_IOERR: "check the disk and the kernel's log",
    sqlite3.SQLITE_FULL: "free some room on the disk",
    sqlite3.SQLITE_CANTOPEN: (
        "check that the folder exists, and use the account that owns it; the disk may be mounted read-only"
    ),
    sqlite3.SQLITE_PROTOCOL: "another program holds it; close that one",
}
_LASTING = {
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database; move it away, or set [database] path to another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged; the daemon's next start puts the newest backup in its place, as"
    " `smartpark db restore FILE` does with one that you choose",
}

# The remedy for an extended result code whose primary code says too little.
_EXTENDED = {sqlite3.SQLITE_IOERR_SHMSIZE: "there is no room for its -shm file: free some room on the disk"}

# Errors that an open connection may keep reporting although the disk works again: its files may be those of a file
# system that has failed or was replaced.
_OF_THE_CONNECTION = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}

# What a driver raises, and what Python raises for a value that no driver takes.
DRIVER_ERRORS = (peewee.PeeweeException, sqlite3.Error, OverflowError, UnicodeError)
# The class of an error that may pass, as Peewee raises it, and as SQLite's module does when it is used directly.
_OPERATIONAL = (peewee.OperationalError, sqlite3.OperationalError)


class AccessError(StoreError):
    """The driver reported an error, which is the cause; the text names the database and the remedy."""


class ConstraintError(AccessError):
    """A row would break a constraint of its table."""


@contextmanager
def translated_errors(name: object) -> Iterator[None]:
    """Raises an AccessError that names the database for every error of its driver in the block.

    ``name`` is what the message calls the database, or a handle on it. RefusedError for a value that no database holds.
    """
    try:
        yield
    except DRIVER_ERRORS as error:
        raise translated(name, error) from error


def translated(name: object, error: Exception) -> StoreError | RefusedError:
    """The exception of ours for an error of the driver, which becomes its cause."""
    if isinstance(error, (OverflowError, UnicodeError)):
        return RefusedError(f"a value cannot be stored in a database: {error}")
    kind = ConstraintError if isinstance(error, (peewee.IntegrityError, sqlite3.IntegrityError)) else AccessError
    shown = name_of(name) if isinstance(name, peewee.Database) else name
    return kind(f"{shown}: {description(error)}")


def result_codes(error: BaseException) -> list[int]:
    """SQLite's primary result codes of the error and of all that led to it, the outermost first.

    The whole chain, because SQLite ends a transaction by itself when the disk is full or fails, and the roll-back
    that Peewee then tries raises an error of its own that hides the first.
    """
    codes = (getattr(step, "sqlite_errorcode", None) for step in _chain(error))
    return [code & 0xFF for code in codes if code is not None]


def is_passing(error: BaseException) -> bool:
    """Whether the same work may succeed later: a lock, a full, failing or read-only disk.

    A missing table or a wrong statement is an ``OperationalError`` of SQLite too, but waiting does not cure it. With
    PostgreSQL the class is enough: a connection that was lost or refused, a deadlock, a lock or a statement that took
    too long, a full disk. A lost connection has to be closed and opened again by the handle's owner.
    """
    driver_error = error.__cause__ if isinstance(error, AccessError) else error
    if not isinstance(driver_error, _OPERATIONAL):
        return False
    codes = result_codes(error)
    return not codes or any(code in _PASSING for code in codes)


def needs_new_connection(error: BaseException) -> bool:
    """Whether an error that may pass could be the connection's own, so that a new connection may be needed.

    False for a lock or a full disk; True for a server's connection that was lost, which has no code of SQLite's.
    """
    codes = result_codes(error)
    return not codes or any(code in _OF_THE_CONNECTION for code in codes)


def is_damage(error: BaseException) -> bool:
    """Whether the file is damaged or not a database, so that the same work never succeeds."""
    return any(code in _LASTING for code in result_codes(error))


def description(error: BaseException) -> str:
    """What happened and the remedy, as far as it is known, without the name of the database."""
    remedy = ""
    root = error
    for step in _chain(error):
        code = getattr(step, "sqlite_errorcode", None)
        if code is not None:
            root = step
            remedy = _EXTENDED.get(code) or _PASSING.get(code & 0xFF) or _LASTING.get(code & 0xFF) or remedy
        elif isinstance(root, AccessError) and isinstance(step, DRIVER_ERRORS):
            root = step
    text = re.sub(r"\s*\n\s*", " ", str(root).strip())  # PostgreSQL's texts go over several lines
    return f"{text}; {remedy}" if remedy else text


def name_of(db: Database) -> str:
    """What messages call the database: its file, or its server's address without the password."""
    name = str(db.database)
    if name.startswith("file:"):  # a handle that only reads
        return unquote(urlsplit(name).path)
    return re.sub(r"(?<=://)[^@/]*@|(?<=password=)[^&\s]*", "", name)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it."""
    seen: set[int] = set()
    step: BaseException | None = error
    while step is not None and id(step) not in seen:
        seen.add(id(step))
        yield step
        step = step.__cause__ or step.__context__
