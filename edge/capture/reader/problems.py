"""Says in a sentence why a camera gives no stream, and what to do about it.

No sentence holds the address as it was written: only its host and port, which are no secrets. Texts of FFmpeg's are
read, never shown, because they hold the address.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import av

from edge.capture.reader.open_stream import TLS_SCHEMES, authorities_file, device_path, is_device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.capture.reader.messages import ReaderSettings

_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_NAME_UNKNOWN = "no address is known for the name {}: is it right, does the name server answer?"
_NO_RTSP = "{} answers, but not with RTSP: check scheme and port of the address"
_NO_VIDEO = "{} answers, but not with video: check scheme, port and path of the address"
# Messages of FFmpeg as PyAV collects them: level, name of the part, text.
LogLines = list[tuple[int, str, str]]


class UnusableStreamError(Exception):
    """The camera answers, and what it offers cannot be used. The text is a sentence without secrets."""


def host_and_port(address: str) -> tuple[str, int]:
    """Host and port of a network address. Raises ``UnusableStreamError`` for an address that has none."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme.lower()]
    except (ValueError, KeyError):
        raise UnusableStreamError("the address is not valid: write rtsp://HOST:PORT/PATH") from None
    if not host:
        raise UnusableStreamError("the address has no host: write rtsp://HOST/PATH")
    return host, port


def try_host(settings: ReaderSettings) -> None:
    """Connect to the camera and leave again. Raises ``UnusableStreamError`` when that is not possible."""
    if is_device(settings.address):
        path = device_path(settings.address)
        if not os.path.exists(path):  # noqa: PTH110 - a device's address, not a file to work with
            raise UnusableStreamError(f"there is no {path}: is the camera plugged in?")
        if not os.access(path, os.R_OK | os.W_OK):
            raise UnusableStreamError(f"{path} may not be used: add the daemon's user to the group `video`")
        return
    host, port = host_and_port(settings.address)
    try:
        socket.create_connection((host, port), timeout=settings.probe_seconds).close()
    except OSError as error:
        raise UnusableStreamError(_of_connection(error, host, port)) from None


def reason(error: Exception, logs: LogLines, settings: ReaderSettings) -> str:
    """Why opening or reading the camera failed with ``error``, after FFmpeg wrote ``logs``."""
    if isinstance(error, UnusableStreamError):
        return str(error)
    if is_device(settings.address):
        return _of_device(error, device_path(settings.address))
    try:
        host, port = host_and_port(settings.address)
    except UnusableStreamError as wrong:
        return str(wrong)
    scheme = urlsplit(settings.address).scheme.lower()
    where = f"{host}:{port}"
    sentence = _of_answer(error, where, scheme, logs)
    if sentence is None and scheme in TLS_SCHEMES:
        sentence = _of_tls(host, port, settings)
    if any("Failed to resolve hostname" in line for _, _, line in logs):
        sentence = _NAME_UNKNOWN.format(host)
    elif sentence is None and isinstance(error, OSError) and error.errno not in (None, errno.EIO):
        sentence = _of_connection(error, host, port)
    return sentence or _NO_VIDEO.format(where)


def no_video(offered: Sequence[str], where: str) -> str:
    """The sentence for a stream without video; ``offered`` are the kinds of its parts, as "audio"."""
    what = f"only {' and '.join(sorted(set(offered)))}" if offered else "no stream of video"
    return f"{where} offers {what}: check the path of the address, and switch on the camera's video stream"


def unknown_codec(name: str, where: str) -> str:
    """The sentence for video that cannot be decoded."""
    called = f" ({name})" if name else ""
    return f"the codec of {where}{called} is not supported: set the camera to H.264, H.265 or MJPEG"


def _of_answer(error: Exception, where: str, scheme: str, logs: LogLines) -> str | None:
    """The sentence for what the camera answered; None when it is about the connection."""
    match error:
        case av.HTTPUnauthorizedError():
            return f"{where} refuses the user or the password (401): set `username` and `password` of this camera"
        case av.HTTPForbiddenError():
            return f"{where} forbids access (403): may this user see the stream?"
        case av.HTTPNotFoundError():
            return f"{where} has no stream at this path (404): check the path of the address"
        case av.HTTPBadRequestError() | av.HTTPOtherClientError():
            return f"{where} refuses the request ({_status(logs) or '4xx'}): check the address, or restart the camera"
        case av.HTTPServerError():
            return f"{where} reports an error of its own ({_status(logs) or '5xx'}): do too many watch it? Restart it"
        case OSError(errno=errno.EPROTONOSUPPORT):
            return f'{where} does not offer this transport (461): set transport = "udp" or "tcp" of this camera'
        case av.InvalidDataError() if any("End of file" in line for _, _, line in logs):
            # FFmpeg says the same of a server that closed at once and of one that sent something else before.
            return (
                f"{where} closes the connection without an answer in RTSP: is the port right, is it restarting, do too"
                " many watch it?"
            )
        case av.InvalidDataError():
            return _NO_RTSP.format(where) if scheme.startswith("rtsp") else _NO_VIDEO.format(where)
        case av.EOFError() | BrokenPipeError() | ConnectionResetError() | PermissionError():
            return f"{where} closed the connection: is it restarting, do too many watch it?"
    return None


def _status(logs: LogLines) -> str:
    """The status in a line as "method SETUP failed: 453 (Not Enough Bandwidth)" or "HTTP error 503 ..."."""
    for _, _, line in reversed(logs):
        for mark in ("failed: ", "HTTP error "):
            number = line.partition(mark)[2][:3]
            if number.isdigit():
                return number
    return ""


def _of_connection(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return _NAME_UNKNOWN.format(host)
    if error.errno == errno.ECONNREFUSED:
        return f"{host} refuses connections on port {port}: is the camera ready, is the port right?"
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN):
        return f"{host} cannot be reached: is the camera on, is the network up?"
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return f"{host} does not answer on port {port}: is the camera on, is the network up?"
    name = errno.errorcode.get(error.errno or 0, "unknown error")
    return f"the connection to {host}:{port} failed ({name}): is the camera on, is the network up?"


def _of_tls(host: str, port: int, settings: ReaderSettings) -> str | None:
    """The sentence when the TLS handshake fails; FFmpeg says of it only that input and output failed."""
    authorities = authorities_file(settings.ca_file)
    try:
        context = ssl.create_default_context(cafile=authorities or None)
        if not settings.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((host, port), timeout=settings.probe_seconds) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return (
            f"the certificate of {host}:{port} is not valid ({error.verify_message}): set `ca_file` of this camera to "
            "the file of the authority that signed it, or `verify = false` to use the camera without a check"
        )
    except (ssl.SSLError, ConnectionResetError):
        return f"{host}:{port} does not speak TLS: check scheme and port of the address"
    except (OSError, ValueError) as error:
        if authorities and not os.access(authorities, os.R_OK):
            return f"{authorities} cannot be read: check `ca_file` of this camera"
        return _of_connection(error, host, port) if isinstance(error, OSError) else None


def _of_device(error: Exception, path: str) -> str:
    match error:
        case FileNotFoundError():
            return f"there is no {path}: is the camera plugged in?"
        case PermissionError():
            return f"{path} may not be used: add the daemon's user to the group `video`"
        case OSError(errno=errno.EBUSY):
            return f"{path} is busy: does another program use it?"
        case OSError(errno=errno.ENODEV) | OSError(errno=errno.EIO):
            return f"{path} is gone: is the camera still plugged in?"
    return f"{path} gives no video: is it a camera, does another program use it?"
