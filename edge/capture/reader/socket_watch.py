"""Finds out how far FFmpeg has come with a connection, from this process's own sockets.

FFmpeg returns from opening a stream only when its first packet is there. Until then the kernel knows whether the
connection stands and whether the camera has answered.
"""

from __future__ import annotations

import os
import socket
import struct

_ESTABLISHED = 1
# The kernel's struct tcp_info: the state in the first byte, tcpi_bytes_received behind 128 others.
_TCP_INFO_BYTES = 136


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
