"""What tests of sources of frames share: a camera's configuration, a source's frames, the real network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.network import WEIGHTS, Network
from support.shared_fixtures import eventually

from edge.config.schema import CameraConfig
from edge.core.source import EndOfSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.frames import Frame
    from edge.core.source import Source


@pytest.fixture
def camera() -> Callable[..., CameraConfig]:
    """Makes a camera's configuration: the source, then keys."""

    def make(source: object, **keys: Any) -> CameraConfig:
        return CameraConfig(id="cam", source=str(source), **keys)

    return make


@pytest.fixture
def read_all() -> Callable[[Source], list[Frame]]:
    """Starts a recorded source, reads it to the end and closes it; gives its frames."""

    def read(source: Source) -> list[Frame]:
        frames: list[Frame] = []
        source.start()
        try:
            while (frame := source.read(1.0)) is not None:
                frames.append(frame)
        except EndOfSource:
            return frames
        finally:
            source.close()
        pytest.fail("a recorded source gave None before its end")

    return read


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits for a condition: ``until(lambda: ..., "what")``; fails after ``limit`` seconds."""

    def wait(condition: Callable[[], object], what: str, limit: float = 60.0) -> None:
        eventually(condition, limit, what, every=0.01)

    return wait


@pytest.fixture(scope="session")
def network() -> Network:
    """The real network, or a skip where its weights are missing."""
    if not WEIGHTS.is_file():
        pytest.skip(f"no {WEIGHTS}; fetch it with `smartpark models pull`, or set SMARTPARK_DETECTOR_MODELS_DIR")
    return Network()
