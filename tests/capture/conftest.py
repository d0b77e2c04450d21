"""What the capture tests share: clips encoded on the spot, cameras' configurations, and real camera servers."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from support.camera_servers import HEIGHT, WIDTH, MjpegServer, numbered, shown_number
from support.rtsp_server import RtspServer

from edge.capture.live.source import LiveSource
from edge.capture.live.stages import StageLimits
from edge.core.backoff import OutageBackoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from support.camera_servers import CameraServer

    from edge.config.schema import CameraConfig
    from edge.core.frames import Frame


def encode_clip(
    path: Path,
    times: Sequence[float],
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    noisy: bool = False,
) -> Path:
    """Write a clip with one numbered picture at each of ``times`` (seconds); returns ``path``."""
    noise = np.random.default_rng(7).integers(0, 40, (HEIGHT, WIDTH, 3), np.uint8)
    base = Fraction(1, 25) if container or path.suffix == ".avi" else Fraction(1, 1000)
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        output.metadata.update(metadata or {})
        stream: Any = output.add_stream(codec, rate=25, options=options or {"preset": "ultrafast", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = base
        for number, seconds in enumerate(times):
            picture = numbered(number)
            if noisy:
                picture = np.roll(noise, number * 7, axis=1) + picture // 255 * 200
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = round(seconds / base), base
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


@pytest.fixture
def clip() -> Callable[..., Path]:
    """``encode_clip``."""
    return encode_clip


@pytest.fixture
def number_in() -> Callable[[np.ndarray], int]:
    """``shown_number``."""
    return shown_number


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    """Starts a camera server: ``serve("mjpeg" or "rtsp", fps=..., credentials=...)``."""
    servers: list[CameraServer] = []

    def start(kind: str, **keys: Any) -> CameraServer:
        server: CameraServer = MjpegServer(**keys) if kind == "mjpeg" else RtspServer(**keys)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def live(camera: Callable[..., CameraConfig]) -> Iterator[Callable[..., LiveSource]]:
    """Starts a live source that tries again quickly, with ``limits`` for its stages; closed at the end."""
    sources: list[LiveSource] = []

    def start(address: str, *, limits: dict[str, float] | None = None, **keys: Any) -> LiveSource:
        configured = camera(address, **{"stale_seconds": 20.0, "max_lag_seconds": 20.0, **keys})
        source = LiveSource(configured, limits=StageLimits(**(limits or {})), backoff=OutageBackoff(0.05, 0.3))
        sources.append(source)
        source.start()
        return source

    yield start
    for source in sources:
        source.close()


@pytest.fixture
def frame_of() -> Callable[..., Frame]:
    """The next frame of a live source; fails when none comes."""

    def take(source: LiveSource, limit: float = 60.0) -> Frame:
        frame = source.read(limit)
        assert frame is not None, source.status
        return frame

    return take
