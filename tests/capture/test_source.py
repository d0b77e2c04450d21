"""Choosing a source by its address, and choosing frames by their time."""

from __future__ import annotations

import math
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.live import LiveSource
from edge.capture.recorded import RecordedSource
from edge.core.errors import SourceError
from edge.core.pacer import EARLY, Pacer
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
        ("clip.mp4", RecordedSource, True),
        ("/srv/clips/a b.mkv", RecordedSource, True),
        ("file:///srv/clips/clip.mp4", RecordedSource, True),
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
        ("ftp://host/clip.mp4", "ftp:// is not supported"),
        ("rtmp://host/live", "rtsp://"),
        ("sim:ramp?recorded=yes", "recorded is 1"),
        ("sim:ramp?recorded=1&recorded=1", "given once"),
        ("sim:ramp?sed=1", "seed"),
    ],
)
def test_an_address_of_no_kind_is_refused(camera, address, words):
    """An address that cannot work is refused before anything starts, with what would work."""
    with pytest.raises(SourceError, match=words):
        open_source(camera(address))


def test_a_stream_without_a_host_is_refused(camera):
    """rtsp:///live can never work, so a live source refuses it instead of trying for ever."""
    source = open_source(camera("rtsp:///live"))
    with pytest.raises(SourceError, match="no host"):
        source.start()
    source.close()


def test_a_naive_start_is_refused(camera):
    """A start without its UTC offset would depend on the machine's time zone."""
    with pytest.raises(ValueError, match="aware"):
        open_source(camera("clip.mp4"), start=datetime(2026, 1, 1))  # noqa: DTZ001 - what is tested


@pytest.mark.parametrize("address", ["rtsp://127.0.0.1:9/x", "clip.mp4", "sim:ramp", "sim:ramp?recorded=1"])
def test_close_without_start(camera, address):
    """A source that was never started can be closed, twice, and then has ended."""
    source = open_source(camera(address))
    source.close()
    source.close()
    assert source.status.state is SourceState.ENDED
    with pytest.raises(EndOfSource):
        source.read(5.0)


def test_a_pacer_without_a_rate_takes_all():
    """No rate: every frame is taken."""
    pacer = Pacer(None)
    assert all(pacer.takes(at) for at in (0.0, 0.0, 0.001, 5.0))


@pytest.mark.parametrize(("source_rate", "rate"), [(25, 10), (30, 7), (25, 25), (12.5, 12.5), (30, 4)])
def test_a_pacer_does_not_drift(source_rate, rate):
    """Ten minutes of frames with times in whole milliseconds give the rate asked for, within two frames."""
    pacer = Pacer(rate)
    taken = sum(pacer.takes(round(index / source_rate, 3)) for index in range(round(source_rate * 600)))
    assert abs(taken - rate * 600) <= 2


def test_a_pacer_close_to_the_rate_of_the_source_loses_little():
    """24 of 24.0129 frames a second, with rounded times: under one in a hundred is lost where the two cross."""
    pacer = Pacer(24)
    taken = sum(pacer.takes(round(index / 24.0129, 3)) for index in range(14_408))
    assert 14_256 <= taken <= 14_401


def test_a_pacer_with_more_than_there_is_takes_all():
    """A rate above the source's own leaves no frame out."""
    pacer = Pacer(30)
    assert all(pacer.takes(index / 25) for index in range(1000))


def test_a_pacer_does_not_catch_up_after_a_gap():
    """After ten silent seconds one frame is taken for one place, not a burst."""
    pacer = Pacer(10)
    times = [0.0, *(10 + index / 100 for index in range(21))]
    assert [at for at in times if pacer.takes(at)] == [0.0, 10.0, 10.1, 10.2]


@given(
    st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=200),
    st.floats(0.2, 60, allow_nan=False),
)
def test_a_pacer_never_takes_more_than_its_rate(gaps, rate):
    """Between any two frames that are taken there are at most ``rate`` a second, whatever their times."""
    pacer, at, taken = Pacer(rate), 0.0, []
    for gap in gaps:
        at += gap
        if pacer.takes(at):
            taken.append(at)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            places = (taken[last] - taken[first]) * rate
            assert last - first <= math.floor(places + 1 + EARLY + 1e-6)
