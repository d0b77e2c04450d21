"""Starts a real PostgreSQL server for the tests, which ends with them."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import peewee

from edge.store.schema.models import MODELS, MigrationRow, table_name
from edge.store.schema.versions import SCHEMA_VERSION, create_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

# No data is kept after the tests, so nothing waits for the disk.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_connections": "40",
    "shared_buffers": "16MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Not the level that the program needs, which it has to ask for.
    "default_transaction_isolation": "serializable",
}


_END_OTHER_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
# Tables, columns and indexes, and the version of the tables: a test may change any of them.
_SHAPE = """
    SELECT c.relname, c.relkind::text, a.attname, a.atttypid::int FROM pg_class c JOIN pg_attribute a ON a.attrelid =
    c.oid WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 ORDER BY 1, 2, a.attnum"""


def binaries() -> Path | None:
    """The folder of ``initdb`` and ``postgres``, the newest where there are several; None where there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


def reason_for_none() -> str | None:
    """Why no server can be started here; None if one can."""
    if binaries() is None:
        return "PostgreSQL is not installed here: neither initdb on the path nor /usr/lib/postgresql/*/bin"
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed: the extra [postgresql]"
    return None


class PostgresServer:
    """A server on a Unix socket in a folder of its own. It refuses to run as root, so it then runs as another user."""

    def __init__(self) -> None:
        # Not pytest's folder: other users may not enter it, and the path of a socket must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="spg-"))
        self._numbers = count()
        self._free: list[str] = []
        self._shape: list[tuple[object, ...]] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            user = names.get("postgres") or names["nobody"]
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def start(self) -> None:
        """Make the cluster, start the server and wait until it answers."""
        folder = binaries()
        assert folder is not None
        data = self.folder / "data"
        initdb: list[Path | str] = [folder / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8"]
        initdb += ["--locale=C", "--no-sync"]
        made = subprocess.run(initdb, check=False, capture_output=True, text=True, cwd=self.folder, **self._user)
        assert made.returncode == 0, made.stderr
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [folder / "postgres", "-D", data, "-k", self.folder, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._user,
            )
        limit = time.monotonic() + 60
        while True:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with contextlib.suppress(peewee.OperationalError), contextlib.closing(self.connect("postgres")) as db:
                db.connect()
                return
            assert time.monotonic() < limit, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it at once, also with open connections, and remove its folder."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://tests@/{name}?host={quote(str(self.folder), safe='')}"

    def connect(self, name: str) -> peewee.PostgresqlDatabase:
        """A handle on a database of the server; it connects when it is used."""
        return peewee.PostgresqlDatabase(self.url(name), prefer_psycopg3=True)

    @contextlib.contextmanager
    def database(self, *, tables: bool = True) -> Iterator[peewee.PostgresqlDatabase]:
        """A handle on a database with our tables, or with none, and no rows. Databases are used again."""
        if not self._free:
            name = f"test{next(self._numbers)}"
            self.administer(f"CREATE DATABASE {name}")
            self._free.append(name)
        name = self._free.pop()
        db = self.connect(name)
        try:
            self._empty(db, tables=tables)
            yield db
        finally:
            db.close()
            self._free.append(name)

    def administer(self, statement: str) -> None:
        """Run a statement on the server as a whole."""
        with contextlib.closing(self.connect("postgres")) as db:
            db.execute_sql(statement)

    def _empty(self, db: peewee.PostgresqlDatabase, *, tables: bool) -> None:
        """Remove what an earlier test left; tables that no test has changed are emptied, which is quick."""
        db.execute_sql(_END_OTHER_CONNECTIONS)
        same = self._shape is not None and db.execute_sql(_SHAPE).fetchall() == self._shape
        if (
            tables
            and same
            and db.execute_sql("SELECT version FROM schema_migrations").fetchall() == [(SCHEMA_VERSION,)]
        ):
            names = ", ".join(table_name(model) for model in MODELS if model is not MigrationRow)
            db.execute_sql(f"TRUNCATE {names} RESTART IDENTITY")
            return
        db.execute_sql("DROP SCHEMA public CASCADE")
        db.execute_sql("CREATE SCHEMA public")
        if tables:
            create_tables(db)
            self._shape = db.execute_sql(_SHAPE).fetchall()
