"""Tests of the store as other programs use it: the README's example, and what goes wrong."""

from __future__ import annotations

import inspect
import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.core.errors import SmartParkError
from edge.store import Attribution, Cursor, Direction, Event, RefusedError, Store, StoreError, open_store
from edge.store.schema.connect import PAGE_BYTES
from edge.store.sql.query import execute_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

README = Path(__file__).parent.parent.parent / "README.md"
NOW = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
EVENT = Event(camera_id="entrance", floor="Ground Floor", track_id="7", direction=Direction.ENTRY, timestamp=NOW)


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """A new file with the seeded floors."""
    with open_store(path, busy_timeout=0.05) as store:
        store.seed()
        yield store


def test_the_readmes_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It creates the database in the working directory, and a second run finds what the first one stored."""
    section = README.read_text().partition("\n## From Python\n")[2].partition("\n## ")[0]
    [example] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for run in (1, 2):
        exec(compile(example, "README.md", "exec"), {})
        with open_store("parking.db", read_only=True) as store:
            assert (store.events.count(), store.outbox.count()) == (run, run)
            assert store.verify() == []
    assert "Ground Floor" in capsys.readouterr().out


def test_importing_the_room_imports_nothing_of_it() -> None:
    """A program that uses no name of the store does not pay for Peewee."""
    code = "import sys, edge.store; print('peewee' in sys.modules, 'edge.store.store' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_the_defaults_say_who_and_when(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an attribution the account that runs the program makes the change, now; behind sudo, the person."""
    monkeypatch.setenv("SUDO_USER", "anna")
    before = datetime.now(UTC)
    store.floors.correct("Ground Floor", 3)
    [entry] = store.audit.newest(1)
    assert (entry.actor, entry.action, entry.note) == ("anna", "correction", "")
    assert before <= entry.at <= datetime.now(UTC)
    recorded = store.events.record(EVENT)
    assert before <= recorded.event.created_at <= datetime.now(UTC)
    assert (recorded.event.gate_id, recorded.event.confidence, recorded.event.vehicle_type) == ("gate", 1.0, "car")
    day = store.statistics(until=NOW + timedelta(hours=1))
    assert (day.total, day.since) == (1, NOW - timedelta(hours=23))


def test_a_store_opens_what_is_there_and_creates_what_is_not(path: Path) -> None:
    """Folder, file and tables are created once; without ``create`` a missing file stays missing."""
    nested = path.parent / "new" / "folder" / "x.db"
    with pytest.raises(StoreError, match="there is no database"):
        open_store(nested, create=False)
    assert not nested.parent.exists()
    for _ in range(2):
        with open_store(str(nested)) as store:
            assert store.version == 3
            assert store.floors.all() == []
    with open_store(path, any_version=True) as store:
        assert store.version == 0
    with pytest.raises(RefusedError, match="has no tables yet; use `smartpark db create`"):
        open_store(path, create=False)


def test_a_store_of_an_older_version_is_left_alone(path: Path) -> None:
    """A program that opens it must not change the tables under a daemon that is older."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / "schema" / "v1.sql").read_text())
    with pytest.raises(StoreError, match="has schema version 1, this program needs 3"):
        open_store(path)
    with open_store(path, any_version=True) as store:
        assert store.version == 1
        assert [step.version for step in store.pending_migrations()] == [2, 3]


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.floors.by_name("Attic"),
        lambda store: store.floors.by_name(7),
        lambda store: store.floors.by_id(99),
        lambda store: store.floors.by_id(2**70),
        lambda store: store.floors.correct("Attic", 1),
        lambda store: store.floors.correct("Ground Floor", 51),
        lambda store: store.floors.correct("Ground Floor", "many"),
        lambda store: store.floors.create("Ground Floor", 5),
        lambda store: store.floors.create("a\nb", 5),
        lambda store: store.events.record(replace(EVENT, floor="Attic")),
        lambda store: store.events.record(replace(EVENT, confidence=7)),
        lambda store: store.events.record(replace(EVENT, direction=cast("Direction", "in"))),
        lambda store: store.events.record(replace(EVENT, timestamp=datetime(2026, 5, 4))),  # noqa: DTZ001
        lambda store: store.events.record(EVENT, datetime(2026, 5, 4)),  # noqa: DTZ001
        lambda store: store.events.newest(0),
        lambda store: store.events.newest("five"),
        lambda store: store.events.newest(2**70),
        lambda store: store.events.newest(since=datetime(2026, 5, 4)),  # noqa: DTZ001
        lambda store: store.events.by_id(99),
        lambda store: store.statistics(floor="Attic"),
        lambda store: store.statistics(NOW, NOW),
        lambda store: store.statistics(until=datetime.min.replace(tzinfo=UTC)),
        lambda store: store.statistics(until=datetime.max.replace(tzinfo=UTC)),
        lambda store: store.statistics("yesterday"),
        lambda store: store.occupancy_over_time("Attic", NOW, NOW + timedelta(days=1)),
        lambda store: store.clean_up(0),
        lambda store: store.clean_up("all"),
        lambda store: store.remove_floor("Attic"),
        lambda store: store.seed(Attribution("")),
        lambda store: store.seed(Attribution(note="\ud800")),
        lambda store: store.seed(Attribution(at=datetime(2026, 5, 4))),  # noqa: DTZ001
    ],
)
def test_what_is_not_possible_is_refused(store: Store, call: Callable[[Store], object]) -> None:
    """The error is a RefusedError with one sentence, and nothing is changed."""
    before = store.floors.all(deleted=True), store.events.count(), store.audit.newest(100)
    with pytest.raises(RefusedError) as caught:
        call(store)
    assert "\n" not in str(caught.value)
    assert (store.floors.all(deleted=True), store.events.count(), store.audit.newest(100)) == before


def test_a_file_that_cannot_be_used_is_a_store_error(tmp_path: Path) -> None:
    """The text names the path; a file of another program stays as it is."""
    (tmp_path / "letter.txt").write_bytes(b"no database " * 1000)
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    for name, reason in (
        ("letter.txt", "not a SQLite database"),
        ("theirs.db", "database of another program"),
        ("letter.txt/x.db", "cannot be created"),
        (".", "is a folder"),
        ("a\0b", "cannot be"),
        ("x" * 300, "cannot be"),
    ):
        with pytest.raises(StoreError, match=reason) as caught:
            open_store(tmp_path / name)
        assert str(tmp_path) in str(caught.value)
    assert (tmp_path / "letter.txt").read_bytes() == b"no database " * 1000
    with pytest.raises(StoreError, match="there is no database"):
        open_store(tmp_path / "missing.db", read_only=True)


def test_a_disk_that_cannot_be_written_is_a_store_error(small_disk: Any) -> None:
    """The text says so, for a new file and for one that exists."""
    path = small_disk.path / "x.db"
    open_store(path).close()
    small_disk.make_read_only()
    for name in ("x.db", "new.db", "new/x.db"):
        with pytest.raises(StoreError, match=r"(?i)read-only"):
            open_store(small_disk.path / name)


def test_a_locked_database_is_a_store_error(store: Store, path: Path) -> None:
    """After the busy time-out the call ends with the remedy; once the lock is gone it succeeds."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for call in (lambda: store.events.record(EVENT), lambda: store.floors.correct("Ground Floor", 3), store.seed):
            with pytest.raises(StoreError, match=r"smartpark\.db: database is locked; another program holds it"):
                call()
        assert store.events.count() == 0
        other.execute("ROLLBACK")
    assert store.events.record(EVENT).inserted


def test_a_damaged_file_is_a_store_error(store: Store, path: Path) -> None:
    """Reading and writing report the damage, ``verify`` describes it."""
    query = "SELECT rootpage FROM sqlite_master WHERE rootpage > 0 AND name <> 'schema_migrations'"
    pages = [int(page) for (page,) in execute_sql(store.db, query)]
    store.close()
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE_BYTES)
            file.write(b"\xff" * PAGE_BYTES)
    with open_store(path, read_only=True) as damaged:
        for call in (damaged.floors.all, damaged.events.newest, damaged.statistics, damaged.outbox.count):
            with pytest.raises(StoreError, match=r"smartpark\.db"):
                call()
        assert damaged.verify() != []


def test_a_closed_store_and_another_thread_are_refused(store: Store) -> None:
    """A store that writes belongs to the thread that opened it."""
    errors: list[BaseException] = []

    def use() -> None:
        try:
            store.floors.all()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    store.close()
    with pytest.raises(StoreError, match="not opened"):
        store.floors.all()
    assert [isinstance(error, StoreError) for error in errors] == [True]


def test_a_read_only_store_refuses_to_write(store: Store, path: Path) -> None:
    """SQLite itself refuses the write."""
    with open_store(path, read_only=True) as reader, pytest.raises(StoreError, match="readonly"):
        reader.events.record(EVENT)
    assert store.events.count() == 0


# What a caller may pass by mistake.
VALUES = st.sampled_from(
    [
        *(None, "", "Ground Floor", "x" * 300, "\ud800", "a\x00b", "'; DROP TABLE events; --", b"bytes"),
        *(0, 1, -1, 2**31, 2**63, 2**70, 0.5, float("nan"), True, object(), [], [1], {}),
        *(NOW, datetime(2026, 5, 4), datetime.max.replace(tzinfo=UTC), timedelta(0), timedelta.max),  # noqa: DTZ001
        *(
            EVENT,
            [EVENT],
            replace(EVENT, camera_id=cast("str", 7)),
            Attribution("anna", NOW),
            Cursor(NOW, 2**70),
            Direction.ENTRY,
        ),
    ]
)
PARTS = ("floors", "events", "outbox", "ledger", "audit", "")
METHODS = [
    (part, name)
    for part in PARTS
    for name, _ in inspect.getmembers(
        getattr(Store(peewee.SqliteDatabase(None)), part) if part else Store, inspect.isroutine
    )
    if not name.startswith("_") and name not in ("close", "transaction", "back_up", "salvage", "drop_tables", "write")
]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(METHODS), values=st.lists(VALUES, max_size=4), keyword=VALUES)
def test_no_error_of_the_driver_leaves_the_interface(
    store: Store, method: tuple[str, str], values: list[Any], keyword: Any
) -> None:
    """Whatever is passed to whatever method, neither Peewee's nor SQLite's errors reach the caller."""
    part, name = method
    call = getattr(getattr(store, part) if part else store, name)
    optional = [key for key, value in inspect.signature(call).parameters.items() if value.kind is value.KEYWORD_ONLY]
    raised: BaseException | None = None
    try:
        result = call(*values, **({optional[0]: keyword} if optional else {}))
        if inspect.isgenerator(result):
            list(result)
    except (SmartParkError, TypeError, AttributeError):
        pass  # a value of a wrong type may also raise one of Python's own errors
    except Exception as error:
        raised = error
    assert raised is None, f"{part}.{name}{tuple(values)}: {raised!r}"
