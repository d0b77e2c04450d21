"""Finds out from outside why a camera cannot be opened: OpenCV says only that it failed."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

_CONNECT_SECONDS = 2.0
# ``reason_not_opened`` takes no longer than this: a connection, and as much again for a name server.
DIAGNOSIS_SECONDS = 2 * _CONNECT_SECONDS
_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def reason_not_opened(address: str) -> str:
    """Why a stream or device cannot be opened, in a sentence with what to do about it.

    Never contains user, password or query of the address. Takes up to ``DIAGNOSIS_SECONDS``.
    """
    if address.startswith("/"):
        return _reason_of_device(address)
    if address.isdigit():
        return _reason_of_device(f"/dev/video{address}")
    return _reason_of_stream(address)


def _reason_of_device(path: str) -> str:
    if not os.path.exists(path):  # noqa: PTH110 - a device's address, not a file to work with
        return f"there is no {path}: is the camera plugged in?"
    if not os.access(path, os.R_OK | os.W_OK):
        return f"{path} may not be used: add the daemon's user to the group `video`"
    return f"{path} gives no video: does another program use it?"


def _reason_of_stream(url: str) -> str:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme.lower()]
    except ValueError:
        return "the port in the address is not a number from 0 to 65535"
    try:
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
    except socket.gaierror:
        return f"no address is known for the name {host}: is it right, does the name server answer?"
    except ConnectionRefusedError:
        return f"{host} refuses connections on port {port}: is the camera ready, is the port right?"
    except OSError:
        return f"{host} does not answer on port {port}: is the camera on, is the network up?"
    return f"{host}:{port} answers, but gives no video: check path, user and password"
