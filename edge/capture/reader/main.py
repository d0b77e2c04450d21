"""``python -m edge.capture.reader.main`` is the process that reads a camera; only the daemon starts it.

Its first thread talks to the daemon; two others receive and decode (``connection.py``). It ends when the daemon closes
the socket, and is killed by the kernel when the daemon's thread that started it ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import select
import signal
import socket
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path

import av
import av.logging

from edge.capture.reader.connection import CameraConnection
from edge.capture.reader.csi_camera import is_csi
from edge.capture.reader.messages import Ended, MessageSocket, ReaderSettings, Report, Wanted
from edge.capture.reader.open_stream import connection_state, is_device
from edge.capture.reader.picture_slots import PictureSlots
from edge.capture.reader.progress import Progress

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# Seconds between two reports, and between two looks at what FFmpeg has come to.
REPORT_SECONDS = 0.2
# Seconds that the end waits for the camera to be told that the stream is no longer wanted.
_GOODBYE_SECONDS = 0.5
# When memory runs out the kernel is to end a reader, which is replaced, and not the daemon.
_OOM_SCORE = "500"


class ReaderLoop:
    """What the process does: opens the camera that the daemon names, reports, and hands over pictures on demand."""

    def __init__(self, messages: MessageSocket) -> None:
        self._messages = messages
        self._slots = PictureSlots()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._connection: CameraConnection | None = None
        self._wanted: Wanted | None = None
        self._network = False  # whether the camera is on a network
        self._reported = Report()
        self._reported_at = 0.0

    def run(self) -> None:
        """Serve the daemon until it closes the socket."""
        poll = select.poll()
        poll.register(self._messages.fileno(), select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll(REPORT_SECONDS * 1000):
                if descriptor == self._wake:
                    os.eventfd_read(self._wake)
                elif not self._receive():
                    self._leave()
                    return
            self._hand_over()
            self._report()

    def _receive(self) -> bool:
        """Handle a message; False when the daemon is gone."""
        received = self._messages.receive()
        if received is None:
            return False
        match received[0]:
            case Wanted() as wanted:
                self._wanted = wanted
            case ReaderSettings() as settings:
                self._leave()
                before = self._connection.progress if self._connection is not None else None
                self._connection = CameraConnection(settings, Progress(self._wake, time.monotonic(), before))
                self._network = not settings.clip and not is_device(settings.address) and not is_csi(settings.address)
                self._reported = Report()
                self._connection.start()
        return True

    def _leave(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.stop()
            self._connection.join(_GOODBYE_SECONDS)

    def _hand_over(self) -> None:
        """Hand over the picture that is wanted when it is there."""
        if self._wanted is None or self._connection is None:
            return
        picture = self._connection.progress.newest(self._wanted.after)
        if picture is not None:
            if self._reported.decoded_at is None:  # what is known comes before the first picture
                self._send_report(self._connection.progress.report)
            try:
                self._slots.fill(self._wanted.slot, picture, self._messages)
            except (av.FFmpegError, ValueError):  # damage may have made a picture that cannot be converted
                self._connection.progress.count(errors=1)
                self._wanted = replace(self._wanted, after=picture.sequence)
            else:
                self._wanted = None

    def _report(self) -> None:
        """Report how far the connection has come, and that it ended."""
        if self._connection is None:
            return
        progress, now = self._connection.progress, time.monotonic()
        ended = progress.take_end()
        if ended is None and now - self._reported_at < REPORT_SECONDS:
            return
        report = progress.report
        if self._network and report.packet_at is None:
            stands, answered = connection_state(self._messages.fileno())
            if stands:
                progress.note(connected_at=report.connected_at or now, answered=report.answered or answered)
        self._reported_at = now
        self._send_report(progress.report)
        if ended is not None:
            self._connection.stop()
            self._messages.send(ended)

    def _send_report(self, report: Report) -> None:
        # A report that the daemon has no time to read is followed by another.
        if self._messages.send(report, wait=False):
            self._reported = report


def run_reader(arguments: list[str]) -> None:
    """Read the camera; ``arguments`` are the descriptor of the socket to the daemon, and the daemon's process id."""
    descriptor, parent = int(arguments[0]), int(arguments[1])
    die_with_parent(parent)
    # The daemon decides when to end, also at Ctrl-C in a terminal and when systemd stops the service.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    # FFmpeg's messages are collected where they are of use; they may hold the address and must not be shown.
    logging.disable()
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)  # each line counts: one for each lost packet, and each picture with a fault
    messages = MessageSocket(socket.socket(fileno=descriptor))
    try:
        ReaderLoop(messages).run()
    except Exception as error:  # the top of the process
        places = "".join(traceback.format_tb(error.__traceback__))
        messages.send(Ended("the reader failed", unexpected=f"{places}{type(error).__name__}"), wait=False)
    # A thread that is blocked in FFmpeg or in a driver would keep an orderly end waiting.
    os._exit(0)


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when the thread that started it ends, and end now if that has happened."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    run_reader(sys.argv[1:])
