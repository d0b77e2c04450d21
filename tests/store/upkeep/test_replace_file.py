"""Tests of replacing the database file: complete or not at all, wherever it is interrupted."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.core.errors import StoreError
from edge.store.upkeep import replace_file as replacing
from edge.store.upkeep.replace_file import (
    Replacement,
    begin_replacement,
    carry_out_replacement,
    finish_replacement,
    replacing_path,
    unfinished_replacement,
)

if TYPE_CHECKING:
    from datetime import datetime

# More than the number of file operations of a replacement.
MOST_STEPS = 40


class PowerCutError(Exception):
    """The power is cut."""


@pytest.fixture
def replacement(path: Path, now: datetime) -> Replacement:
    """A new database with the row ``new`` replaces one with the rows ``old`` and ``log``, the last one in the log."""
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.execute("CREATE TABLE t (x)")
        old.execute("INSERT INTO t VALUES ('old')")
        old.commit()
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        old.execute("INSERT INTO t VALUES ('log')")
        old.commit()
        # The files of a killed process: closing the last connection would copy the log into the database.
        kept = {part: part.read_bytes() for part in (path, path.with_name(f"{path.name}-wal"))}
    for part, content in kept.items():
        part.write_bytes(content)
    with closing(sqlite3.connect(replacing_path(path))) as new:
        new.execute("CREATE TABLE t (x)")
        new.execute("INSERT INTO t VALUES ('new')")
        new.commit()
    return Replacement(path.with_name("aside.db"), Path("backup.db"), now, "anna", "why", "torn")


def rows(path: Path) -> set[str]:
    """The rows of the database, its write-ahead log included."""
    with closing(sqlite3.connect(path)) as connection:
        return {row for (row,) in connection.execute("SELECT x FROM t")}


def test_the_new_file_replaces_the_old_one_which_is_kept(path: Path, replacement: Replacement) -> None:
    """Both have all of their rows; the note stays until the replacement is finished."""
    assert unfinished_replacement(path) is None
    begin_replacement(path, replacement)
    assert unfinished_replacement(path) == replacement
    carry_out_replacement(path, replacement)
    carry_out_replacement(path, replacement)
    assert (rows(path), rows(replacement.set_aside)) == ({"new"}, {"old", "log"})
    assert unfinished_replacement(path) == replacement
    finish_replacement(path)
    finish_replacement(path)
    assert unfinished_replacement(path) is None
    assert {entry.name.removesuffix("-shm").removesuffix("-wal") for entry in path.parent.iterdir()} == {
        "smartpark.db",
        "aside.db",
    }


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_an_interrupted_replacement_is_continued(
    path: Path, replacement: Replacement, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """After a power cut at any step the next start finds the old database, or completes the replacement."""
    before = {part: part.read_bytes() for part in path.parent.iterdir()}
    steps = {"left": 0}

    def breaking(function):
        def step(*arguments, **options):
            if steps["left"] == 0:
                raise PowerCutError
            steps["left"] -= 1
            return function(*arguments, **options)

        return step

    def no_link(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "replace", breaking(Path.replace))
    monkeypatch.setattr(replacing, "sync_to_disk", breaking(replacing.sync_to_disk))
    monkeypatch.setattr(os, "link", breaking(os.link if links else no_link))
    for broken_after in range(MOST_STEPS):
        for part in path.parent.iterdir():
            part.unlink()
        for part, content in before.items():
            part.write_bytes(content)
        steps["left"] = broken_after
        with suppress(PowerCutError):
            begin_replacement(path, replacement)
            carry_out_replacement(path, replacement)
            assert broken_after > 5
            return
        steps["left"] = -1
        begun = unfinished_replacement(path)
        if begun is None:
            assert rows(path) == {"old", "log"}
            continue
        carry_out_replacement(path, begun)
        assert (rows(path), rows(begun.set_aside)) == ({"new"}, {"old", "log"})
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("text", ["", "{}", "[]", json.dumps({"set_aside": 1, "source": None, "at": "x"})])
def test_a_note_that_is_not_ours_is_reported(path: Path, text: str) -> None:
    """The error has its path and the remedy."""
    path.with_name("smartpark.db.replacement").write_text(text)
    with pytest.raises(StoreError, match=r"smartpark\.db\.replacement: was not written by this program .*remove it"):
        unfinished_replacement(path)


def test_a_note_that_cannot_be_written_is_reported(path: Path, replacement: Replacement) -> None:
    """No file is moved then."""
    path.with_name("smartpark.db.replacement").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        begin_replacement(path, replacement)
    assert rows(path) == {"old", "log"}
