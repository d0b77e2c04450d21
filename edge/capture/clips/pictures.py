"""Makes images for the detector of decoded pictures: without interlacing, upright, in BGR, all of one size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import cv2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av import VideoFrame
    from av.filter import Graph

    from edge.core.frames import Image

_UPRIGHT = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FULL_TURN = 360

# What a graph of filters is made for: width, height, format, colour space and range of the values.
_Kind = tuple[int, int, str, int, int]


@dataclass(frozen=True, slots=True)
class TimedPicture:
    """A decoded picture, its seconds from the first, its number, and whether it is wanted as a frame."""

    picture: VideoFrame
    seconds: float
    sequence: int
    wanted: bool


def deinterlaced(pictures: Iterable[TimedPicture]) -> Iterator[TimedPicture]:
    """The same pictures, with those that are interlaced made whole from their two fields and their neighbours.

    From the first interlaced picture on all go through FFmpeg's filter `yadif`, which needs the picture before and
    the picture after each, and leaves those that are not interlaced as they are.
    """
    filters: _Deinterlacer | None = None
    for timed in pictures:
        if filters is not None and not filters.fits(timed.picture):
            yield from filters.finish()
            filters = None
        if filters is None and timed.picture.interlaced_frame:
            filters = _Deinterlacer(timed.picture)
        if filters is None:
            yield timed
        else:
            yield from filters.push(timed)
    if filters is not None:
        yield from filters.finish()


class _Deinterlacer:
    """The filter for pictures of one size and format."""

    def __init__(self, first: VideoFrame) -> None:
        self._kind = _kind(first)
        self._waiting: dict[int, TimedPicture] = {}
        # A picture for each picture, not for each field, and only where a picture says that it is interlaced.
        self._graph = _graph(first, ("yadif", "mode=send_frame:parity=auto:deint=interlaced"))

    def fits(self, picture: VideoFrame) -> bool:
        return _kind(picture) == self._kind

    def push(self, timed: TimedPicture) -> Iterator[TimedPicture]:
        self._waiting[timed.sequence] = timed
        # The filter's own times are the numbers of the pictures, by which they are found again.
        timed.picture.pts, timed.picture.time_base = timed.sequence, Fraction(1)
        self._graph.push(timed.picture)
        yield from self._ready()

    def finish(self) -> Iterator[TimedPicture]:
        self._graph.push(None)
        yield from self._ready()

    def _ready(self) -> Iterator[TimedPicture]:
        import av

        while True:
            try:
                whole = cast("VideoFrame", self._graph.pull())
            except (av.BlockingIOError, av.EOFError):
                return
            assert whole.pts is not None
            assert whole.time_base is not None
            timed = self._waiting.pop(round(whole.pts * whole.time_base))
            yield TimedPicture(whole, timed.seconds, timed.sequence, timed.wanted)


class BgrConverter:
    """Converts pictures as OpenCV's ``VideoCapture`` does, to the same pixels.

    All images have the size of the first: a gate is a place in the picture, and tracks go on through a change.

    FFmpeg's filter `scale` does it, and not ``VideoFrame.reformat``: the filter takes the memory of images that are no
    longer used, where the other took new pages for each, which cost twice the conversion at 1080p.
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._kind: _Kind | None = None  # of the pictures that the graph converts
        self.size: tuple[int, int] | None = None  # width and height of all images, before they are turned upright
        self.other_size: tuple[int, int] | None = None  # of the first picture that had to be scaled

    def convert(self, picture: VideoFrame) -> Image:
        """The image, height x width x 3, BGR. Raises ``av.FFmpegError`` or ``ValueError`` where it cannot be made."""
        size = picture.width, picture.height
        if self.size is None:
            self.size = size
        if size != self.size and self.other_size is None:
            self.other_size = size
        kind = _kind(picture)
        if self._graph is None or kind != self._kind:
            width, height = self.size
            self._graph = _graph(picture, ("scale", f"{width}:{height}:flags=bicubic"), ("format", "bgr24"))
            self._kind = kind
        self._graph.push(picture)
        image = cast("Image", cast("VideoFrame", self._graph.pull()).to_ndarray())
        clockwise = -picture.rotation % _FULL_TURN
        return cast("Image", cv2.rotate(image, _UPRIGHT[clockwise])) if clockwise in _UPRIGHT else image


def _kind(picture: VideoFrame) -> _Kind:
    return picture.width, picture.height, picture.format.name, int(picture.colorspace), int(picture.color_range)


def _graph(first: VideoFrame, *filters: tuple[str, str]) -> Graph:
    """The filters, one after the other, for pictures like ``first``, each with its arguments."""
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(width=first.width, height=first.height, format=first.format, time_base=Fraction(1))
    # Several threads took four times the CPU time for a conversion at 1080p.
    nodes = [graph.add(name, f"{arguments}:threads=1") for name, arguments in filters]
    graph.link_nodes(source, *nodes, graph.add("buffersink")).configure()
    return graph
