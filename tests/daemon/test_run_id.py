"""Tests of run ids: a recording gives the same tracks, and so the same events, each time; what is live never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.config.schema import CameraConfig, Config
from edge.core.errors import SourceError
from edge.daemon.run_id import run_id

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("source", "repeats"),
    [
        ("{clip}", True),
        ("{clip}?realtime=0", True),
        ("{clip}?realtime=1", False),
        ("{clip}?loop=1&realtime=1", False),
        ("sim:ramp?recorded=1", True),
        ("sim:ramp", False),
        ("rtsp://10.0.0.5/stream", False),
    ],
)
def test_only_a_recording_repeats(tmp_path: Path, source: str, repeats: bool) -> None:
    """A file that is played like a live camera shows each vehicle anew in each round and at each start."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"content")
    camera = CameraConfig(id="cam", source=source.format(clip=clip))
    assert (run_id(Config(), camera) == run_id(Config(), camera)) is repeats


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    """A recording needs its content; a file that is played may come later."""
    with pytest.raises(SourceError, match="there is no such file"):
        run_id(Config(), CameraConfig(id="cam", source=f"{tmp_path}/clip.mp4"))
    assert run_id(Config(), CameraConfig(id="cam", source=f"{tmp_path}/clip.mp4?realtime=1"))
