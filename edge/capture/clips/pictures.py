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
_QUARTER_TURN, _FULL_TURN = 90, 360

# What a graph of filters is made for: width, height, format, colour space and range of the values.
_Kind = tuple[int, int, str, int, int]


@dataclass(frozen=True, slots=True)
class TimedPicture:
    """A decoded picture, its seconds from the first, its number, and whether it is wanted as a frame."""

    picture: VideoFrame
    seconds: float
    sequence: int
    wanted: bool


class Deinterlacer:
    """Makes interlaced pictures whole from their two fields and their neighbours.

    From the first interlaced picture on all go through FFmpeg's filter `yadif`, which needs the picture before and
    the picture after each, and leaves those that are not interlaced as they are. ``failures`` counts the pictures that
    the filter did not give back: damage may change a picture's size to any other.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._graph: Graph | None = None
        self._kind: _Kind | None = None  # of the pictures that the graph takes
        self._waiting: dict[int, TimedPicture] = {}  # in the graph, by their number

    def whole(self, pictures: Iterable[TimedPicture]) -> Iterator[TimedPicture]:
        """The same pictures in the same order; those that were interlaced are not any more."""
        for timed in pictures:
            if self._graph is not None and _kind(timed.picture) != self._kind:
                yield from self._finish()
            if self._graph is None and not timed.picture.interlaced_frame:
                yield timed
            else:
                yield from self._push(timed)
        if self._graph is not None:
            yield from self._finish()

    def _push(self, timed: TimedPicture) -> list[TimedPicture]:
        """The pictures that are ready after this one."""
        import av

        self._waiting[timed.sequence] = timed
        try:
            if self._graph is None:
                # A picture for each picture, not for each field, and only where it says that it is interlaced.
                self._graph = _graph(timed.picture, ("yadif", "mode=send_frame:parity=auto:deint=interlaced"))
                self._kind = _kind(timed.picture)
            # The filter's own times are the numbers of the pictures, by which they are found again.
            timed.picture.pts, timed.picture.time_base = timed.sequence, Fraction(1)
            self._graph.push(timed.picture)
            return self._ready(self._graph)
        except (av.FFmpegError, ValueError):
            return self._drop_graph()

    def _finish(self) -> list[TimedPicture]:
        """The pictures that are still in the graph, which ends."""
        import av

        assert self._graph is not None
        try:
            self._graph.push(None)
            ready = self._ready(self._graph)
        except (av.FFmpegError, ValueError):
            ready = []
        return ready + self._drop_graph()

    def _ready(self, graph: Graph) -> list[TimedPicture]:
        import av

        ready: list[TimedPicture] = []
        while True:
            try:
                whole = cast("VideoFrame", graph.pull())
            except (av.BlockingIOError, av.EOFError):
                return ready
            assert whole.pts is not None
            assert whole.time_base is not None
            timed = self._waiting.pop(round(whole.pts * whole.time_base))
            ready.append(TimedPicture(whole, timed.seconds, timed.sequence, timed.wanted))

    def _drop_graph(self) -> list[TimedPicture]:
        self.failures += len(self._waiting)
        self._waiting.clear()
        self._graph = None
        return []


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

    def size_of(self, picture: VideoFrame) -> tuple[int, int]:
        """Width and height of the picture's image, turned upright."""
        width, height = self.size or (picture.width, picture.height)
        on_its_side = -picture.rotation % _FULL_TURN in (_QUARTER_TURN, _FULL_TURN - _QUARTER_TURN)
        return (height, width) if on_its_side else (width, height)

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
        graph, self._graph = self._graph, None  # a graph that fails is not used again
        graph.push(picture)
        image = cast("Image", cast("VideoFrame", graph.pull()).to_ndarray())
        self._graph = graph
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
