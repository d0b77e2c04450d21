"""Video files that are played like live cameras, by real reader processes: newest frame, end, loop, files that go."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import pairwise

import av
import numpy as np
import pytest

from edge.capture.clips.playback import SEAM_SECONDS
from edge.core.source import EndOfSource, SourceState

# Two seconds; the first pictures of a reader that is starting are missed.
TIMES = [number / 25 for number in range(50)]


def address(path, loop=False):
    """The source of a file that is played."""
    return f"{path}?{'loop=1&' if loop else ''}realtime=1"


def read_to_the_end(source):
    """The frames up to the end of the file."""
    frames = []
    try:
        while True:
            if (frame := source.read(60.0)) is not None:
                frames.append(frame)
    except EndOfSource:
        return frames


def test_a_file_is_a_live_camera_and_ends(clip, live, number_in, tmp_path):
    """Frames have the file's distances on the monotonic clock and today's date; after the last there are no more."""
    path = clip(tmp_path / "clip.mp4", TIMES, metadata={"creation_time": "2020-01-01T00:00:00Z"})
    begun, wall = time.monotonic(), datetime.now(UTC)
    source = live(address(path))
    assert not source.recorded
    frames = read_to_the_end(source)
    assert len(frames) >= 2
    for earlier, later in pairwise(frames):
        pictures = number_in(later.image) - number_in(earlier.image)
        assert pictures == later.sequence - earlier.sequence > 0
        assert later.monotonic - earlier.monotonic >= pictures / 25 - 0.002
    assert begun < frames[0].monotonic
    assert frames[-1].monotonic <= time.monotonic()
    for frame in frames:
        assert (frame.captured_at - wall).total_seconds() == pytest.approx(frame.monotonic - begun, abs=3.0)
    assert source.status.state is SourceState.ENDED
    assert "played to its end" in source.status.problem
    assert "?loop=1&realtime=1" in source.status.problem


def test_the_newest_frame_wins_in_a_file(clip, live, frame_of, until, number_in, tmp_path):
    """A caller that was away gets the newest picture, and those that it missed are counted."""
    source = live(address(clip(tmp_path / "clip.mp4", [number / 25 for number in range(1500)])))
    before = frame_of(source)
    dropped = source.status.dropped
    until(lambda: source.status.dropped >= dropped + 25, "25 pictures came and were replaced")
    after = frame_of(source)
    assert after.sequence - before.sequence == number_in(after.image) - number_in(before.image) > 25
    assert source.status.codec == "h264"


def test_a_loop_goes_on_for_ever(clip, live, frame_of, number_in, tmp_path):
    """After the last picture the first comes again, later by the seam, and the camera is never down."""
    source = live(address(clip(tmp_path / "clip.mp4", TIMES[:25]), loop=True))
    frames = []
    while sum(later.monotonic - earlier.monotonic >= SEAM_SECONDS for earlier, later in pairwise(frames)) < 2:
        frames.append(frame_of(source))
        assert source.status.state is SourceState.UP
    assert [number_in(frame.image) for frame in frames] == [frame.sequence % 25 for frame in frames]
    assert frames[-1].sequence >= 50
    assert source.status.reconnects == 0


def test_a_file_that_is_missing_is_waited_for(clip, live, frame_of, until, tmp_path):
    """A stick that is not mounted yet: the source is down and says why, and gives frames when the file is there."""
    path = tmp_path / "clip.mp4"
    source = live(address(path, loop=True))
    until(lambda: source.status.problem, "the file is missed")
    assert source.status.state is SourceState.DOWN
    assert f"{path}: there is no such file; check `source`, or mount the disk" in source.status.problem
    clip(tmp_path / "made.mp4", TIMES).rename(path)
    frame_of(source)
    assert source.status.state is SourceState.UP


def test_a_file_that_is_replaced_by_another_size(clip, live, frame_of, until, tmp_path):
    """A loop whose file goes is down, and goes on with the next file, whatever its size is."""
    path = clip(tmp_path / "clip.mp4", TIMES[:10])
    source = live(address(path, loop=True))
    assert frame_of(source).size == (160, 120)
    path.unlink()
    until(lambda: source.status.state is SourceState.DOWN, "the file is missed at the end of its round")
    assert "there is no such file" in source.status.problem
    with av.open(str(tmp_path / "other.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(50):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((180, 320, 3), np.uint8), format="bgr24")))
        output.mux(stream.encode())
    (tmp_path / "other.mp4").rename(path)
    assert frame_of(source).size == (320, 180)


def test_a_file_that_is_no_video_is_named(live, until, tmp_path):
    """It is down with the file's name and the remedy, and nothing hangs."""
    path = tmp_path / "words.mp4"
    path.write_bytes(b"this is no video\n" * 100)
    source = live(address(path))
    until(lambda: source.status.problem, "the file is refused")
    assert f"{path} cannot be opened as video" in source.status.problem
    assert source.read(0.1) is None
