"""Decides how far a connection to a camera has come, what it waits for, and for how long it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.source import SourceStage

if TYPE_CHECKING:
    from edge.capture.reader.messages import Report


@dataclass(frozen=True, slots=True)
class StageLimits:
    """Seconds that each stage may take before the connection is given up and the reader is replaced."""

    # A fresh interpreter needs a fifth of a second, on a Pi with a slow card that is busy some seconds.
    start: float = 30.0
    # The kernel repeats a lost first packet after 1 and 3 s; a camera on the network answers within one.
    connect: float = 10.0
    # A server that has accepted a connection and says nothing.
    answer: float = 15.0
    # Cameras answer PLAY before their encoder runs: 17 s were seen.
    first_packet: float = 45.0
    # "Smart" codecs send key frames up to 40 s apart.
    key_frame: float = 90.0
    # From a key frame to a picture.
    decode: float = 15.0
    # From a picture that the daemon wants to its handing over.
    hand_over: float = 10.0
    # A reader reports five times a second; one that does not is hung, or was stopped.
    silence: float = 10.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a connection waits for: the ``stage`` reached, ``since`` when (monotonic), how long it may, and why."""

    stage: SourceStage
    since: float
    limit: float
    sentence: str = ""

    def problem(self, now: float) -> str:
        """The sentence with the time for which it has been true."""
        return self.sentence.format(f"{now - self.since:.0f} s")


def waiting(
    report: Report | None,
    started_at: float,
    now: float,
    limits: StageLimits,
    stale_seconds: float,
    wanted_since: float | None,
) -> Waiting:
    """What the connection that began at ``started_at`` waits for.

    ``report`` is the reader's last, None before its first; ``stale_seconds`` how long packets may stay away once they
    came; ``wanted_since`` since when there has been a picture that the daemon wants and has not got, None when it waits
    for none.
    """
    if report is None or report.opened_at is None:
        return Waiting(SourceStage.CONNECTING, started_at, limits.start, "its reader has not started for {}")
    if report.connected_at is None:
        return Waiting(SourceStage.CONNECTING, report.opened_at, limits.connect, _NOT_CONNECTED)
    if report.packet_at is None:
        limit, sentence = (limits.first_packet, _NO_PACKET) if report.answered else (limits.answer, _NO_ANSWER)
        return Waiting(SourceStage.CONNECTED, report.connected_at, limit, sentence)
    if now - report.packet_at >= stale_seconds:
        return Waiting(SourceStage.CONNECTED, report.packet_at, stale_seconds, _PACKETS_STOPPED)
    if report.waiting_for_key_since is not None:
        return Waiting(SourceStage.PACKETS, report.waiting_for_key_since, limits.key_frame, _NO_KEY_FRAME)
    decoded_at = max(report.decoded_at or 0.0, report.key_frame_at or 0.0)
    if report.decoded_at is None or now - decoded_at >= stale_seconds:
        return Waiting(SourceStage.KEY_FRAME, decoded_at, limits.decode, _NOT_DECODED)
    if wanted_since is not None:
        since = max(wanted_since, report.opened_at)
        return Waiting(SourceStage.DECODED, since, limits.hand_over, "pictures are decoded, none is handed over for {}")
    return Waiting(SourceStage.DELIVERED, now, limits.hand_over)


_NOT_CONNECTED = "does not answer for {}: is the camera on, is the network up?"
_NO_ANSWER = "accepts the connection and does not answer for {}: restart the camera, or check the port"
_NO_PACKET = "answers, but sends no video for {}: is its encoder starting, is the path that of a video stream?"
_PACKETS_STOPPED = "no frame for {}: the connection stands, and nothing comes; does the camera hang?"
_NO_KEY_FRAME = (
    "packets arrive, no key frame for {}: the camera's key frame interval is long; set it to 2 s or less (GOP, I frame"
    " interval)"
)
_NOT_DECODED = "key frames arrive, no picture can be decoded for {}: check the cable, and the codec of the camera"
