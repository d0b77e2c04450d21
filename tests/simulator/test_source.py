"""The simulated garage as a source: live in step with the clock, or recorded and repeatable."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from edge.core.errors import SourceError
from edge.core.source import EndOfSource, SourceState
from edge.simulator.source import RECORDED_START, split_recorded
from edge.sources import open_source

SMALL = "width=160&height=96&seed=5"


def test_recorded_gives_every_frame_at_its_own_time(read_all, camera):
    """Recorded: all frames from the offset up to seconds, dated from a fixed start, without waiting."""
    source = open_source(camera(f"sim:ramp?{SMALL}&fps=0.5&offset=20&seconds=80&recorded=1"))
    begun = time.monotonic()
    frames = read_all(source)
    assert [frame.monotonic for frame in frames] == pytest.approx([20 + index * 2 for index in range(30)])
    assert [frame.sequence for frame in frames] == list(range(30))
    assert all(frame.captured_at == RECORDED_START + timedelta(seconds=frame.monotonic) for frame in frames)
    assert frames[0].size == (160, 96)
    assert time.monotonic() - begun < 60.0, "a simulated minute must not take a real minute"
    assert source.truth_until == pytest.approx(78)
    assert source.status.state is SourceState.ENDED
    assert (source.status.frames, source.status.dropped) == (30, 0)


def test_recorded_runs_repeat(read_all, camera):
    """The same address gives the same pixels and times in every run."""
    address = f"sim:ramp?{SMALL}&fps=5&seconds=4&vehicles_per_minute=60&recorded=1"
    first, second = (read_all(open_source(camera(address))) for _ in range(2))
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, second, strict=True))
    assert [frame.captured_at for frame in first] == [frame.captured_at for frame in second]


def test_recorded_goes_on_where_another_ended(read_all, camera):
    """A run that begins at an offset shows the same pictures at the same times as a run from the beginning."""
    whole = read_all(open_source(camera(f"sim:ramp?{SMALL}&fps=5&seconds=6&recorded=1")))
    rest = read_all(open_source(camera(f"sim:ramp?{SMALL}&fps=5&seconds=6&offset=4&recorded=1")))
    assert [frame.captured_at for frame in rest] == [frame.captured_at for frame in whole[20:]]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(rest, whole[20:], strict=True))


def test_recorded_from_a_given_start(read_all, camera):
    """A start that is given dates second 0 of the scene."""
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    source = open_source(camera(f"sim:ramp?{SMALL}&fps=2&offset=10&seconds=12&recorded=1"), start=start)
    assert read_all(source)[0].captured_at == start + timedelta(seconds=10)


def test_fps_leaves_recorded_frames_out(read_all, camera):
    """The camera's fps thins a recorded simulation by its own time."""
    source = open_source(camera(f"sim:ramp?{SMALL}&fps=10&seconds=4&recorded=1", fps=2))
    assert [frame.sequence for frame in read_all(source)] == list(range(0, 40, 5))


def test_the_truth_goes_with_the_frames(camera):
    """The true crossings reach up to the last frame that was read, and traffic can be stopped there."""
    source = open_source(camera(f"sim:ramp?{SMALL}&fps=2&vehicles_per_minute=60&seconds=120&recorded=1"))
    source.start()
    while source.read(0.0).monotonic < 60:
        assert all(crossing.at <= source.truth_until for crossing in source.crossings())
    assert source.crossings()
    empty = source.stop_traffic()
    total = source.crossings(empty)
    assert source.truth_until <= empty
    assert source.crossings(empty + 30) == total
    source.close()


def test_live_keeps_step_with_the_clock(camera):
    """Live: frames come at the scene's rate, stamped with the machine's clocks, and read() waits for them."""
    source = open_source(camera(f"sim:ramp?{SMALL}&fps=50&offset=7"))
    before = time.monotonic(), datetime.now(UTC)
    source.start()
    after = time.monotonic(), datetime.now(UTC)
    frames = [source.read(20.0) for _ in range(20)]
    for frame in frames:
        since_start = frame.sequence / 50
        assert before[0] - 1e-6 <= frame.monotonic - since_start <= after[0] + 1e-6
        assert before[1] <= frame.captured_at - timedelta(seconds=since_start) <= after[1]
    assert frames[-1].monotonic - frames[0].monotonic == pytest.approx((frames[-1].sequence - frames[0].sequence) / 50)
    assert time.monotonic() >= frames[-1].monotonic
    assert source.truth_until == pytest.approx(7 + frames[-1].sequence / 50)
    assert source.status.state is SourceState.UP
    source.close()


def test_a_slow_reader_of_a_live_scene_skips_frames(camera, until):
    """Live: a slow caller gets the newest frame; those in between are never drawn and count as dropped."""
    source = open_source(camera(f"sim:ramp?{SMALL}&fps=100"))
    source.start()
    first = source.read(20.0)
    until(lambda: time.monotonic() > first.monotonic + 0.305, "30 frames have passed")
    asked = time.monotonic()
    second = source.read(20.0)
    assert second.sequence >= first.sequence + 30
    assert second.monotonic > asked - 1 / 100, "it was the newest when it was asked for"
    assert source.status.dropped == second.sequence - first.sequence - 1 + first.sequence
    assert source.status.frames == 2
    source.close()


def test_fps_limits_a_live_scene(camera):
    """The camera's fps limits a live scene, and what it leaves out does not count as dropped."""
    source = open_source(camera(f"sim:ramp?{SMALL}&fps=100", fps=20))
    source.start()
    frames = [source.read(20.0) for _ in range(10)]
    numbers = [frame.sequence for frame in frames]
    assert all(number % 5 == 0 for number in numbers)
    assert all(earlier < later for earlier, later in pairwise(numbers))
    assert source.status.dropped == numbers[-1] // 5 + 1 - 10
    source.close()


def test_live_read_times_out_and_wakes(camera):
    """Live: read() returns None when no frame is due in time, and close() wakes it."""
    source = open_source(camera(f"sim:ramp?{SMALL}&fps=0.1"))
    source.start()
    assert source.read(20.0).sequence == 0
    assert source.read(0.01) is None
    threading.Timer(0.05, source.close).start()
    begun = time.monotonic()
    with pytest.raises(EndOfSource):
        source.read(60.0)
    assert time.monotonic() - begun < 50.0


def test_the_scene_needs_a_start(camera):
    """The scene exists from start() on."""
    with pytest.raises(RuntimeError, match="start"):
        _ = open_source(camera("sim:ramp")).scene


@pytest.mark.parametrize(
    ("address", "rest", "recorded"),
    [
        ("sim:ramp", "sim:ramp", False),
        ("sim:ramp?recorded=1", "sim:ramp", True),
        ("sim:ramp?seed=1&recorded=1&fps=5", "sim:ramp?seed=1&fps=5", True),
        ("sim:ramp?seed=1&recorded=0", "sim:ramp?seed=1", False),
    ],
)
def test_the_key_recorded_is_taken_out(address, rest, recorded):
    """The key that only the source understands is removed before the scene reads the address."""
    assert split_recorded(address) == (rest, recorded)


@pytest.mark.parametrize("address", ["sim:ramp?recorded", "sim:ramp?recorded=2", "sim:ramp?recorded=1&recorded=0"])
def test_a_wrong_value_of_recorded_is_refused(address):
    """Any value but a single 1 or 0 is refused."""
    with pytest.raises(SourceError, match="recorded is 1"):
        split_recorded(address)
