"""Parses a camera's ``source`` once, when the configuration is read, and builds what is opened and what is shown.

rtsp://USER:PASSWORD@HOST:PORT/PATH?QUERY      also rtsps, http, https
/dev/video0, 0, csi:0                          a V4L2 device by path or number, the Pi's own camera
clip.mp4, file:///srv/clips/clip.mp4           a video file; in the URL %FF stands for a byte that is not UTF-8
clip.mp4?loop=1&realtime=1                     played like a live camera, for ever; a ? in a name is %3F in the URL
sim:ramp?seed=1                                a simulated camera

A text that could be read in two ways, as one with a raw `/` in its password, is refused. No message repeats a part of
the text, because any part may be the secret.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from edge.core.source import STREAM_SCHEMES

_LARGEST_PORT = 65_535
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Of a V4L2 device, and of a camera at the Pi's own connector.
_DEVICE_NUMBER = re.compile(r"[0-9]{1,3}|csi:[0-9]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# What may stand in a path or a query as it is; a % is left alone, for it begins an escape.
_UNESCAPED = "/?:@!$&'()*+,;=~%-._|^{}[]"
_ENCODE = (
    "in a user name and a password write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25, "
    "or use the keys `username` and `password`, where nothing is encoded"
)
# A name in a path after which the next part is a secret, as in /user/admin/password/1234/.
_SECRET_NAME = re.compile(r"user(name)?|usr|login|pass(word|wd)?|pwd|auth|token|key|secret|session|sid", re.IGNORECASE)
# What may follow the ? of a video file.
_FILE_OPTIONS = ("loop", "realtime")
# A part of a path that is no word: letters and digits without a separator, as a camera's access token.
_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9]{12,}|[A-Za-z0-9]{24,}|[0-9a-fA-F-]{16,}")
_HIDDEN = "..."


class SourceKind(StrEnum):
    """The kinds of addresses, each of which has a source of its own."""

    STREAM = "stream"
    DEVICE = "device"
    FILE = "file"
    SIMULATION = "simulation"


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """The parts of a camera's ``source``.

    ``user``, ``password``, ``path`` and ``query`` may be secret and are not in the representation. ``path`` and
    ``query`` of a stream are percent-encoded; of a device and a simulation ``path`` is the whole text, and of a file
    it is decoded. ``user`` and ``password`` are decoded; None where there is none. ``realtime``: a video file is played
    at the speed of its own times, like a live camera; ``loop``: and begins again at its end.
    """

    kind: SourceKind
    scheme: str = ""
    host: str = ""  # IPv6 without brackets
    port: int | None = None
    path: str = field(default="", repr=False)
    query: str = field(default="", repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    realtime: bool = False
    loop: bool = False

    @property
    def file(self) -> Path:
        """The path of a video file."""
        return Path(self.path)

    @property
    def url(self) -> str:
        """The text that opens the source, with user name and password percent-encoded; it must never be logged."""
        return self._text(self.path, self.query, self._userinfo())

    @property
    def shown(self) -> str:
        """The address for logs and boards: no user, no password, and path and query without their values."""
        if self.kind is not SourceKind.STREAM:
            options = [f"{name}=1" for name in _FILE_OPTIONS if getattr(self, name)]
            return f"{self.path}?{'&'.join(options)}" if options else self.path
        return self._text(_path_without_values(self.path), _query_without_values(self.query), "")

    def _text(self, path: str, query: str, userinfo: str) -> str:
        if self.kind is not SourceKind.STREAM:
            return self.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{userinfo}{host}{port}{path}{f'?{query}' if query else ''}"

    def _userinfo(self) -> str:
        if self.user is None and self.password is None:
            return ""
        password = f":{_encoded(self.password)}" if self.password is not None else ""
        return f"{_encoded(self.user or '')}{password}@"


def clip_address(path: Path) -> str:
    """The ``source`` of a video file with any name: its absolute path, else a ``file://`` URL.

    In the URL a name can be written that is not UTF-8, holds a ?, or has control characters or spaces at its end.
    """
    text = str(path.absolute())
    is_plain = text == text.strip() and not text.startswith(("/dev/", "//")) and text.isprintable() and "?" not in text
    return text if is_plain else f"file://{quote_from_bytes(os.fsencode(text))}"


@lru_cache(maxsize=256)
def parse_address(text: str) -> CameraAddress:
    """The parts of a ``source``. Raises ``ValueError``, whose text is for the user and repeats no part of ``text``."""
    if text != text.strip():
        raise ValueError("has a space at its beginning or end; remove it")
    if text.startswith("sim:"):
        return CameraAddress(SourceKind.SIMULATION, "sim", path=text)
    if text.lower().startswith("file:"):
        rest, mark, query = text[len("file:") :].partition("?")
        path = os.fsdecode(_file_of_url(rest))
        realtime, loop = _file_options(query if mark else None)
        return CameraAddress(SourceKind.FILE, "file", path=path, realtime=realtime, loop=loop)
    if match := _SCHEME.match(text):
        if match[1].lower() not in STREAM_SCHEMES:
            raise ValueError(
                f"has a scheme that is not supported; give a video file, "
                f"{', '.join(f'{name}://' for name in STREAM_SCHEMES)}, /dev/videoN, csi:0 or sim:ramp"
            )
        return _parse_stream(match[1].lower(), text[match.end() :])
    if text.startswith("/dev/") or _DEVICE_NUMBER.fullmatch(text):
        return CameraAddress(SourceKind.DEVICE, path=text)
    _refuse_misspelt_url(text)
    name, mark, query = text.partition("?")
    realtime, loop = _file_options(query if mark else None)
    try:
        path = str(Path(name).expanduser())
    except RuntimeError as error:
        raise ValueError("names the home folder of an unknown user; write the whole path of the file") from error
    return CameraAddress(SourceKind.FILE, path=path, realtime=realtime, loop=loop)


def _file_options(query: str | None) -> tuple[bool, bool]:
    """Whether a video file is played in real time, and whether it begins again at its end.

    ``query`` is what follows the ?, None where there is none. Raises ``ValueError``.
    """
    options: dict[str, bool] = {}
    for name, _, value in (part.partition("=") for part in ([] if query is None else query.split("&"))):
        if name not in _FILE_OPTIONS:
            raise ValueError(
                "has an option that no video file has; after the ? of a file write realtime=1, or loop=1&realtime=1;"
                " a ? in a file's name is written %3F in a URL: file:///PATH%3F"
            )
        if value not in ("0", "1"):
            raise ValueError(f"has an option {name} that is neither 1 nor 0; write {name}=1, or leave it out")
        if name in options:
            raise ValueError(f"has its option {name} twice; remove one")
        options[name] = value == "1"
    realtime, loop = options.get("realtime", False), options.get("loop", False)
    if loop and not realtime:
        raise ValueError(
            "has loop=1 without realtime=1; add &realtime=1: a file that is counted as fast as it is read has to end,"
            " or the times of its events would run ahead of the clock"
        )
    return realtime, loop


def _refuse_misspelt_url(text: str) -> None:
    """Refuse what would be taken for a file's name and then be shown, though it is an address with a password."""
    is_path = text.startswith(("/", "./", "../", "~")) and not text.startswith("//")
    has_scheme = re.match(rf"({'|'.join(STREAM_SCHEMES)})\s*:", text, re.IGNORECASE)
    if not is_path and (has_scheme or "://" in text or re.search(r":.*@", text) or text.startswith("//")):
        raise ValueError("is no address and no path; write rtsp://HOST/PATH, or begin the path of a file with ./ or /")


def _file_of_url(rest: str) -> bytes:
    """The path of a file's URL, of which ``rest`` is what follows the scheme."""
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        if host.lower() not in ("", "localhost") or not slash:
            raise ValueError("is a file's URL with a host or without a path; write file:///PATH with three slashes")
        rest = f"/{rest}"
    if not rest.startswith("/"):
        raise ValueError("is a file's URL with a relative path; write file:///PATH, or the path alone")
    path = unquote_to_bytes(rest)
    if b"\0" in path:
        raise ValueError("holds %00, which no file's name can hold; correct the path")
    return path


def _parse_stream(scheme: str, rest: str) -> CameraAddress:
    end = next((index for index, char in enumerate(rest) if char in "/?#"), len(rest))
    userinfo, at, place = rest[:end].rpartition("@")
    tail = rest[end:]
    if "@" in tail:
        raise ValueError(f"has an @ after its host, or a /, ? or # in its password; {_ENCODE}; in a path write %40")
    if "#" in tail:
        raise ValueError(f"has a #, which no camera's address has; {_ENCODE}")
    if any(char in tail for char in '\\"<>`'):
        raise ValueError("has a character in its path that no address has; percent-encode it")
    host, port = _host_and_port(place)
    path, _, query = tail.partition("?")
    user, colon, password = userinfo.partition(":")
    return CameraAddress(
        SourceKind.STREAM,
        *(scheme, host, port),
        *(quote(path, safe=_UNESCAPED), quote(query, safe=_UNESCAPED)),
        _decoded(user) if at else None,
        _decoded(password) if colon else None,
    )


def _host_and_port(place: str) -> tuple[str, int | None]:
    """The host and the port, None for the scheme's own. Raises ``ValueError``."""
    if place.startswith("["):
        host, bracket, port = place[1:].partition("]")
        try:
            # A link-local address has a zone, fe80::1%eth0; in a URL its % is written %25.
            host = str(ipaddress.IPv6Address(host.replace("%25", "%")))
        except ValueError:
            bracket = ""
        if not bracket or (port and not port.startswith(":")):
            raise ValueError(f"has no IPv6 address in its brackets; write [ADDRESS]:PORT; {_ENCODE}") from None
        port = port[1:]
    else:
        host, _, port = place.partition(":")
        if not host:
            raise ValueError("has no host; write rtsp://HOST/PATH")
        if ":" in port:
            raise ValueError(f"has more than one : in its host; write an IPv6 address in brackets; {_ENCODE}")
        if not _HOST.fullmatch(host):
            raise ValueError(f"has a character in its host that no host has (beyond ASCII write xn--...); {_ENCODE}")
    if not port:
        return host, None
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) <= _LARGEST_PORT:
        raise ValueError(f"has a port that is not a number from 1 to {_LARGEST_PORT}; correct it; {_ENCODE}")
    return host, int(port)


def _decoded(text: str) -> str:
    """The text with its percent escapes replaced; a % that begins none is itself."""
    decoded = unquote_to_bytes(text).decode("utf-8", "surrogateescape")
    if _CONTROL.search(decoded):
        raise ValueError("has a control character in its user name or password; correct it")
    return decoded


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def _path_without_values(path: str) -> str:
    parts: list[str] = []
    follows_name = False
    for part in path.split("/"):
        name, separator, _ = _split_at_value(part)
        secret = follows_name or bool(_TOKEN.fullmatch(name)) or (bool(separator) and not name)
        parts.append(_HIDDEN if secret and part else f"{name}{separator}{_HIDDEN}" if separator else part)
        follows_name = bool(_SECRET_NAME.fullmatch(part))
    return "/".join(parts)


def _query_without_values(query: str) -> str:
    names = [part.partition("=") for part in re.split(r"[&;]", query) if part]
    return "&".join(f"{name}={_HIDDEN}" if equals and name else _HIDDEN for name, equals, _ in names)


def _split_at_value(part: str) -> tuple[str, str, str]:
    """The name, the separator and the value of a path's part ``name=value``; a part without a value is all name."""
    match = re.search(r"[=:;&,]|%3[AaDdBb]", part)
    return (part[: match.start()], part[match.start() : match.end()], part[match.end() :]) if match else (part, "", "")
