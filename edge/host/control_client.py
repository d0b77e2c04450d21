"""This module asks the running daemon over its Unix socket."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from edge.core.errors import DaemonError, RefusedError, shown_name
from edge.host.control_socket import (
    ControlAnswer,
    ControlProtocolError,
    ControlStream,
    control_line,
    control_socket_path,
    socket_address,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LONGEST_HEADER = 16_000_000
_LARGEST_BODY = 256_000_000


def ask_daemon(
    database: Path, request: str, arguments: Mapping[str, Any] | None = None, *, timeout: float = 5.0
) -> ControlAnswer:
    """The answer of the daemon that counts into ``database``, within ``timeout`` seconds.

    Raises ``RefusedError`` with the daemon's text when it refuses the request, and ``DaemonError`` when no daemon can
    be asked: none runs, it does not answer in time, or this user may not connect.
    """
    path = control_socket_path(database)
    shown = shown_name(path)
    deadline = time.monotonic() + timeout
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, socket_address(path) as address:
            connection.settimeout(timeout)
            connection.connect(address)
            stream = ControlStream(connection, deadline)
            stream.send(control_line({"request": request, "arguments": dict(arguments or {})}))
            header = stream.read_message(_LONGEST_HEADER)
            if isinstance(error := header.get("error"), str):
                raise RefusedError(error)
            fields, size = header.get("fields"), header.get("body_bytes")
            if not isinstance(fields, dict) or not isinstance(size, int) or not 0 <= size <= _LARGEST_BODY:
                raise ControlProtocolError("the line is no answer of a daemon")
            return ControlAnswer(fields, stream.read_body(size))
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as error:
        raise DaemonError(f"{shown}: no daemon listens there; start it, or wait for the end of its start") from error
    except PermissionError as error:
        raise DaemonError(
            f"{shown}: this user may not ask the daemon; use sudo, or become a member of the group of that file"
        ) from error
    # A blocking socket with a time-out reports a full queue as BlockingIOError.
    except (TimeoutError, BlockingIOError) as error:
        raise DaemonError(f"{shown}: the daemon does not answer within {timeout:g} s; check its log") from error
    except (OSError, ControlProtocolError) as error:
        raise DaemonError(f"{shown}: the daemon cannot be asked ({error}); check its log") from error
