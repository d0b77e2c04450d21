"""Choosing a source by its address."""

from __future__ import annotations

from datetime import datetime

import pytest

from edge.capture.clips.recorded import RecordedSource
from edge.capture.live.source import LiveSource
from edge.core.errors import SourceError
from edge.core.source import EndOfSource, SourceState
from edge.simulator.source import SimulatedSource
from edge.sources import open_source


@pytest.mark.parametrize(
    ("address", "kind", "recorded"),
    [
        ("rtsp://host/live", LiveSource, False),
        ("RTSPS://host/live", LiveSource, False),
        ("http://host/video.mjpg?channel=1", LiveSource, False),
        ("https://host:8443/video", LiveSource, False),
        ("/dev/video0", LiveSource, False),
        ("/dev/v4l/by-id/usb-camera-index0", LiveSource, False),
        ("0", LiveSource, False),
        ("csi:0", LiveSource, False),
        ("clip.mp4", RecordedSource, True),
        ("/srv/clips/a b.mkv", RecordedSource, True),
        ("file:///srv/clips/clip.mp4", RecordedSource, True),
        ("clip.mp4?realtime=1", LiveSource, False),
        ("file:///srv/clips/clip.mp4?loop=1&realtime=1", LiveSource, False),
        ("clip.mp4?realtime=0", RecordedSource, True),
        ("sim:ramp", SimulatedSource, False),
        ("sim:ramp?seed=3&recorded=1", SimulatedSource, True),
        ("sim:ramp?recorded=0", SimulatedSource, False),
    ],
)
def test_the_address_picks_the_kind(camera, address, kind, recorded):
    """Each kind of address gives its kind of source, which has opened nothing yet."""
    source = open_source(camera(address))
    assert type(source) is kind
    assert source.recorded is recorded
    assert source.status.state is SourceState.STARTING


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("sim:ramp?recorded=yes", "recorded is 1"),
        ("sim:ramp?recorded=1&recorded=1", "given once"),
        ("sim:ramp?sed=1", "seed"),
    ],
)
def test_a_wrong_key_of_a_simulation_is_refused(camera, address, words):
    """A simulation that cannot work is refused before anything starts, with what would work."""
    with pytest.raises(SourceError, match=words):
        open_source(camera(address))


def test_a_naive_start_is_refused(camera):
    """A start without its UTC offset would depend on the machine's time zone."""
    with pytest.raises(ValueError, match="aware"):
        open_source(camera("clip.mp4"), start=datetime(2026, 1, 1))  # noqa: DTZ001 - what is tested


@pytest.mark.parametrize(
    "address", ["rtsp://127.0.0.1:9/x", "clip.mp4", "clip.mp4?realtime=1", "sim:ramp", "sim:ramp?recorded=1"]
)
def test_close_without_start(camera, address):
    """A source that was never started can be closed, twice, and then has ended."""
    source = open_source(camera(address))
    source.close()
    source.close()
    assert source.status.state is SourceState.ENDED
    with pytest.raises(EndOfSource):
        source.read(5.0)
