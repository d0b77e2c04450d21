"""Decodes the pictures of a video file with PyAV, in the order in which they are shown."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edge.capture.clips.clip_file import open_clip, parse_creation_time
from edge.core.errors import SourceError, shown_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from av import VideoFrame
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from edge.capture.clips.clip_file import ClipReader

log = logging.getLogger(__name__)

# FFmpeg plays plain text as the picture of a terminal.
_FORMATS_WITHOUT_VIDEO = ("tty",)
# Other playlists and damaged headers may name other files and addresses too: none of them is opened.
_OPTIONS = {"protocol_whitelist": "none"}
# How lists of other files and addresses begin. FFmpeg would wait for an HLS playlist to grow.
_PLAYLISTS = (b"#EXTM3U", b"ffconcat version", b"v=0\r\n", b"v=0\n")
# A damaged header may claim a picture that does not fit into memory; 8K video has 33 million pixels.
_MOST_PIXELS = 40_000_000
# Errors in a row while the file is read, after which it has ended for good. Damaged places took up to 7.
_MOST_READ_ERRORS = 100
# Packets of all video streams by which the stream that moves is found.
_PACKETS_TO_COMPARE = 300
# A stream with fewer packets than this share of the busiest stream's is taken for still pictures.
_MOVING_SHARE = 0.5

# What may be left out by the decoder, by FFmpeg's names (``AVDiscard``): nothing; pictures that no other picture needs;
# all but key frames.
SkippedPictures = Literal["DEFAULT", "NONREF", "NONKEY"]


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """When a file says it was recorded, and how many frames and seconds it claims; None: it does not say."""

    created: datetime | None = None
    frames: int | None = None
    seconds: float | None = None
    rate: float | None = None


class ClipDecoder:
    """The pictures of one file. Not thread-safe: one thread uses it at a time.

    ``failures`` counts the packets that could not be read or decoded.
    """

    def __init__(self, path: Path) -> None:
        self.info = ContainerInfo()
        self.failures = 0
        self._path = path
        self._reader: ClipReader | None = None
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None

    def start(self) -> None:
        """Open the file and choose the stream that moves. Raises ``SourceError`` with the path and the remedy."""
        import av  # 18 MB that a command without video does not need

        try:
            container = self._open()
            stream = self._moving_stream(container)
            # Threads decode several frames at once; the decoder's own default is to use as many as there are cores.
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"max_pixels": str(_MOST_PIXELS)}
            self._stream = stream
            assert self._container is not None
            self.info = _describe(self._container, stream)
        except (av.FFmpegError, OSError, ValueError) as error:
            self.close()
            reason = (error.strerror if isinstance(error, OSError) else None) or "it is damaged"
            raise SourceError(
                f"{shown_name(self._path)} cannot be opened as video: {reason}; copy or record it again"
            ) from error
        except SourceError:
            self.close()
            raise

    @property
    def codec(self) -> str:
        """FFmpeg's name of the stream's codec; "" while no file is open."""
        return "" if self._stream is None else self._stream.codec_context.name

    def skip(self, pictures: SkippedPictures) -> None:
        """Choose what is not decoded from here on."""
        if self._stream is not None:
            self._stream.codec_context.skip_frame = pictures

    def pictures(self) -> Iterator[tuple[VideoFrame, float | None]]:
        """Every picture that can be decoded, with its seconds from the stream's start; None: the file gives no time.

        Packets that cannot be read or decoded are counted and left out.
        """
        import av

        assert self._container is not None
        assert self._stream is not None
        errors = 0
        while errors < _MOST_READ_ERRORS:
            try:
                for packet in self._container.demux(self._stream):
                    errors = 0
                    yield from map(self._with_time, self._decode(packet))
                return
            except (av.FFmpegError, OSError):  # of demux, which is called again: the rest of the file may be sound
                errors += 1
                self.failures += 1
        yield from map(self._with_time, self._decode(None))

    def close(self) -> None:
        """Release the file; may be called twice."""
        if self._container is not None:
            self._container.close()
        if self._reader is not None:
            self._reader.close()
        self._container = self._stream = self._reader = None

    def _decode(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        import av

        assert self._stream is not None
        try:
            return self._stream.decode(packet)
        except av.EOFError:  # a second flush
            return []
        except av.BlockingIOError:
            # Pictures wait in the decoder behind an error, and it takes no packet before they are fetched, for which
            # PyAV has no call. They are lost, and with them the pictures up to the next key frame.
            self._stream.codec_context.flush_buffers()
            self.failures += 1
        except (av.FFmpegError, OSError, ValueError):
            self.failures += 1
        return []

    def _with_time(self, picture: VideoFrame) -> tuple[VideoFrame, float | None]:
        assert self._stream is not None
        at = picture.pts if picture.pts is not None else picture.dts
        if at is None or picture.time_base is None:
            return picture, None
        # In floating point as OpenCV: a time on the edge of the rate's grid takes the same frame as ever.
        return picture, (at - (self._stream.start_time or 0)) * float(picture.time_base)

    def _open(self) -> InputContainer:
        """Open the file anew."""
        import av

        self.close()
        self._reader = open_clip(self._path)
        if self._reader.read(len(max(_PLAYLISTS, key=len))).startswith(_PLAYLISTS):
            raise SourceError(f"{shown_name(self._path)} is a playlist, no video; name a video file")
        self._reader.seek(0)
        self._container = av.open(self._reader, "r", metadata_errors="replace", options=_OPTIONS)
        return self._container

    def _moving_stream(self, container: InputContainer) -> VideoStream:
        """The first video stream that is no still picture. Raises ``SourceError`` where there is none."""
        name = shown_name(self._path)
        if container.format.name in _FORMATS_WITHOUT_VIDEO or not container.streams.video:
            raise SourceError(f"{name} holds no video; name a video file")
        streams = [stream for stream in container.streams.video if _can_move(stream)]
        if not streams:
            raise SourceError(f"{name} holds no video that can be decoded; record it as H.264, or name another file")
        if len(streams) == 1:
            return streams[0]
        number = container.streams.video.index(_busiest(container, streams))
        return self._open().streams.video[number]  # anew, from the first packet on


def _busiest(container: InputContainer, streams: list[VideoStream]) -> VideoStream:
    """The first stream with about as many packets as the busiest has; packets are taken from the container."""
    import av

    packets = {stream.index: 0 for stream in streams}
    try:
        for packet in container.demux(streams):
            if packet.size:
                packets[packet.stream.index] += 1
            if sum(packets.values()) >= _PACKETS_TO_COMPARE:
                break
    except (av.FFmpegError, OSError) as error:
        log.debug("the clip is damaged near its beginning; what was read before decides: %s", error)
    most = max(packets.values())
    return next(stream for stream in streams if packets[stream.index] >= _MOVING_SHARE * most)


def _can_move(stream: VideoStream) -> bool:
    """Whether a stream can be decoded, and is not only the cover picture of a sound recording."""
    import av

    is_cover = bool(stream.disposition & av.stream.Disposition.attached_pic)
    return getattr(stream, "codec_context", None) is not None and not is_cover


def _describe(container: InputContainer, stream: VideoStream) -> ContainerInfo:
    import av

    rate = stream.guessed_rate
    # Some containers count the duration from 0, not from the first frame: this is the least length of the video.
    start = max(container.start_time or 0, 0)
    return ContainerInfo(
        created=parse_creation_time(container.metadata.get("creation_time", "")),
        frames=stream.frames or None,
        seconds=(container.duration - start) / av.time_base if container.duration else None,
        rate=float(rate) if rate else None,
    )
