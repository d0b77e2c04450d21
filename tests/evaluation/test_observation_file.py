"""Observations on disk: what is written comes back the same, and what is damaged is named."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted import SIZE, SceneObject, ScriptedScene, car, frame_times, make_observation, straight

from edge.config.schema import MechanismsConfig, TrackerConfig
from edge.core.errors import SourceError
from edge.core.frames import Detection, FrameTime
from edge.core.shapes import Box
from edge.evaluation.observation_file import Recorder, read_recording
from edge.tracking.observer import Observation
from edge.tracking.optical_flow import Displacements
from edge.tracking.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOON = datetime(2026, 5, 4, 12, 0, 0, 1, tzinfo=UTC)
HEAD = '{"at": 0.1, "captured_at": "2026-05-04T12:00:00+00:00", "size": [640, 360], '


def moment(at: float) -> FrameTime:
    """The moment of a frame ``at`` seconds after noon."""
    return FrameTime(NOON + timedelta(seconds=at), at, SIZE)


def written(path: Path, frames: Sequence[tuple[float, Observation]]) -> Path:
    """A recording of these frames."""
    recorder = Recorder(path, "clip.mp4")
    recorder.start()
    for at, observation in frames:
        recorder.add(observation, moment(at))
    recorder.close(complete=True)
    return path


def scene() -> list[tuple[float, Observation]]:
    """Two seconds of a car that another one hides for a while."""
    things = [
        SceneObject(straight(100, 200)),
        SceneObject(straight(500, -200, y=190), size=(160.0, 90.0), label="truck"),
    ]
    scripted = ScriptedScene(things)
    return [(round(at, 3), scripted.observe(at)) for at in frame_times(2.0, 10.0)]


def assert_same(found: Observation, expected: Observation) -> None:
    """The same detections, and the same displacements in the same order, to the sign of a zero."""
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
    frames.append((2.5, Observation(SIZE, (Detection(Box(-1.5, 0, 640.0, 3.25), label, 0.0512),), mixed)))
    frames.append((9.0, Observation(SIZE, (), Displacements.none())))
    found = list(read_recording(written(tmp_path / name, frames)))
    assert [recorded for recorded, _ in found] == [moment(at) for at, _ in frames]
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
    observation = Observation(SIZE, (), Displacements(points, moves, pixel))
    path = written(tmp_path_factory.getbasetemp() / "order.jsonl", [(0.1, observation)])
    ((_, found),) = read_recording(path)
    assert_same(found, observation)


def test_corners_that_stand_behind_the_last_moving_one_are_short(tmp_path: Path) -> None:
    """The many corners that did not move are written without their zeros, but for those among the moving ones."""
    points, moves = np.array([[1.0, 2.0]] * 4), np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    path = written(tmp_path / "a.jsonl", [(0.1, Observation(SIZE, (), Displacements(points, moves, 2.0)))])
    frame = json.loads(path.read_text().splitlines()[1])
    assert frame["moved"] == [[1.0, 2.0, 1.0, 0.0], [1.0, 2.0, 0.0, 0.0], [1.0, 2.0, 2.0, 0.0]]
    assert frame["still"] == [[1.0, 2.0]]


def test_tracks_of_a_recording_are_those_of_the_clip(tmp_path: Path) -> None:
    """That is what it is for."""
    frames = scene()
    path = written(tmp_path / "a.jsonl.gz", frames)
    live, replayed = (Tracker(TrackerConfig(), MechanismsConfig(), "run") for _ in range(2))
    for (at, observation), (when, again) in zip(frames, read_recording(path), strict=True):
        assert replayed.update(again, when.monotonic) == live.update(observation, at)


def test_the_head_says_what_is_recorded(tmp_path: Path) -> None:
    """The first line is for people and for later versions."""
    head = written(tmp_path / "a.jsonl", []).read_text().splitlines()[0]
    assert json.loads(head) == {"format": "smartpark-observations", "version": 1, "clip": "clip.mp4"}
    assert list(read_recording(tmp_path / "a.jsonl")) == []


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    """What breaks off leaves nothing, and what was there before stays."""
    path = tmp_path / "a.jsonl"
    path.write_text("before")
    recorder = Recorder(path, "clip.mp4")
    recorder.start()
    recorder.add(make_observation(car(100)), moment(0.0))
    assert path.read_text() == "before"
    recorder.close(complete=False)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    recorder.close(complete=True)
    assert path.read_text() == "before"
    written(path, [])
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
    """With the file and the line's number; the frames before it are given."""
    path = written(tmp_path / "a.jsonl", [(n / 10, make_observation(car(100 + n))) for n in range(5)])
    lines = path.read_text().splitlines()
    lines[number - 1] = text
    path.write_text("\n".join(lines))
    frames = read_recording(path)
    for _ in range(number - 2):
        next(frames)
    with pytest.raises(SourceError, match=rf"a\.jsonl: line {number} is damaged; record the clip again"):
        next(frames)


def test_a_compressed_recording_that_is_damaged_is_named(tmp_path: Path) -> None:
    """One that ends in the middle, whose bytes are wrong, or that is no gzip file at all."""
    path = written(tmp_path / "a.jsonl.gz", scene())
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
    """Or of a later version."""
    (tmp_path / "a.jsonl").write_text(head + "\n")
    with pytest.raises(SourceError, match=r"a\.jsonl is no recording of this version"):
        list(read_recording(tmp_path / "a.jsonl"))


def test_empty_missing_and_unwritable_files_are_named(tmp_path: Path) -> None:
    """Each in one sentence with the remedy."""
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
        Recorder(tmp_path / "no folder" / "a.jsonl", "clip.mp4").start()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_disk_without_room_is_told_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    """Also when the last bytes are the ones that do not fit."""
    (tmp_path / f"{name}.partial").symlink_to("/dev/full")
    recorder = Recorder(tmp_path / name, "clip.mp4")
    recorder.start()
    recorder.add(make_observation(car(100)), moment(0.0))
    with pytest.raises(SourceError, match=rf"{name} cannot be written: No space left on device; make room"):
        recorder.close(complete=True)
    assert list(tmp_path.iterdir()) == []
