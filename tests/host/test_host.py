"""Talking to systemd, the instance lock and the log lines."""

from __future__ import annotations

import io
import logging
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge.core.errors import StoreError
from edge.host.instance_lock import InstanceLock
from edge.host.logs import LineFormatter, set_up_logging
from edge.host.systemd import SystemdNotifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that listens as systemd does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def test_states_reach_systemd(systemd: socket.socket) -> None:
    """READY, STATUS, WATCHDOG and STOPPING arrive as systemd wants them."""
    notifier = SystemdNotifier({"NOTIFY_SOCKET": systemd.getsockname()})
    notifier.ready("counting")
    notifier.status("fine")
    notifier.watchdog()
    notifier.stopping()
    heard = [systemd.recv(1000).decode() for _ in range(4)]
    assert heard == ["READY=1\nSTATUS=counting", "STATUS=fine", "WATCHDOG=1", "STOPPING=1\nSTATUS=stopping"]


def test_an_abstract_socket_is_understood() -> None:
    """An address with @ stands for Linux's abstract name space."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")
        listening.settimeout(5)
        name = listening.getsockname()[1:].decode()
        SystemdNotifier({"NOTIFY_SOCKET": f"@{name}"}).watchdog()
        assert listening.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nothing_happens_and_with_a_dead_one_it_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The counting never depends on systemd's ear."""
    SystemdNotifier({}).ready("counting")
    assert not caplog.records
    notifier = SystemdNotifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    notifier.watchdog()
    notifier.watchdog()
    assert len(caplog.records) == 1


def test_the_lock_lets_one_process_in_and_is_free_when_it_dies(tmp_path: Path) -> None:
    """A second process is refused while the first lives, and let in when it was killed."""
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
    mine = InstanceLock(database)
    assert mine.held_elsewhere()
    assert not mine.acquire()
    first.kill()
    first.wait(10)
    first.stdin.close()
    first.stdout.close()
    assert not mine.held_elsewhere()
    assert mine.acquire()
    mine.release()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The error names the path and where to set it."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/x\.db\.lock: cannot be made .*database\.path"):
        InstanceLock(tmp_path / "file" / "x.db").acquire()


def logged(formatter: logging.Formatter, *, fail: bool = False) -> str:
    """One record as text."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("edge.x")  # noqa: LOG001  # its own, so that no handler of the test run hears it
    logger.addHandler(handler)
    try:
        if fail:
            raise OSError("broken")
        logger.warning("said source=%r", "a\nb")
        logger.warning("said two\nlines")
    except OSError:
        logger.exception("failed camera=%s", "c")
    return stream.getvalue()


def test_a_record_is_one_line_with_time_and_level() -> None:
    """Line breaks in a message cannot forge a second record."""
    first, second = logged(LineFormatter(journal=False)).splitlines()
    assert first.endswith("Z WARNING edge.x said source='a\\nb'")
    assert first[:2] == "20"
    assert second.endswith("said two\\nlines")


def test_the_journal_gets_the_level_on_every_line() -> None:
    """A traceback's lines all carry the priority that systemd reads."""
    lines = logged(LineFormatter(journal=True), fail=True).splitlines()
    assert lines[0] == "<3>ERROR edge.x failed camera=c"
    assert lines[-1] == "<3>OSError: broken"
    assert all(line.startswith("<3>") for line in lines)


def test_only_the_products_own_lines_are_verbose() -> None:
    """Debug concerns the product; libraries speak up from warnings on."""
    root, product = logging.getLogger(), logging.getLogger("edge")
    before = root.handlers[:], root.level, product.level
    try:
        set_up_logging("debug", {})
        assert logging.getLogger("edge.tracking").isEnabledFor(logging.DEBUG)
        assert not logging.getLogger("paho").isEnabledFor(logging.INFO)
    finally:
        root.handlers[:], root.level = before[0], before[1]
        product.setLevel(before[2])
        logging.captureWarnings(False)
