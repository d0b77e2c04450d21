"""Video files as sources: every frame once, at the container's own times, and a remedy for broken files."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import numpy as np
import pytest

from edge.capture.clips.recorded import RecordedSource
from edge.core.errors import SourceError
from edge.core.source import EndOfSource, SourceState
from edge.sources import open_source

START = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
# Presentation times of a clip at no fixed rate, seconds: 15 ms to one second apart.
UNEVEN = [0, 0.04, 0.08, 0.28, 0.29, 0.323, 0.823, 0.863, 1.863, 1.878, *(1.918 + 0.04 * n for n in range(15))]
EVEN = [number / 25 for number in range(60)]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("uneven.mp4", {"options": {"tune": "zerolatency"}}),
        ("b-frames.mp4", {"options": {"bf": "3"}}),
        ("b-frames.mkv", {"options": {"bf": "3"}}),
        ("uneven.ts", {"options": {"tune": "zerolatency"}}),
    ],
)
@pytest.mark.parametrize("begins", [0.0, 3.0])
def test_every_frame_at_its_own_time(read_all, camera, clip, number_in, tmp_path, name, keys, begins):
    """A clip of variable rate gives each frame once, in order, at its presentation time from the first frame."""
    path = clip(tmp_path / name, [begins + at for at in UNEVEN], **keys)
    source = open_source(camera(path), start=START)
    frames = read_all(source)
    assert [number_in(frame.image) for frame in frames] == list(range(len(UNEVEN)))
    assert [frame.sequence for frame in frames] == list(range(len(UNEVEN)))
    assert [frame.monotonic for frame in frames] == pytest.approx(UNEVEN, abs=0.0006)
    assert [frame.captured_at for frame in frames] == [START + timedelta(seconds=f.monotonic) for f in frames]
    assert source.status.frames == len(UNEVEN)
    assert source.status.state is SourceState.ENDED
    assert source.status.dropped == 0


def test_a_stream_without_times_counts_by_its_rate(read_all, camera, clip, tmp_path):
    """Raw H.264 has no presentation times: index / rate stands in for them."""
    path = clip(tmp_path / "raw.h264", EVEN[:30], container="h264")
    frames = read_all(open_source(camera(path), start=START))
    assert [frame.monotonic for frame in frames] == pytest.approx(EVEN[:30])


def test_two_reads_of_a_clip_are_the_same(read_all, camera, clip, tmp_path):
    """The same clip and start give the same times and pixels again."""
    path = clip(tmp_path / "clip.mp4", EVEN, noisy=True)
    first, second = (read_all(open_source(camera(path), start=START)) for _ in range(2))
    assert [(f.captured_at, f.monotonic, f.sequence) for f in first] == [
        (f.captured_at, f.monotonic, f.sequence) for f in second
    ]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, second, strict=True))


def test_fps_leaves_frames_out_by_time(read_all, camera, clip, number_in, tmp_path):
    """With fps = 10, a clip of 25 frames a second gives 10 a second, and left-out frames keep their numbers."""
    path = clip(tmp_path / "clip.mp4", EVEN)
    frames = read_all(open_source(camera(path, fps=10), start=START))
    assert [frame.sequence for frame in frames][:9] == [0, 3, 5, 8, 10, 13, 15, 18, 20]
    assert [number_in(frame.image) for frame in frames] == [frame.sequence for frame in frames]
    assert len(frames) == 24


def test_the_given_start_wins_and_is_utc(read_all, camera, clip, tmp_path, caplog):
    """A start in another zone is the same moment in UTC, and nothing is warned about."""
    path = clip(tmp_path / "clip.mp4", EVEN[:3], metadata={"creation_time": "2024-03-05T06:07:08Z"})
    there = START.astimezone(timezone(timedelta(hours=9)))
    frames = read_all(open_source(camera(path), start=there))
    assert frames[0].captured_at == START
    assert frames[0].captured_at.tzinfo is UTC
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_container_gives_the_start(read_all, camera, clip, tmp_path, caplog):
    """Without a given start the container's creation time is the first frame's time."""
    path = clip(tmp_path / "clip.mp4", EVEN[:3], metadata={"creation_time": "2024-03-05T06:07:08.000000Z"})
    frames = read_all(open_source(camera(path)))
    assert frames[0].captured_at == datetime(2024, 3, 5, 6, 7, 8, tzinfo=UTC)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("metadata", [{}, {"creation_time": "1970-01-01T00:00:00.000000Z"}])
def test_the_file_gives_the_start_with_a_warning(read_all, camera, clip, tmp_path, caplog, metadata):
    """Without a credible creation time the file's own time is used, and --start is recommended."""
    path = clip(tmp_path / "clip.mp4", EVEN[:3], metadata=metadata)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    frames = read_all(open_source(camera(path)))
    assert frames[0].captured_at == datetime.fromtimestamp(1_700_000_000, UTC)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "--start" in warning
    assert str(path) in warning


def test_broken_files_are_named_with_a_remedy(camera, clip, tmp_path):
    """A file that is no video is refused in start(), with its path."""
    good = clip(tmp_path / "good.mp4", EVEN)
    contents = {
        "empty.mp4": b"",
        "noise.mp4": random.Random(1).randbytes(50_000),
        "words.mp4": b"this is no video\n" * 100,
        "words.txt": b"this is no video\n" * 100,
        "without-index.mp4": good.read_bytes()[: good.stat().st_size // 2],
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.mp4").mkdir()
    for name in [*contents, "folder.mp4", "missing.mp4"]:
        source = open_source(camera(tmp_path / name), start=START)
        with pytest.raises(SourceError, match=name) as caught:
            source.start()
        assert any(word in str(caught.value) for word in ("copy", "name a video", "check")), caught.value
        source.close()


def test_a_clip_that_is_cut_off_gives_its_frames_up_to_the_cut(read_all, camera, clip, tmp_path, caplog):
    """A truncated clip delivers its frames up to the cut, then ends with one warning that counts."""
    path = clip(tmp_path / "cut.mp4", EVEN, noisy=True, container_options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = open_source(camera(path), start=START)
    frames = read_all(source)
    assert 10 < len(frames) < 50
    assert [frame.sequence for frame in frames] == list(range(len(frames)))
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert f"{len(frames)} frames could be decoded of the 60" in warning
    assert str(path) in source.status.problem


def test_a_matroska_clip_that_is_cut_off_is_noticed(read_all, camera, clip, tmp_path, caplog):
    """Matroska does not count its frames; there the duration shows that some are missing."""
    path = clip(tmp_path / "cut.mkv", [number / 25 for number in range(150)], noisy=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames = read_all(open_source(camera(path), start=START))
    assert 0 < len(frames) < 140
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert f"{len(frames)} frames could be decoded, up to second" in warning


def test_a_hole_in_a_clip_is_skipped(read_all, camera, clip, tmp_path, caplog, number_in):
    """Damage in the middle costs the damaged frames only; those after it keep their times."""
    path = clip(tmp_path / "hole.mp4", EVEN, noisy=True)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) * 6 // 10] = bytes(len(content) * 6 // 10 - len(content) // 2)
    path.write_bytes(content)
    source = open_source(camera(path), start=START)
    frames = read_all(source)
    assert 40 <= len(frames) < 60
    assert frames[-1].monotonic == pytest.approx(EVEN[-1])
    assert number_in(frames[-1].image) == 59
    assert f"{len(frames)} frames could be decoded of the 60" in caplog.text
    assert "reads failed on the way" in source.status.problem


def test_a_broken_file_is_quiet_on_standard_error(clip, tmp_path):
    """FFmpeg and OpenCV print nothing by themselves, even for a clip with a hole."""
    path = clip(tmp_path / "hole.mp4", EVEN, noisy=True)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) * 6 // 10] = bytes(len(content) * 6 // 10 - len(content) // 2)
    path.write_bytes(content)
    program = (
        "import sys\n"
        "from edge.core.source import EndOfSource\n"
        "from edge.sources import open_source\n"
        "from edge.config.schema import CameraConfig\n"
        "source = open_source(CameraConfig(id='cam', source=sys.argv[1]))\n"
        "source.start()\n"
        "try:\n"
        "    while True: source.read(1)\n"
        "except EndOfSource: print('ended')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout == "ended\n"
    # The two warnings of this package, printed by logging's handler of last resort.
    assert [line.split(":")[0] for line in run.stderr.splitlines()] == ["cam", "cam"]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("whole.mkv", {"options": {"bf": "2", "g": "10"}}),
        ("whole.avi", {"codec": "mpeg4", "options": {"g": "12"}}),
        ("whole.ts", {"codec": "mpeg2video", "options": {"flags": "+ildct+ilme"}, "container": "mpegts"}),
    ],
)
def test_damaged_clips_neither_hang_nor_abort(read_all, camera, clip, tmp_path, name, keys):
    """Forty clips with random damage each end, in order, or are refused; none ends the process."""
    whole = clip(tmp_path / name, EVEN, noisy=True, **keys).read_bytes()
    refused = 0
    for seed in range(40):
        dice = random.Random(seed)
        content = bytearray(whole)
        for _ in range(dice.choice([1, 30, 300])):
            at = dice.randrange(len(content))
            content[at : at + 4] = dice.randbytes(4)
        path = tmp_path / f"damaged-{seed}{name[5:]}"
        path.write_bytes(content[: dice.randrange(len(content))] if seed % 5 == 0 else content)
        try:
            times = [frame.monotonic for frame in read_all(open_source(camera(path), start=START))]
        except SourceError:
            refused += 1
        else:
            assert all(a < b for a, b in pairwise(times))
    assert refused < 20, "most of them can still be read"


def test_close_during_a_clip_ends_it(camera, clip, tmp_path):
    """After close() a read says that there is no more, and the file is released."""
    source = open_source(camera(clip(tmp_path / "clip.mp4", EVEN)), start=START)
    source.start()
    assert source.read(1.0) is not None
    assert source.status.state is SourceState.UP
    source.close()
    with pytest.raises(EndOfSource):
        source.read(1.0)


def test_a_name_with_a_colon_is_a_file(read_all, camera, clip, tmp_path, monkeypatch):
    """A relative name such as 12:30.mp4 is opened as a file, not taken for a protocol."""
    shutil.copy(clip(tmp_path / "clip.mp4", EVEN[:5]), tmp_path / "12:30.mp4")
    monkeypatch.chdir(tmp_path)
    assert len(read_all(open_source(camera("12:30.mp4"), start=START))) == 5


@pytest.mark.parametrize(
    ("name", "frames", "last"),
    [
        pytest.param("hangzhou_parked", 750, 29.960, marks=pytest.mark.long),
        ("intel_topdown", 377, 30.080),
        pytest.param("neg_indoor_person", 1394, 139.300, marks=pytest.mark.long),
        ("neg_people_walkway", 330, 10.967),
        pytest.param("suburb_road", 905, 37.646, marks=pytest.mark.long),
        ("tfl_dense_day", 268, 10.680),
        ("tfl_night", 273, 10.880),
        ("topdown_dusk", 480, 19.978),
        ("window_street", 734, 73.147),
    ],
)
def test_labelled_clips(camera, clips, caplog, name, frames, last):
    """Each labelled clip gives every frame that decodes; the one whose container claims more is warned about."""
    clip = tomllib.loads((clips / f"{name}.toml").read_text())["clip"]
    source = RecordedSource(camera(clips / clip), start=START)
    source.start()
    times = []
    with contextlib.suppress(EndOfSource):
        while frame := source.read(1.0):
            times.append(frame.monotonic)
    assert source.status.state is SourceState.ENDED
    assert all(a < b for a, b in pairwise(times))
    assert len(times) == frames
    assert times[-1] == pytest.approx(last, abs=0.001)
    warned = any(record.levelno >= logging.WARNING for record in caplog.records)
    assert warned == (name == "window_street")
