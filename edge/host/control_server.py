"""This module answers requests of other programs over the Unix socket of the running daemon."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import stat
import threading
import time
from typing import TYPE_CHECKING, Any

from edge.core.errors import RefusedError
from edge.core.file_owner import give_to_folder
from edge.host.control_socket import (
    ControlAnswer,
    ControlProtocolError,
    ControlStream,
    control_line,
    control_socket_path,
    socket_address,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

log = logging.getLogger(__name__)

# Owner and group may connect.
_MODE = 0o660
# A client has so long to send its request and to take its answer. A client that hangs costs a thread until then.
REQUEST_SECONDS = 2.0
ANSWER_SECONDS = 10.0
# So many clients are served at once; the next ones wait in the kernel's queue.
MOST_CLIENTS = 8
_QUEUE = 128
_LONGEST_REQUEST = 65_536
# The file may go with its disk, or be removed by a person: it is looked for so often, and made again.
_LOOK_SECONDS = 5.0
_CLOSE_SECONDS = 2.0


class ControlServer:
    """Serves the socket beside ``database`` to the owner and the group of its file (mode 0660).

    ``handlers`` has a function for each name of a request. It gets the arguments of the request, runs in a thread of
    the client, several at the same time, and returns the answer; ``RefusedError`` becomes an answer with its text. No
    client, and no error of a handler, disturbs the daemon. A socket that cannot be made is logged once and tried again.

    The caller must hold the instance lock, because the socket that a killed daemon left behind is replaced.
    """

    def __init__(self, database: Path, handlers: Mapping[str, Callable[[Mapping[str, Any]], ControlAnswer]]) -> None:
        self._database = database
        self._path = control_socket_path(database)
        self._handlers = dict(handlers)
        self._listener: socket.socket | None = None
        self._identity: tuple[int, int] | None = None
        self._logged = ""
        self._free = threading.Semaphore(MOST_CLIENTS)
        self._lock = threading.Lock()
        self._clients: dict[threading.Thread, socket.socket] = {}
        self._closing = threading.Event()
        self._wake: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Make the socket and begin to serve it; returns at once."""
        woken, self._wake = socket.socketpair()
        self._listen()
        self._thread = threading.Thread(target=self._run, args=(woken,), name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Remove the socket and end all connections. A handler that does not return is not waited for."""
        if self._thread is None or self._wake is None:
            return
        self._closing.set()
        self._wake.close()
        deadline = time.monotonic() + _CLOSE_SECONDS
        self._thread.join(_CLOSE_SECONDS)
        self._thread = None
        with self._lock:
            clients = dict(self._clients)
        for connection in clients.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in clients:
            thread.join(max(deadline - time.monotonic(), 0.0))

    # -- the thread that accepts ---------------------------------------------------------------------------------------

    def _run(self, woken: socket.socket) -> None:
        looked_at = time.monotonic()
        with woken:
            while not self._closing.is_set():
                poll = select.poll()
                poll.register(woken, select.POLLIN)
                listener = self._listener
                if listener is not None:
                    poll.register(listener, select.POLLIN)
                ready = {number for number, _ in poll.poll(_LOOK_SECONDS * 1000)}
                if listener is not None and listener.fileno() in ready:
                    self._accept(listener)
                if time.monotonic() - looked_at >= _LOOK_SECONDS:
                    looked_at = time.monotonic()
                    self._look_for_the_file()
        self._remove()

    def _accept(self, listener: socket.socket) -> None:
        # Polled again soon: the file is looked for, and a stop is noticed, while all threads are taken by clients.
        if not self._free.acquire(timeout=0.2):
            return
        try:
            connection, _ = listener.accept()
        except OSError as error:  # the client has gone, or the process has no file descriptors left
            self._free.release()
            log.debug("no connection was accepted: %s", error)
            self._closing.wait(0.1)
            return
        thread = threading.Thread(target=self._serve, args=(connection,), name="control-client", daemon=True)
        with self._lock:
            self._clients[thread] = connection
        try:
            thread.start()
        except RuntimeError as error:  # the process may have no more threads
            log.warning("a request over %s cannot be answered: %s", self._path, error)
            self._forget(thread, connection)

    def _listen(self) -> None:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(FileNotFoundError):
                # Only a socket is replaced; `bind` fails at anything else.
                if stat.S_ISSOCK(self._path.lstat().st_mode):
                    self._path.unlink()
            with socket_address(self._path) as address:
                listener.bind(address)
            # Nobody can connect before `listen`.
            self._path.chmod(_MODE)
            give_to_folder(self._path)
            listener.listen(_QUEUE)
            listener.setblocking(False)
            found = self._path.lstat()
        except OSError as error:
            listener.close()
            if str(error) != self._logged:
                self._logged = str(error)
                log.warning("%s: cannot be made (%s); commands cannot ask this daemon", self._path, error.strerror)
            return
        self._logged = ""
        self._listener, self._identity = listener, (found.st_dev, found.st_ino)

    def _look_for_the_file(self) -> None:
        """Make the socket again where its file is gone, but not in the empty mount point of a disk that is gone."""
        try:
            found = self._path.lstat()
            is_there = (found.st_dev, found.st_ino) == self._identity
        except OSError:
            is_there = False
        if not is_there and os.path.exists(self._database):  # noqa: PTH110  # Path.exists raises on a broken disk
            if self._listener is not None:
                self._listener.close()
            self._listener = self._identity = None
            self._listen()

    def _remove(self) -> None:
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        try:
            found = self._path.lstat()
            if (found.st_dev, found.st_ino) == self._identity:
                self._path.unlink()
        except OSError as error:
            log.debug("%s: cannot be removed: %s", self._path, error)

    # -- the thread of a client ----------------------------------------------------------------------------------------

    def _serve(self, connection: socket.socket) -> None:
        try:
            stream = ControlStream(connection, time.monotonic() + REQUEST_SECONDS)
            try:
                answer = self._answer(*_read_request(stream))
            except ControlProtocolError as error:
                answer = (control_line({"error": str(error)}),)
            stream.deadline = time.monotonic() + ANSWER_SECONDS
            for part in answer:
                stream.send(part)
        except OSError as error:
            log.debug("a request was not answered: %s", error or "the client took too long")
        finally:
            self._forget(threading.current_thread(), connection)

    def _answer(self, name: str, arguments: Mapping[str, Any]) -> tuple[bytes, ...]:
        """The parts of the answer. Never raises: an error of a handler is logged, and is no error of the daemon."""
        handler = self._handlers.get(name)
        if handler is None:
            text = f"the daemon has no request {name[:100]!r}; it is of another version than this program"
            return (control_line({"error": text}),)
        try:
            answer = handler(arguments)
            return control_line({"fields": answer.fields, "body_bytes": len(answer.body)}), answer.body
        except RefusedError as error:
            return (control_line({"error": str(error)}),)
        except Exception:
            log.exception("a request failed request=%s", name)
            return (control_line({"error": "the request failed in the daemon; its log says why"}),)

    def _forget(self, thread: threading.Thread, connection: socket.socket) -> None:
        connection.close()
        with self._lock:
            self._clients.pop(thread, None)
        self._free.release()


def _read_request(stream: ControlStream) -> tuple[str, Mapping[str, Any]]:
    """The name and the arguments of a request."""
    request = stream.read_message(_LONGEST_REQUEST)
    name, arguments = request.get("request"), request.get("arguments", {})
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise ControlProtocolError("the request has no name, or arguments that are no object")
    return name, arguments
