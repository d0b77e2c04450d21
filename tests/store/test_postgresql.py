"""Tests of what differs on a PostgreSQL server: other writers, lost connections, other tables."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from peewee import PostgresqlDatabase

from edge.core.errors import StoreError
from edge.core.events import Direction
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.schema.migrations import Migrated, migrate, pending_migrations
from edge.store.schema.models import AdjustmentReason
from edge.store.schema.versions import (
    SCHEMA_VERSION,
    create_tables,
    drop_tables,
    has_tables,
    require_current_version,
    schema_version,
)
from edge.store.sql.errors import AccessError, description, is_passing, name_of
from edge.store.sql.query import execute_sql, read_transaction, write_transaction
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from support.postgres_server import PostgresServer

    from edge.core.events import Event
    from edge.store.counts.audit import Attribution
    from edge.store.counts.stored_event import Recorded

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[PostgresqlDatabase]:
    """A handle on a database without any table."""
    with postgres.database(tables=False) as db:
        yield db


@pytest.fixture
def other(postgres_db: PostgresqlDatabase, beside: Callable[..., PostgresqlDatabase]) -> PostgresqlDatabase:
    """Another program on the same database, which does not take this program's lock."""
    return beside(postgres_db)


def test_a_count_is_not_written_over_what_another_program_commits(
    postgres_db: PostgresqlDatabase,
    other: PostgresqlDatabase,
    beside: Callable[..., PostgresqlDatabase],
    make_event: Callable[..., Event],
    now: datetime,
    eventually: Callable[..., object],
) -> None:
    """While another program has locked a floor's row, recording waits, and then counts from the committed row."""
    recorded: list[Recorded] = []

    def record() -> None:
        with closing(beside(postgres_db)) as handle:
            recorded.extend(Events(handle).record_all([make_event(1, floor="Roof"), make_event(2, floor="Roof")], now))

    other.begin()
    execute_sql(other, "UPDATE floors SET total_slots = 0 WHERE name = 'Roof'")
    thread = threading.Thread(target=record)
    thread.start()
    try:
        eventually(lambda: execute_sql(postgres_db, WAITING) == [(1,)], what="the recorder waits for the row")
    finally:
        other.commit()
        thread.join()
    assert [item.clamp for item in recorded] == [AdjustmentReason.OVERFLOW] * 2
    assert recorded[1].occupancy.total_slots == recorded[1].occupancy.current_vehicles == 0
    assert verify(postgres_db) == []


def test_a_correction_waits_too(
    postgres_db: PostgresqlDatabase,
    other: PostgresqlDatabase,
    by: Attribution,
    now: datetime,
    make_event: Callable[..., Event],
) -> None:
    """A locked floor is not changed; a wait that takes too long is an error that passes."""
    execute_sql(postgres_db, "SET lock_timeout = '20ms'")
    for change in (
        lambda: Floors(postgres_db).correct("Ground", 3, by),
        lambda: Floors(postgres_db).update("Ground", by, total_slots=3),
        lambda: Events(postgres_db).record(make_event(1), now),
    ):
        with other.atomic():
            execute_sql(other, "SELECT id FROM floors WHERE name = 'Ground' FOR UPDATE")
            with pytest.raises(AccessError) as caught:
                change()
        assert is_passing(caught.value)
        assert "lock timeout" in description(caught.value)
        assert "\n" not in description(caught.value)
    assert Events(postgres_db).record(make_event(1), now).occupancy.current_vehicles == 11
    assert verify(postgres_db) == []


def test_writers_take_turns(
    postgres_db: PostgresqlDatabase, other: PostgresqlDatabase, make_event: Callable[..., Event], now: datetime
) -> None:
    """Also on different floors; a reader does not wait for them."""
    execute_sql(other, "SET lock_timeout = '20ms'")
    with write_transaction(postgres_db):
        Events(postgres_db).record(make_event(1), now)
        with pytest.raises(AccessError) as caught:
            Events(other).record(make_event(1, floor="Roof", camera_id="up"), now)
        assert is_passing(caught.value)
        assert Events(other).count() == 0
        assert verify(other) == []
    assert Events(other).record(make_event(1, floor="Roof", camera_id="up"), now).inserted


def test_a_lost_connection_passes_and_stores_nothing(
    postgres_db: PostgresqlDatabase,
    other: PostgresqlDatabase,
    make_event: Callable[..., Event],
    now: datetime,
    eventually: Callable[..., object],
) -> None:
    """After the connection is opened again, the same events are recorded once."""
    pair = [make_event(1, direction=Direction.EXIT), make_event(1, floor="Roof")]
    [(process,)] = execute_sql(postgres_db, "SELECT pg_backend_pid()")
    query = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {process}"

    def interrupted() -> None:
        with write_transaction(postgres_db):
            Events(postgres_db).record_all(pair, now)
            execute_sql(other, f"SELECT pg_terminate_backend({process})")
            eventually(lambda: execute_sql(other, query) == [(0,)], what="the connection is ended")
            Events(postgres_db).count()

    with pytest.raises(AccessError) as caught:
        interrupted()
    assert is_passing(caught.value)
    assert Events(other).count() == 0
    with pytest.raises(AccessError) as again:
        Events(postgres_db).record_all(pair, now)
    assert is_passing(again.value)
    postgres_db.close()
    postgres_db.connect()
    assert [item.inserted for item in Events(postgres_db).record_all(pair, now)] == [True, True]
    assert verify(postgres_db) == []


def test_a_serialisation_failure_passes(
    postgres_db: PostgresqlDatabase, other: PostgresqlDatabase, by: Attribution
) -> None:
    """The transaction may succeed at the next attempt; a wrong statement never does."""

    def too_late() -> None:
        with read_transaction(postgres_db):
            Floors(postgres_db).all()
            Floors(other).correct("Ground", 3, by)
            execute_sql(postgres_db, "UPDATE floors SET description = '' WHERE name = 'Ground'")

    with pytest.raises(AccessError) as caught:
        too_late()
    assert is_passing(caught.value)
    for statement in ("SELECT * FROM nowhere", "SELEKT", "SELECT 1 / 0"):
        with pytest.raises(AccessError) as lasting:
            execute_sql(postgres_db, statement)
        assert not is_passing(lasting.value)


def test_a_refused_connection_passes(postgres: PostgresServer) -> None:
    """The server may be there at the next attempt."""
    gone = PostgresqlDatabase("postgresql://tests@/x?host=%2Fnowhere", prefer_psycopg3=True)
    with pytest.raises(AccessError) as caught:
        Floors(gone).all()
    assert is_passing(caught.value)


def test_no_message_shows_a_password() -> None:
    """The address of a handle is shown without it."""
    for address, shown in (
        ("postgresql://anna:secret@host:5432/parking", "postgresql://host:5432/parking"),
        ("postgresql://anna@/parking?host=%2Frun", "postgresql:///parking?host=%2Frun"),
        (
            "postgresql://host/parking?user=anna&password=secret&port=1",
            "postgresql://host/parking?user=anna&password=&port=1",
        ),
        ("parking", "parking"),
    ):
        assert name_of(PostgresqlDatabase(address, prefer_psycopg3=True)) == shown


def test_tables_are_created_once_by_many(empty: PostgresqlDatabase, beside: Callable[..., PostgresqlDatabase]) -> None:
    """Of four connections that find an empty database one creates all tables."""
    together = threading.Barrier(4, timeout=30)
    answers: list[object] = []

    def create() -> None:
        try:
            with closing(beside(empty)) as handle:
                handle.connect()
                together.wait()
                answers.append(create_tables(handle))
        except BaseException as error:
            answers.append(error)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=repr) == [False, False, False, True]
    assert schema_version(empty) == SCHEMA_VERSION
    assert verify(empty) == []


def test_tables_of_another_program_stay(empty: PostgresqlDatabase) -> None:
    """Our tables are created and dropped beside them."""
    execute_sql(empty, "CREATE TABLE notes (text text)")
    assert not has_tables(empty)
    assert create_tables(empty)
    require_current_version(empty)
    drop_tables(empty)
    assert empty.get_tables() == ["notes"]
    assert not has_tables(empty)
    assert create_tables(empty)


def test_a_database_that_lacks_a_table_or_is_newer_is_refused(empty: PostgresqlDatabase) -> None:
    """The error has the remedy, and nothing is changed."""
    create_tables(empty)
    execute_sql(empty, "UPDATE schema_migrations SET version = 99")
    with pytest.raises(StoreError, match=r"^postgresql:///test.* has schema version 99, .* install the newer program"):
        create_tables(empty)
    execute_sql(empty, f"UPDATE schema_migrations SET version = {SCHEMA_VERSION}")
    execute_sql(empty, "DROP TABLE outbox")
    with pytest.raises(StoreError, match="lacks the table outbox; it is damaged"):
        create_tables(empty)
    assert "outbox" not in empty.get_tables()


def test_there_is_nothing_to_migrate(empty: PostgresqlDatabase) -> None:
    """The first tables on a server have the present version; older ones are refused."""
    create_tables(empty)
    assert pending_migrations(empty) == ()
    assert migrate(empty) == Migrated()
    execute_sql(empty, "UPDATE schema_migrations SET version = 1")
    with pytest.raises(StoreError, match="only SQLite databases are older"):
        migrate(empty)
