"""This module asks the running daemon for the state of the device, and reads the answer back into its values."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from edge.core.device_health import DeviceHealth
from edge.core.errors import DaemonError, RefusedError
from edge.host.control_client import ask_daemon
from edge.host.control_socket import STATUS_REQUEST

if TYPE_CHECKING:
    from edge.config.schema import Config

# The daemon waits for its disk for two seconds, and a small machine may be busy.
_ANSWER_SECONDS = 5.0


def ask_health(config: Config) -> DeviceHealth:
    """The state of the device as the running daemon knows it. Raises ``DaemonError`` when none can be asked."""
    try:
        answer = ask_daemon(config.database.path, STATUS_REQUEST, timeout=_ANSWER_SECONDS)
        return _adapter().validate_python(dict(answer.fields))
    except RefusedError as error:
        raise DaemonError(f"the daemon refuses to tell its state: {error}") from error
    except ValidationError as error:
        raise DaemonError(
            "the daemon's answer is not understood: it is of another version than this program; restart the daemon"
        ) from error


@cache
def _adapter() -> TypeAdapter[DeviceHealth]:
    return TypeAdapter(DeviceHealth)
