"""Tests that a recording gives back what was written, and that a damaged or wrong one is refused with the remedy."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.made_recordings import write_recording
from support.scripted import SIZE, SceneObject, ScriptedScene, car, frame_times, make_observation, straight

from edge.config.schema import MechanismsConfig, TrackerConfig
from edge.core.errors import RefusedError, SourceError
from edge.core.frames import Detection, FrameTime
from edge.core.shapes import Box
from edge.evaluation.recording import (
    RecordingWriter,
    read_recording,
    recorded_rate,
    recording_paths,
    recording_title,
)
from edge.tracking.observer import Observation
from edge.tracking.optical_flow import Displacements
from edge.tracking.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 5, 4, 12, 0, 0, 1, tzinfo=UTC)
HEAD = '{"at": 0.1, "captured_at": "2026-05-04T12:00:00+00:00", "size": [640, 360], '


def time_of(at: float) -> FrameTime:
    """The time of a frame ``at`` seconds after noon."""
    return FrameTime(NOON + timedelta(seconds=at), at, SIZE)


def write_frames(path: Path, frames: Sequence[tuple[float, Observation]]) -> Path:
    """Write a recording of these frames; returns its path."""
    writer = RecordingWriter(path, "clip.mp4")
    writer.start()
    for at, observation in frames:
        writer.add(observation, time_of(at))
    writer.close(complete=True)
    return path


def scene() -> list[tuple[float, Observation]]:
    """Two seconds of a car that a lorry hides for a while."""
    things = [
        SceneObject(straight(100, 200)),
        SceneObject(straight(500, -200, y=190), size=(160.0, 90.0), label="truck"),
    ]
    scripted = ScriptedScene(things)
    return [(round(at, 3), scripted.observe(at)) for at in frame_times(2.0, 10.0)]


def assert_same(found: Observation, expected: Observation) -> None:
    """Assert the same detections, and the same displacements in the same order, to the sign of a zero."""
    assert (found.size, found.detections) == (expected.size, tuple(expected.detections))
    assert found.moved.scale == expected.moved.scale
    for name in ("points", "moves"):
        array, wanted = getattr(found.moved, name), np.asarray(getattr(expected.moved, name), dtype=np.float64)
        assert array.dtype == np.float64
        assert array.shape == wanted.shape
        np.testing.assert_array_equal(array, wanted)
        np.testing.assert_array_equal(np.signbit(array), np.signbit(wanted))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    """A recording gives back each frame's time, boxes, classes, confidences and displacements, lost corners too."""
    frames = scene()
    corners = np.array([[1.25, 2.5], [3.0, 4.0], [5.0, 6.0]])
    mixed = Displacements(corners, np.array([[0, 0], [np.nan] * 2, [0.01, 0]]), 1.7)
    label = "cell phone ☎"
    frames.append((2.5, Observation.of_frame(SIZE, (Detection(Box(-1.5, 0, 640.0, 3.25), label, 0.0512),), mixed)))
    frames.append((3.0, Observation(SIZE, (), mixed, Box(96.0, 0.0, 352.0, 288.0))))
    frames.append((9.0, Observation.of_frame(SIZE, (), Displacements.none())))
    found = list(read_recording(write_frames(tmp_path / name, frames)))
    assert [recorded for recorded, _ in found] == [time_of(at) for at, _ in frames]
    for (_, expected), (_, observation) in zip(frames, found, strict=True):
        assert_same(observation, expected)


hundredths = st.integers(-64000, 64000).map(lambda number: number / 100)
corner_moves = st.one_of(
    st.just((0.0, 0.0)),
    st.just((np.nan, np.nan)),
    st.tuples(*[st.one_of(st.sampled_from([0.0, -0.0]), hundredths, st.floats(allow_nan=False, width=32))] * 2),
)
corner_rows = st.lists(st.tuples(hundredths, hundredths, corner_moves), max_size=12)


@given(corner_rows, st.floats(0.5, 8.0), st.booleans())
def test_corners_come_back_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float, tuple[float, float]]], pixel: float,
    whole: bool,
) -> None:  # fmt: skip
    """Whichever corners moved, stood or were lost, the arrays read are those written, also from arrays of integers."""
    points = np.array([(x, y) for x, y, _ in rows]).reshape(-1, 2)
    moves = np.array([move for _, _, move in rows], dtype=np.float64).reshape(-1, 2)
    if whole:
        points, moves = points.astype(np.int64), np.clip(np.nan_to_num(moves), -99, 99).astype(np.int64)
    observation = Observation.of_frame(SIZE, (), Displacements(points, moves, pixel))
    path = write_frames(tmp_path_factory.getbasetemp() / "order.jsonl", [(0.1, observation)])
    ((_, found),) = read_recording(path)
    assert_same(found, observation)


def test_still_corners_behind_the_last_moving_one_are_short(tmp_path: Path) -> None:
    """Corners that did not move are written without their zeros, except those among the moving corners."""
    points, moves = np.array([[1.0, 2.0]] * 4), np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    path = write_frames(
        tmp_path / "a.jsonl", [(0.1, Observation.of_frame(SIZE, (), Displacements(points, moves, 2.0)))]
    )
    frame = json.loads(path.read_text().splitlines()[1])
    assert frame["moved"] == [[1.0, 2.0, 1.0, 0.0], [1.0, 2.0, 0.0, 0.0], [1.0, 2.0, 2.0, 0.0]]
    assert frame["still"] == [[1.0, 2.0]]


def test_tracks_of_a_recording_are_those_of_the_clip(tmp_path: Path) -> None:
    """A tracker makes the same tracks of recorded observations as of the observations themselves."""
    frames = scene()
    path = write_frames(tmp_path / "a.jsonl.gz", frames)
    live, replayed = (Tracker(TrackerConfig(), MechanismsConfig(), "run") for _ in range(2))
    for (at, observation), (when, again) in zip(frames, read_recording(path), strict=True):
        assert replayed.update(again, when.monotonic) == live.update(observation, at)


def test_the_first_line_says_what_is_recorded(tmp_path: Path) -> None:
    """The first line names the format, its version, and the clip."""
    head = write_frames(tmp_path / "a.jsonl", []).read_text().splitlines()[0]
    assert json.loads(head) == {"format": "smartpark-observations", "version": 1, "clip": "clip.mp4"}
    assert list(read_recording(tmp_path / "a.jsonl")) == []


def test_a_file_has_its_name_only_when_it_is_complete(tmp_path: Path) -> None:
    """A recording that was not completed leaves nothing, and an earlier file of the name stays."""
    path = tmp_path / "a.jsonl"
    path.write_text("before")
    writer = RecordingWriter(path, "clip.mp4")
    writer.start()
    writer.add(make_observation(car(100)), time_of(0.0))
    assert path.read_text() == "before"
    writer.close(complete=False)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    writer.close(complete=True)
    assert path.read_text() == "before"
    write_frames(path, [])
    assert path.read_text() != "before"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2, "no json"),
        (3, '{"at": 0.1}'),
        (3, '{"at": "x", "captured_at": "2026-05-04T12:00:00+00:00", "size": [1, 2]}'),
        (4, "[1, 2]"),
        (4, HEAD + '"detections": [["car"]], "pixel": 1, "moved": [], "still": []}'),
        (4, HEAD + '"detections": [], "pixel": 1, "moved": [[1, 2, 3]], "still": []}'),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, number: int, text: str) -> None:
    """The message has the file and the number of the damaged line; the frames before it can be read."""
    path = write_frames(tmp_path / "a.jsonl", [(n / 10, make_observation(car(100 + n))) for n in range(5)])
    lines = path.read_text().splitlines()
    lines[number - 1] = text
    path.write_text("\n".join(lines))
    frames = read_recording(path)
    for _ in range(number - 2):
        next(frames)
    with pytest.raises(SourceError, match=rf"a\.jsonl: line {number} is damaged; record the clip again"):
        next(frames)


def test_a_compressed_recording_that_is_damaged_is_named(tmp_path: Path) -> None:
    """A file that ends early, has wrong bytes, or is no gzip file is named."""
    path = write_frames(tmp_path / "a.jsonl.gz", scene())
    whole = path.read_bytes()
    for damaged in (whole[:-200], whole[:300] + b"\xff" * 300 + whole[600:], whole[:-6] + b"\x00" * 6):
        path.write_bytes(damaged)
        with pytest.raises(SourceError, match=r"a\.jsonl\.gz"):
            list(read_recording(path))
    path.write_bytes(b"no gzip")
    with pytest.raises(SourceError, match=r"a\.jsonl\.gz"):
        list(read_recording(path))


@pytest.mark.parametrize(
    "head", ['{"format": "other", "version": 1}', '{"format": "smartpark-observations", "version": 99}']
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, head: str) -> None:
    """A file of another format or of a later version is refused."""
    (tmp_path / "a.jsonl").write_text(head + "\n")
    with pytest.raises(SourceError, match=r"a\.jsonl is no recording of this version"):
        list(read_recording(tmp_path / "a.jsonl"))


def test_empty_missing_and_unwritable_files_are_named(tmp_path: Path) -> None:
    """The message about an empty, missing or unwritable file names it and the remedy."""
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(SourceError, match=r"empty\.jsonl is empty; record the clip again"):
        list(read_recording(tmp_path / "empty.jsonl"))
    with gzip.open(tmp_path / "empty.jsonl.gz", "wt"):
        pass
    with pytest.raises(SourceError, match=r"empty\.jsonl\.gz is empty"):
        list(read_recording(tmp_path / "empty.jsonl.gz"))
    with pytest.raises(SourceError, match=r"none\.jsonl cannot be read"):
        list(read_recording(tmp_path / "none.jsonl"))
    with pytest.raises(SourceError, match=r"a\.jsonl cannot be written"):
        RecordingWriter(tmp_path / "no folder" / "a.jsonl", "clip.mp4").start()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    """A disk that is full when the last bytes are written raises an error, and no part of the file stays."""
    (tmp_path / f"{name}.partial").symlink_to("/dev/full")
    writer = RecordingWriter(tmp_path / name, "clip.mp4")
    writer.start()
    writer.add(make_observation(car(100)), time_of(0.0))
    with pytest.raises(SourceError, match=rf"{name} cannot be written: No space left on device; make room"):
        writer.close(complete=True)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_a_file_or_in_a_folder() -> None:
    """A name with a recording's ending is a file, for one clip; any other name is a folder."""
    assert recording_paths(Path("a/b.jsonl"), ["monday"]) == {"monday": Path("a/b.jsonl")}
    in_folder = {name: Path(f"a/b/{name}.jsonl.gz") for name in ("monday", "x")}
    assert recording_paths(Path("a/b"), ["monday", "x"]) == in_folder
    with pytest.raises(RefusedError, match="one file holds one clip; name a folder for the recordings of 2 clips"):
        recording_paths(Path("b.jsonl.gz"), ["monday", "x"])


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_a_recording_has_a_clip_and_a_rate(tmp_path: Path, ending: str) -> None:
    """A recording of another clip or rate is refused with the remedy."""
    file = tmp_path / f"some.{ending}"
    write_recording(file, recording_title("monday, late", 5.0), [], 0.2)
    assert recorded_rate(file, "monday, late", None) == recorded_rate(file, "monday, late", 5.0) == 5.0
    with pytest.raises(RefusedError, match="leave out --fps, or record with --fps 10"):
        recorded_rate(file, "monday, late", 10.0)
    with pytest.raises(RefusedError, match="is a recording of 'monday, late, 5 frames a second', not of monday"):
        recorded_rate(file, "monday", None)
    write_recording(file, recording_title("monday", None), [], 0.2)
    assert recorded_rate(file, "monday", None) is None
    with pytest.raises(RefusedError, match="was recorded at all frames"):
        recorded_rate(file, "monday", 5.0)


@given(st.floats(0.1, 240))
def test_a_rate_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, fps: float) -> None:
    """Any rate that can be asked for is read back the same, to six digits."""
    file = tmp_path_factory.getbasetemp() / "rate.jsonl"
    write_recording(file, recording_title("clip", float(f"{fps:g}")), [], 0.1)
    assert recorded_rate(file, "clip", None) == float(f"{fps:g}")


@pytest.mark.parametrize("content", [b"", b"not json\n", b"[]\n", b"{}\n", b"\xff\xfe"])
def test_a_file_that_is_no_recording_is_named(tmp_path: Path, content: bytes) -> None:
    """The message names the file and the remedy, for a compressed file too."""
    for name in ("x.jsonl", "x.jsonl.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError, match=name):
            recorded_rate(tmp_path / name, "x", None)
    with pytest.raises(SourceError, match=r"none\.jsonl cannot be read: No such file"):
        recorded_rate(tmp_path / "none.jsonl", "x", None)
