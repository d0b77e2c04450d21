"""Starts and ends the process that reads a camera (``edge/capture/reader``)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from edge.capture.reader.messages import MessageSocket

_MODULE = "edge.capture.reader.main"
_PACKAGE = Path(__file__).parents[3]  # the folder that holds the package `edge`
# By default glibc makes an arena for each thread, and what is freed there is of no use to the others: pictures of 1080p
# took 24 MB more.
_MALLOC = {"MALLOC_ARENA_MAX": "1"}
# How long a process may take to close its connection in an orderly way; it takes half a second for that itself.
_END_SECONDS = 1.5


class ReaderProcess:
    """A process that reads a camera, from its start to ``close``.

    It gets the camera's address through ``messages``: what stands in its command line and environment is visible to
    other users. The thread that starts it must outlive it, because the kernel ends it with that thread.
    """

    def __init__(self) -> None:
        self.messages, there = MessageSocket.pair()
        try:
            with there:
                self._process = subprocess.Popen(
                    # -P: the current folder must not hide a module of Python's.
                    [sys.executable, "-P", "-m", _MODULE, str(there.fileno()), str(os.getpid())],
                    pass_fds=[there.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # FFmpeg's and Python's texts may hold the address
                    env=_environment(),
                )
        except BaseException:
            self.messages.close()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def close(self, *, kill: bool = False) -> str:
        """End the process; returns the signal that ended it when nobody here sent it, else ""."""
        self.messages.close()
        if kill:
            self._process.kill()
        try:
            code = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            kill = True
            self._process.kill()
            code = self._process.wait()
        return f"signal {-code}" if code < 0 and not kill else ""


def _environment() -> dict[str, str]:
    """The environment without this product's settings, which may hold passwords, and with the way to its code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SMARTPARK_")}
    paths = [str(_PACKAGE), *filter(None, [kept.get("PYTHONPATH")])]
    return _MALLOC | kept | {"PYTHONPATH": os.pathsep.join(paths)}
