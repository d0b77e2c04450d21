"""A real PostgreSQL server that belongs to the tests, for as long as they run."""

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

if TYPE_CHECKING:
    from collections.abc import Iterator

# Nothing here outlives the tests, so nothing waits for the disk.
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
    # Not what the program asks for: it has to say what it needs.
    "default_transaction_isolation": "serializable",
}


def binaries() -> Path | None:
    """The folder of ``initdb`` and ``postgres``, the newest where there are several; None where there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


def why_not() -> str | None:
    """Why there can be no server here; None where there can."""
    if binaries() is None:
        return "PostgreSQL is not installed here: neither initdb on the path nor /usr/lib/postgresql/*/bin"
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed: the extra [postgresql]"
    return None


class PostgresServer:
    """A server on a Unix socket in a folder of its own. As root it runs as somebody else, as it insists on."""

    def __init__(self) -> None:
        # Not pytest's folder: others may not enter that one, and a socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="spg-"))
        self._numbers = count()
        self._version = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._who: dict[str, Any] = {}
        if os.geteuid() == 0:
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            user = names.get("postgres") or names["nobody"]
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def start(self) -> None:
        """Make the cluster, start the server and wait until it answers."""
        folder = binaries()
        assert folder is not None
        data = self.folder / "data"
        initdb: list[Path | str] = [folder / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8"]
        initdb += ["--locale=C", "--no-sync"]
        made = subprocess.run(initdb, check=False, capture_output=True, text=True, cwd=self.folder, **self._who)
        assert made.returncode == 0, made.stderr
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [folder / "postgres", "-D", data, "-k", self.folder, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._who,
            )
        limit = time.monotonic() + 60
        while True:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with contextlib.suppress(peewee.OperationalError), contextlib.closing(self.connect("postgres")) as db:
                db.connect()
                self._version = db.server_version
                return
            assert time.monotonic() < limit, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it at once, whoever is connected, and take away its folder."""
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
        """A handle on a database of the server, not connected; it connects by itself when it is used."""
        return peewee.PostgresqlDatabase(self.url(name), prefer_psycopg3=True)

    def create(self, template: str = "template1") -> str:
        """A new database, a copy of one that nobody is connected to; its name."""
        name = f"test{next(self._numbers)}"
        # Copying the files is the quicker way where nothing waits for the disk, and the only one before version 15.
        how = " STRATEGY FILE_COPY" if self._version >= 150_000 else ""
        self.administer(f"CREATE DATABASE {name} TEMPLATE {template}{how}")
        return name

    @contextlib.contextmanager
    def database(self, template: str = "template1") -> Iterator[peewee.PostgresqlDatabase]:
        """A handle on a new database, which goes at the end with all who are still connected to it."""
        name = self.create(template)
        db = self.connect(name)
        db.connect()
        try:
            yield db
        finally:
            db.close()
            self.administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def administer(self, statement: str) -> None:
        """Run a statement on the server as a whole."""
        with contextlib.closing(self.connect("postgres")) as db:
            db.execute_sql(statement)
