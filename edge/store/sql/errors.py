"""What a database's error means: trouble of the world that may pass, or a fault; and what a person can do."""

from __future__ import annotations

import re
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import peewee

from edge.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peewee import Database

# SQLite's primary result codes that another moment may cure, and the remedy for each.
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

# What a code that says little means in one of its forms.
_PRECISE = {sqlite3.SQLITE_IOERR_SHMSIZE: "there is no room for its -shm file: free some room on the disk"}

# Trouble of which a connection may never get over, although the disk did: its files may be those of a file system
# that has failed, or was replaced meanwhile.
_OF_THE_CONNECTION = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}

# What may pass, as Peewee says it, and as its driver does when it is used directly.
OPERATIONAL = (peewee.OperationalError, sqlite3.OperationalError)


def codes(error: BaseException) -> list[int]:
    """SQLite's primary result codes of the error and of all that led to it, the outermost first.

    The whole chain, because SQLite ends a transaction by itself when the disk is full or fails, and the roll-back
    that Peewee then tries raises an error of its own that hides the first.
    """
    found = []
    seen: set[int] = set()
    step: BaseException | None = error
    while step is not None and id(step) not in seen:
        seen.add(id(step))
        code = getattr(step, "sqlite_errorcode", None)
        if code is not None:
            found.append(code & 0xFF)
        step = step.__cause__ or step.__context__
    return found


def is_passing(error: BaseException) -> bool:
    """Whether the same work may succeed later: a lock, a full, failing or read-only disk.

    A missing table or a wrong statement is an ``OperationalError`` of SQLite too, but waiting does not cure it. With
    PostgreSQL the class is enough: a connection that was lost or refused, a deadlock, a lock or a statement that took
    too long, a full disk. A lost connection has to be closed and opened again by the handle's owner.
    """
    if not isinstance(error, OPERATIONAL):
        return False
    known = codes(error)
    return not known or any(code in _PASSING for code in known)


def wants_new_handle(error: BaseException) -> bool:
    """Whether trouble that may pass could be the connection's own, so that a new one may be needed to see it pass.

    Not for a lock or a full disk; but for a server's connection that broke off, which has no code of SQLite's.
    """
    known = codes(error)
    return not known or any(code in _OF_THE_CONNECTION for code in known)


def is_damage(error: BaseException) -> bool:
    """Whether the file is damaged or no database, so that waiting cures nothing."""
    return any(code in _LASTING for code in codes(error))


def sentence(error: BaseException) -> str:
    """What happened and the remedy, as far as it is known, without the name of the file."""
    step: BaseException | None = error
    remedy = ""
    root = error
    while step is not None:
        code = getattr(step, "sqlite_errorcode", None)
        if code is not None:
            root = step
            remedy = _PRECISE.get(code) or _PASSING.get(code & 0xFF) or _LASTING.get(code & 0xFF) or remedy
        step = step.__cause__ or step.__context__
    text = one_line(root)
    return f"{text}; {remedy}" if remedy else text


def one_line(error: BaseException) -> str:
    """The error's own words; PostgreSQL's go over several lines."""
    return re.sub(r"\s*\n\s*", " ", str(error).strip())


def name_of(db: Database) -> str:
    """What messages call the database: its file, or its address without the password."""
    return re.sub(r"(?<=://)[^@/]*@|(?<=password=)[^&\s]*", "", str(db.database))


@contextmanager
def told(name: object) -> Iterator[None]:
    """Turns every error of the database in the block into a StoreError that names it and the remedy."""
    try:
        yield
    except (peewee.PeeweeException, sqlite3.Error) as error:
        raise StoreError(f"{name}: {sentence(error)}") from error
