"""Opens a network stream or a V4L2 device with PyAV, and finds out meanwhile how far that has come.

FFmpeg returns from opening a stream only when its first packet is there. Until then the kernel knows whether the
connection stands and whether the camera has answered.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import av

if TYPE_CHECKING:
    from av.container import InputContainer

    from edge.capture.reader.messages import ReaderSettings

TLS_SCHEMES = ("rtsps", "https")
# Where systems keep the certificates of their authorities, when Python's ssl module does not know it: the FFmpeg in
# PyAV's wheels has no place of its own for them.
_AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
# What a stream may lead to. Without it a camera could name a file of this machine in a playlist.
_RTSP_PROTOCOLS = "rtsp,rtsps,rtp,srtp,udp,tcp,tls"
_HTTP_PROTOCOLS = "http,https,httpproxy,tcp,tls,crypto"
# RTSP says what it carries, so the first packet is enough to call a stream open, and pictures come at once (by default
# FFmpeg reads on for up to 5 s, and hands these pictures out late). 32 is the least that FFmpeg accepts.
_SHORTEST_PROBE = {"probesize": "32", "analyzeduration": "0", "fpsprobesize": "0"}
# Packets that wait for one that is missing. Over TCP none can be late, but only with a queue does FFmpeg look for gaps,
# and 2 is the shortest queue; over UDP it is FFmpeg's own default.
_REORDERED = {"tcp": "2", "udp": "500"}
# Bytes and microseconds that are looked at to find the video in what comes over HTTP, as in an MPEG transport stream.
_HTTP_PROBE = {"probesize": "500000", "analyzeduration": "1000000", "fpsprobesize": "0"}
# Formats whose pictures have no times of their own: FFmpeg makes them up from a rate that is not the camera's.
_WITHOUT_TIMES = ("mpjpeg", "mjpeg", "image2", "jpeg_pipe", "image2pipe", "h264", "hevc", "m4v")
_ESTABLISHED = 1
# The kernel's struct tcp_info: the state in the first byte, tcpi_bytes_received behind 128 others.
_TCP_INFO_BYTES = 136


def is_device(address: str) -> bool:
    """Whether the address is that of a V4L2 device: its path, or its number as text."""
    return address.startswith("/") or address.isdigit()


def device_path(address: str) -> str:
    """The path of a V4L2 device by its path, or by its number as text."""
    return f"/dev/video{address}" if address.isdigit() else address


def open_container(settings: ReaderSettings) -> InputContainer:
    """Open the camera; waits for its answer and, on a network, for the first packet. Raises ``av.FFmpegError``.

    PyAV's own time-outs are not used: the daemon watches how far the opening has come, and ends the process.
    """
    address = settings.address
    if is_device(address):
        return av.open(device_path(address), format="v4l2", options=dict(_SHORTEST_PROBE))
    scheme = urlsplit(address).scheme.lower()
    microseconds = str(round(settings.io_seconds * 1e6))
    options = {"timeout": microseconds, "rw_timeout": microseconds}
    if scheme in TLS_SCHEMES:
        options |= {"tls_verify": "1" if settings.verify else "0"}
        if settings.verify and (authorities := authorities_file(settings.ca_file)):
            options |= {"ca_file": authorities}
    if scheme.startswith("rtsp"):
        transport = "tcp" if scheme == "rtsps" else settings.transport
        options |= _SHORTEST_PROBE
        options |= {
            "rtsp_transport": transport,
            "allowed_media_types": "video",
            "reorder_queue_size": _REORDERED[transport],
            "protocol_whitelist": _RTSP_PROTOCOLS,
        }
    else:
        options |= _HTTP_PROBE | {"protocol_whitelist": _HTTP_PROTOCOLS}
    return av.open(address, options=options)


def has_times(container: InputContainer) -> bool:
    """Whether the times of the container's packets come from the camera."""
    return not set(container.format.name.split(",")) & set(_WITHOUT_TIMES)


def authorities_file(configured: str) -> str:
    """The file of certificates that servers are verified against; "" when this machine has none."""
    if configured:
        return configured
    known = ssl.get_default_verify_paths()
    places = (os.environ.get("SSL_CERT_FILE"), known.cafile, *_AUTHORITIES)
    return next((place for place in places if place and os.path.isfile(place)), "")  # noqa: PTH113 - only a test


def connection_state(own: int) -> tuple[bool, bool]:
    """Whether a TCP connection of this process stands, and whether anything was received on it.

    ``own`` is the descriptor of the socket to the daemon, which is passed over.
    """
    stands = answered = False
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names are what is needed
        descriptor = int(name)
        if descriptor == own or not _is_socket(descriptor):
            continue
        try:
            # A copy, because FFmpeg may close its descriptor meanwhile.
            with socket.socket(fileno=os.dup(descriptor)) as copy:
                if copy.family == socket.AF_UNIX or copy.type != socket.SOCK_STREAM:
                    continue
                info = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        except OSError:
            continue
        if info[0] == _ESTABLISHED:
            stands = True
            answered |= len(info) >= _TCP_INFO_BYTES and struct.unpack_from("=Q", info, 128)[0] > 0
    return stands, answered


def _is_socket(descriptor: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")  # noqa: PTH115 - it is no path
    except OSError:
        return False
