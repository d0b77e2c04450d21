"""Tests of ``smartpark db backup|backups|restore``."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.host.instance_lock import InstanceLock
from edge.store.counts.events import Events
from edge.store.schema.connect import open_database
from edge.store.upkeep.backup import TIME_FORMAT
from edge.store.upkeep.replace_file import Replacement, begin_replacement, replacing_path

FIRST_RELEASE = Path(__file__).parent.parent / "store" / "schema" / "v1.sql"


def backup(shell: Any, *arguments: str) -> Path:
    """Make a backup and return its path."""
    return Path(shell.json("db", "backup", *arguments)["file"])


def test_a_backup_is_written_beside_the_database_or_into_a_named_folder(seeded: Any, tmp_path: Path) -> None:
    """Its name has the time, its content is that of the database, and the list shows it."""
    before = datetime.now(UTC)
    made = seeded.json("db", "backup")
    path = Path(made["file"])
    assert path.parent == tmp_path / "backups"
    made_at = datetime.strptime(path.name, f"smartpark-{TIME_FORMAT}.db").replace(tzinfo=UTC)
    assert before.replace(microsecond=0) <= made_at <= datetime.now(UTC)
    assert (made["bytes"], made["disagreements"], made["removed"]) == (path.stat().st_size, [], [])
    with closing(open_database(path, busy_timeout=1.0, read_only=True)) as copy:
        assert Events(copy).count() == 15
    done = seeded("db", "backup", str(tmp_path / "usb stick"))
    assert "verified" in done.stdout
    assert [entry.suffix for entry in (tmp_path / "usb stick").iterdir()] == [".db"]
    assert [Path(entry["file"]) for entry in seeded.json("db", "backups")] == [path]
    assert str(path) in seeded("db", "backups").stdout


def test_the_oldest_backups_are_removed_after_a_new_backup(seeded: Any, tmp_path: Path) -> None:
    """As many stay as the configuration or the options say, and the new one always."""
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 20):
        (folder / f"smartpark-202601{day:02}T030000Z.db").write_bytes(b"")
    made = seeded.json("db", "backup", "--keep-days", "36500")
    assert len(made["removed"]) == 6
    assert len(seeded.json("db", "backups")) == 14  # [backup] keep_files
    newest = folder / "smartpark-20260119T030000Z.db"
    assert newest.exists()
    shutil.rmtree(folder)
    first = backup(seeded)
    assert seeded.json("db", "backups") == [
        {"file": str(first), "made_at": seeded.json("db", "backups")[0]["made_at"], "bytes": first.stat().st_size}
    ]


def test_restoring_a_backup_keeps_the_earlier_database(seeded: Any, tmp_path: Path) -> None:
    """The floors are as in the backup, the audit log has the user, and the earlier database can be restored too."""
    made = backup(seeded)
    seeded("floors", "correct", "Ground Floor", "17", "--note", "walked it")
    done = seeded.json("db", "restore", str(made), "--note", "tried it out")
    assert seeded.floors()["Ground Floor"]["current_vehicles"] == 1
    assert (done["from_version"], done["version"]) == (3, 3)
    assert done["first_event"] < done["last_event"]
    [line] = [line for line in seeded.json("db", "audit") if line["action"] == "restore"]
    assert (line["actor"], line["note"], line["before"]) == ("anna", "tried it out", {"kept_as": done["kept_as"]})
    assert line["after"] == {"from": str(made)}
    seeded("db", "verify")

    again = seeded("db", "restore", done["kept_as"])
    assert "Count the floors" in again.stdout
    assert seeded.floors()["Ground Floor"]["current_vehicles"] == 17
    kept = [entry for entry in tmp_path.glob("*.replaced-*") if not entry.name.endswith(("-wal", "-shm"))]
    assert len(kept) == 2  # also when both are of the same second
    assert not list(tmp_path.glob("*.restoring*")) + list(tmp_path.glob("*.replacement*"))


def test_a_restored_backup_of_an_older_release_is_upgraded(seeded: Any, tmp_path: Path) -> None:
    """Its tables are upgraded by the same command."""
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(FIRST_RELEASE.read_text())
    done = seeded.json("db", "restore", str(old))
    assert (done["from_version"], done["version"]) == (1, 3)
    seeded("db", "verify")


def test_a_backup_is_restored_where_there_is_no_sound_database(seeded: Any) -> None:
    """It becomes the database of a new machine, or replaces a file that SQLite cannot read any more."""
    made = backup(seeded)
    for part in seeded.path.parent.glob("smartpark.db*"):
        part.unlink()
    assert seeded.json("db", "restore", str(made))["kept_as"] is None
    assert len(seeded.floors()) == 4
    seeded.path.write_bytes(b"noise" * 3000)
    for part in seeded.path.parent.glob("smartpark.db-*"):
        part.unlink()
    kept = Path(seeded.json("db", "restore", str(made))["kept_as"])
    assert kept.read_bytes() == b"noise" * 3000
    assert len(seeded.floors()) == 4


def test_a_file_that_is_no_backup_is_refused(seeded: Any, tmp_path: Path) -> None:
    """A missing, foreign, damaged or newer file, and the database itself, give an error line and change nothing."""
    made = backup(seeded)
    before = seeded.content()
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(made.read_bytes()[: made.stat().st_size // 2])
    newer = tmp_path / "newer.db"
    shutil.copy(made, newer)
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    empty = tmp_path / "empty.db"
    empty.touch()
    for file, message in (
        (tmp_path / "nope.db", "there is no such file"),
        (damaged, "malformed"),
        (newer, "has schema version 99"),
        (foreign, "another program"),
        (empty, "has no tables"),
        (tmp_path / "smartpark.toml", "not a database"),
        (seeded.path, "is the database itself"),
    ):
        done = seeded("db", "restore", str(file), code=1)
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
    assert seeded.content() == before
    assert seeded("db", "restore", str(tmp_path), code=2).stderr


def test_nothing_is_restored_under_a_daemon(seeded: Any) -> None:
    """The command is refused while a daemon runs, and says what to do."""
    made = backup(seeded)
    lock = InstanceLock(seeded.path)
    assert lock.acquire()
    try:
        assert "stop the daemon first" in seeded("db", "restore", str(made), code=1).stderr
    finally:
        lock.release()


def test_a_restore_that_was_interrupted_is_finished_by_the_next(seeded: Any) -> None:
    """The next restore leaves no file of the interrupted one behind."""
    made = backup(seeded)
    path = seeded.path
    shutil.copy(made, replacing_path(path))
    aside = path.with_name("smartpark.db.replaced-earlier")
    begin_replacement(path, Replacement(aside, made, datetime.now(UTC), "bert", "interrupted"))
    seeded("db", "restore", str(made))
    assert aside.exists()
    assert not path.with_name("smartpark.db.replacement").exists()
    seeded("db", "verify")


@pytest.mark.parametrize(
    "arguments", [("--keep-days", "0"), ("--keep-days", "-1"), ("--keep-files", "0"), ("--keep-files", "many")]
)
def test_an_option_to_keep_no_backup_is_wrong_usage(seeded: Any, arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Such an option has exit code 2, and no backup is made."""
    assert seeded("db", "backup", *arguments, code=2).stderr
    assert not (tmp_path / "backups").exists()
