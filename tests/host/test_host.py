"""Tests of the notifications to systemd, the instance lock, and the log lines."""

from __future__ import annotations

import io
import logging
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.command_line import logging_restored

from edge.core.errors import StoreError
from edge.host.instance_lock import InstanceLock
from edge.host.logs import LineFormatter, set_up_logging
from edge.host.systemd import SystemdNotifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket on which the test receives what systemd would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def test_states_reach_systemd(systemd: socket.socket) -> None:
    """READY, STATUS, WATCHDOG and STOPPING arrive in the form of sd_notify(3)."""
    notifier = SystemdNotifier({"NOTIFY_SOCKET": systemd.getsockname()})
    notifier.ready("counting")
    notifier.status("fine")
    notifier.watchdog()
    notifier.stopping()
    received = [systemd.recv(1000).decode() for _ in range(4)]
    assert received == ["READY=1\nSTATUS=counting", "STATUS=fine", "WATCHDOG=1", "STOPPING=1\nSTATUS=stopping"]


def test_an_abstract_socket_can_be_notified() -> None:
    """An address that begins with @ is in Linux's abstract name space."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")
        listening.settimeout(5)
        name = listening.getsockname()[1:].decode()
        SystemdNotifier({"NOTIFY_SOCKET": f"@{name}"}).watchdog()
        assert listening.recv(100) == b"WATCHDOG=1"


def test_a_notification_that_fails_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No notification raises; without a socket nothing is logged, and with a dead one a warning."""
    SystemdNotifier({}).ready("counting")
    assert not caplog.records
    notifier = SystemdNotifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    notifier.watchdog()
    notifier.watchdog()
    assert len(caplog.records) == 1


def test_only_one_process_holds_the_lock_and_its_death_releases_it(tmp_path: Path) -> None:
    """A second process cannot take the lock while the first lives, and can after it was killed."""
    database = tmp_path / "deep" / "x.db"
    code = (
        "import sys, pathlib; from edge.host.instance_lock import InstanceLock\n"
        "lock = InstanceLock(pathlib.Path(sys.argv[1])); print(lock.acquire(), flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdin is not None
    assert first.stdout.readline() == "True\n"
    ours = InstanceLock(database)
    assert ours.held_elsewhere()
    assert not ours.acquire()
    first.kill()
    first.wait(10)
    first.stdin.close()
    first.stdout.close()
    assert not ours.held_elsewhere()
    assert ours.acquire()
    ours.release()


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """The error names the path and the key that sets it."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/x\.db\.lock: cannot be made .*\[database\] path"):
        InstanceLock(tmp_path / "file" / "x.db").acquire()


def logged(formatter: logging.Formatter, *, fail: bool = False) -> str:
    """What the formatter makes of two warnings, or of an exception."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("edge.x")  # noqa: LOG001  # outside the tree, so that no handler of the test run gets its records
    logger.addHandler(handler)
    try:
        if fail:
            raise OSError("broken")
        logger.warning("text source=%r", "a\nb")
        logger.warning("text of two\nlines")
    except OSError:
        logger.exception("failed camera=%s", "c")
    return stream.getvalue()


def test_a_record_is_one_line_with_time_and_level() -> None:
    """A line break in a message cannot look like a second record."""
    first, second = logged(LineFormatter(journal=False)).splitlines()
    assert first.endswith("Z WARNING edge.x text source='a\\nb'")
    assert first[:2] == "20"
    assert second.endswith("text of two\\nlines")


def test_the_journal_gets_the_level_on_every_line() -> None:
    """Each line of a traceback begins with the priority that systemd reads."""
    lines = logged(LineFormatter(journal=True), fail=True).splitlines()
    assert lines[0] == "<3>ERROR edge.x failed camera=c"
    assert lines[-1] == "<3>OSError: broken"
    assert all(line.startswith("<3>") for line in lines)


def test_the_level_applies_to_the_product_alone() -> None:
    """The loggers of libraries stay at the level of warnings."""
    with logging_restored():
        set_up_logging("debug", {})
        assert logging.getLogger("edge.tracking").isEnabledFor(logging.DEBUG)
        assert not logging.getLogger("paho").isEnabledFor(logging.INFO)
