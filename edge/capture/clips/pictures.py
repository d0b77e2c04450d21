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
        self._graph = _yadif_graph(first)

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
    """

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self.other_size: tuple[int, int] | None = None  # of the first picture that had to be scaled

    def convert(self, picture: VideoFrame) -> Image:
        """The image, height x width x 3, BGR. Raises ``ValueError`` or an error of FFmpeg where it cannot be made."""
        from av.video.reformatter import Interpolation

        size = picture.width, picture.height
        if self._size is None:
            self._size = size
        if size != self._size and self.other_size is None:
            self.other_size = size
        width, height = self._size
        converted = self._reformatter.reformat(
            picture, width, height, format="bgr24", interpolation=Interpolation.BICUBIC
        )
        image = cast("Image", converted.to_ndarray())
        clockwise = -picture.rotation % _FULL_TURN
        return cast("Image", cv2.rotate(image, _UPRIGHT[clockwise])) if clockwise in _UPRIGHT else image

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the images before they are turned upright; None before the first."""
        return self._size


def _kind(picture: VideoFrame) -> tuple[int, int, str]:
    return picture.width, picture.height, picture.format.name


def _yadif_graph(first: VideoFrame) -> Graph:
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(width=first.width, height=first.height, format=first.format, time_base=Fraction(1))
    # A picture for each picture, not for each field, and only where a picture says that it is interlaced.
    yadif = graph.add("yadif", "mode=send_frame:parity=auto:deint=interlaced")
    graph.link_nodes(source, yadif, graph.add("buffersink")).configure()
    return graph
