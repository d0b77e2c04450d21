"""Tests of the daemon's Unix socket, with real sockets and real processes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.errors import DaemonError, RefusedError
from edge.host import control_server
from edge.host.control_client import ask_daemon
from edge.host.control_server import MOST_CLIENTS, ControlServer
from edge.host.control_socket import ControlAnswer, control_socket_path, socket_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PICTURE = bytes(range(256)) * 20_000  # 5 MB: more than a socket's buffer holds
# Far longer than anything here takes, on any machine.
LONG = 60.0


def echo(arguments: Mapping[str, Any]) -> ControlAnswer:
    """Answers with the arguments."""
    return ControlAnswer({"arguments": dict(arguments)})


def refuse(arguments: Mapping[str, Any]) -> ControlAnswer:
    """Refuses."""
    raise RefusedError(f"camera {arguments['camera']} is not configured; name another")


def fail(arguments: Mapping[str, Any]) -> ControlAnswer:
    """Has a fault."""
    raise OSError("secret-of-the-daemon")


HANDLERS: dict[str, Callable[[Mapping[str, Any]], ControlAnswer]] = {
    "echo": echo,
    "picture": lambda arguments: ControlAnswer({"format": "png"}, PICTURE),
    "refuse": refuse,
    "fail": fail,
    "not json": lambda arguments: ControlAnswer({"value": float("nan")}),
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The path of a database."""
    path = tmp_path / "x.db"
    path.touch()
    return path


@pytest.fixture
def server(database: Path) -> Iterator[ControlServer]:
    """A server that runs."""
    server = ControlServer(database, HANDLERS)
    server.start()
    yield server
    server.close()


def connected(database: Path) -> socket.socket:
    """A connection to the server that has sent nothing."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(LONG)
    with socket_address(control_socket_path(database)) as address:
        connection.connect(address)
    return connection


def received(connection: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


@pytest.mark.usefixtures("server")
def test_a_request_is_answered_with_fields_and_a_body(database: Path) -> None:
    """Arguments of all JSON types come back as they were, also text that is not UTF-8, and a body of 5 MB does too."""
    arguments = {"text": "Parkhaus \udcff ü\n", "list": [1, 2.5, None, True], "object": {"a": {}}}
    assert ask_daemon(database, "echo", arguments, timeout=LONG).fields == {"arguments": arguments}
    assert ask_daemon(database, "picture", timeout=LONG) == ControlAnswer({"format": "png"}, PICTURE)


@pytest.mark.usefixtures("server")
def test_only_owner_and_group_may_connect(database: Path) -> None:
    """The file of the socket has the mode 0660, whatever the umask."""
    mode = control_socket_path(database).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_may_not_connect() -> None:
    """A user who is neither the owner nor in the group is refused, with what to do; a member of the group is not."""
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom edge.host.control_client import ask_daemon\n"
        "os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(65534)\n"
        "print(ask_daemon(Path(sys.argv[1]), 'echo', timeout=60).fields)"
    )
    # The folder of a test is closed to other users anyway.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        database = Path(folder) / "x.db"
        database.parent.chmod(0o755)
        os.chown(folder, 65533, 65533)  # the socket gets the owner and the group of its folder
        server = ControlServer(database, HANDLERS)
        server.start()
        done = [
            subprocess.run([sys.executable, "-c", script, database, group], capture_output=True, text=True, check=False)
            for group in ("65534", "65533")
        ]
        server.close()
    assert "this user may not ask the daemon" in done[0].stderr
    assert done[1].stdout == "{'arguments': {}}\n"


@pytest.mark.usefixtures("server")
def test_a_refusal_and_a_fault_become_errors_with_a_text(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A refusal has the handler's text; a fault is in the log with its traceback, and the client gets no detail."""
    with pytest.raises(RefusedError, match="camera ramp is not configured"):
        ask_daemon(database, "refuse", {"camera": "ramp"}, timeout=LONG)
    with pytest.raises(RefusedError, match="has no request 'nonsense'"):
        ask_daemon(database, "nonsense", timeout=LONG)
    assert caplog.records == []
    for request in ("fail", "not json"):
        with pytest.raises(RefusedError, match="its log says why") as caught:
            ask_daemon(database, request, timeout=LONG)
        assert "secret" not in str(caught.value)
    assert [record.exc_info is not None for record in caplog.records] == [True, True]
    assert ask_daemon(database, "echo", timeout=LONG).fields == {"arguments": {}}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "sent",
    [
        b"\n",
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(range(256)) + b"\n",
        b"[" * 50_000 + b"\n",
        b'{"request": 7}\n',
        b'{"request": "echo", "arguments": [1]}\n',
        b"x" * 200_000,
    ],
    ids=["empty", "http", "bytes", "deep", "number", "list", "no end"],
)
def test_rubbish_is_answered_with_an_error(database: Path, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets an error or a closed connection, nothing is logged, and the next client its answer."""
    with connected(database) as connection:
        with contextlib.suppress(BrokenPipeError):
            connection.sendall(sent)
        answer = received(connection)
    # A client that is still sending may lose the answer.
    assert answer == b"" if b"\n" not in sent and not answer else json.loads(answer)["error"]
    assert ask_daemon(database, "echo", timeout=LONG).fields == {"arguments": {}}
    assert caplog.records == []


@pytest.mark.usefixtures("server")
def test_clients_that_hang_cost_nobody_an_answer(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More silent clients than there are threads, and some that take no answer, end after their time."""
    monkeypatch.setattr(control_server, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(control_server, "ANSWER_SECONDS", 0.5)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connected(database)) for _ in range(MOST_CLIENTS)]
        deaf = [stack.enter_context(connected(database)) for _ in range(3)]
        for connection in deaf:
            connection.sendall(b'{"request": "picture"}\n')
        slow = stack.enter_context(connected(database))
        slow.sendall(b'{"request": ')
        gone = connected(database)
        gone.sendall(b'{"request": "picture"}\n')
        gone.close()
        assert ask_daemon(database, "echo", {"a": 1}, timeout=LONG).fields == {"arguments": {"a": 1}}
        assert [received(connection) for connection in (*silent, slow)] == [b""] * (MOST_CLIENTS + 1)
        # They take nothing before the server has given them up, however long a busy machine needs for it.
        for connection in deaf:
            hung_up = select.poll()
            hung_up.register(connection, select.POLLRDHUP)
            assert hung_up.poll(LONG * 1000)
        assert all(len(received(connection)) < len(PICTURE) for connection in deaf)


def test_several_clients_are_served_at_once(database: Path) -> None:
    """Handlers run beside each other: each of them waits for all the others."""
    barrier = threading.Barrier(MOST_CLIENTS, timeout=LONG)

    def meet(arguments: Mapping[str, Any]) -> ControlAnswer:
        return ControlAnswer({"index": barrier.wait()})

    server = ControlServer(database, {"meet": meet})
    server.start()
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(ask_daemon(database, "meet", timeout=LONG).fields["index"]))
        for _ in range(MOST_CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    server.close()
    assert sorted(found) == list(range(MOST_CLIENTS))  # type: ignore[type-var]


def test_a_long_path_has_a_socket_too(tmp_path: Path) -> None:
    """The socket is beside the database also where its path or its name is longer than the kernel's 108 bytes."""
    folder = tmp_path.joinpath(*["a-folder-with-a-rather-long-name"] * 4)
    folder.mkdir(parents=True)
    for name in ("x.db", "n" * 200 + ".db", "ü\udcff" * 40 + ".db"):
        database = folder / name
        server = ControlServer(database, HANDLERS)
        server.start()
        try:
            assert control_socket_path(database).parent == folder
            assert control_socket_path(database).is_socket()
            assert ask_daemon(database, "echo", {"name": 1}, timeout=LONG).fields == {"arguments": {"name": 1}}
        finally:
            server.close()
    assert list(folder.iterdir()) == []


@contextlib.contextmanager
def daemon_process(database: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that serves the socket until it is killed, at the latest at the end of the block."""
    script = (
        "import signal, sys\nfrom pathlib import Path\nfrom edge.host.control_server import ControlServer\n"
        "ControlServer(Path(sys.argv[1]), {}).start()\nprint('ready', flush=True)\nsignal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(database)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def test_the_socket_of_a_killed_daemon_is_replaced(database: Path) -> None:
    """After SIGKILL the file stays, and a client is told that no daemon listens; the next daemon replaces it."""
    with daemon_process(database) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(LONG)
    assert control_socket_path(database).is_socket()
    with pytest.raises(DaemonError, match="no daemon listens there"):
        ask_daemon(database, "echo")
    server = ControlServer(database, HANDLERS)
    server.start()
    assert ask_daemon(database, "echo", timeout=LONG).fields == {"arguments": {}}
    server.close()
    assert not control_socket_path(database).exists()
    with pytest.raises(DaemonError, match="no daemon listens there"):
        ask_daemon(database, "echo")


def test_a_daemon_that_is_stopped_is_not_waited_for(database: Path) -> None:
    """With SIGSTOP the kernel still accepts the connection; the client gives up after its time."""
    with daemon_process(database) as process:
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        with pytest.raises(DaemonError, match=r"does not answer within 0\.2 s"):
            ask_daemon(database, "echo", timeout=0.2)


def test_a_socket_that_was_removed_is_made_again(
    database: Path, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., Any]
) -> None:
    """A person or a new disk takes the file away; without the database beside it, it is not made again."""
    looks = []
    look = ControlServer._look_for_the_file

    def counted_look(server: ControlServer) -> None:
        look(server)
        looks.append(1)

    monkeypatch.setattr(ControlServer, "_look_for_the_file", counted_look)
    monkeypatch.setattr(control_server, "_LOOK_SECONDS", 0.05)
    server = ControlServer(database, HANDLERS)
    server.start()
    path = control_socket_path(database)
    path.unlink()
    eventually(path.is_socket)
    eventually(lambda: len(looks) > 3)
    assert ask_daemon(database, "echo", timeout=LONG).fields == {"arguments": {}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    database.unlink()
    path.unlink()
    seen = len(looks)
    eventually(lambda: len(looks) > seen + 3)
    server.close()
    assert list(database.parent.iterdir()) == []


def test_what_is_no_socket_is_not_replaced(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file of that name is left alone and logged; the daemon runs without a socket, and close does nothing to it."""
    path = control_socket_path(database)
    path.write_text("somebody's notes")
    server = ControlServer(database, HANDLERS)
    server.start()
    server.close()
    assert path.read_text() == "somebody's notes"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(path) in caplog.text


def test_a_stop_does_not_wait_for_clients(database: Path) -> None:
    """Open connections are ended by the stop, and no thread and no descriptor stays."""
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    server = ControlServer(database, HANDLERS)
    server.start()
    with connected(database) as connection:
        assert fcntl.fcntl(connection, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
        server.close()
        assert received(connection) == b""
    server.close()
    assert threading.active_count() <= threads
    assert len(os.listdir("/proc/self/fd")) <= descriptors  # noqa: PTH208
