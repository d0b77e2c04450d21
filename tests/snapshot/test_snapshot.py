"""Tests of what the daemon sends over its socket: it arrives as it was, and anything else is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.core.frames import Frame
from edge.core.shapes import Box
from edge.core.tracks import Track, TrackState
from edge.host.control_socket import ControlAnswer
from edge.snapshot.snapshot import DaemonPicture, SnapshotBox, region_shown, snapshot_of_answer

from .conftest import TAKEN_AT, make_gate

if TYPE_CHECKING:
    from edge.config.schema import GateConfig

TRACK = Track("20261128T1740a-12", TrackState.LOST, Box(1, 2, 30.5, 40.25), "car", 0.83, 12.0)


def daemon_picture(gates: tuple[GateConfig, ...] = (), **keys: Any) -> DaemonPicture:
    """A picture of 32 x 20 pixels, with a track."""
    image = np.arange(20 * 32 * 3, dtype=np.uint8).reshape((20, 32, 3))
    values: dict[str, Any] = {
        "frame": Frame(image, TAKEN_AT, 12.0, 7),
        "age": 0.44,
        "state": "up",
        "problem": "",
        "gates": gates,
        "region": None,
        "boxes": (SnapshotBox.of_track(TRACK),),
    }
    return DaemonPicture(**{**values, **keys})


def sent(picture: DaemonPicture) -> ControlAnswer:
    """The answer as it comes out of the socket, with what JSON makes of its fields."""
    answer = picture.to_answer()
    return ControlAnswer(json.loads(json.dumps(answer.fields, allow_nan=False)), answer.body)


def test_a_region_is_shown_unless_it_is_the_whole_frame() -> None:
    """As fractions of the frame."""
    assert region_shown(Box(480, 270, 1440, 1080), (1920, 1080)) == (0.25, 0.25, 0.75, 1.0)
    assert region_shown(Box(0, 0, 1920, 1080), (1920, 1080)) is None


def test_a_picture_arrives_as_it_was() -> None:
    """Pixels, time, tracks, gates, region and problem."""
    gates = (make_gate(outside_floor="Tiefgarage Süd"),)
    picture = daemon_picture(gates, region=(0.1, 0.2, 0.9, 1.0), problem="the picture is dark")
    snapshot = snapshot_of_answer("entrance", sent(picture), gates)
    assert (snapshot.image == picture.frame.image).all()
    assert (snapshot.camera_id, snapshot.captured_at) == ("entrance", TAKEN_AT)
    assert snapshot.boxes == (SnapshotBox(TRACK.box, "car", 0.83, "lost", TRACK.track_id),)
    assert (snapshot.gates, snapshot.region) == (gates, (0.1, 0.2, 0.9, 1.0))
    assert snapshot.problem == "the picture is dark"
    assert snapshot.origin == "the daemon's picture, 0.4 s old, camera up"
    assert snapshot.notes == ()


def test_a_recording_has_no_age() -> None:
    """Its pictures are as old as the recording."""
    answer = sent(daemon_picture(age=None, state="ended"))
    assert snapshot_of_answer("entrance", answer, ()).origin == "the daemon's picture, camera ended"


def test_numbers_of_numpy_can_be_sent() -> None:
    """The tracker works with NumPy's numbers, which JSON does not know."""
    box: Any = Box(*np.array([1, 2, 3, 4], dtype=np.float32))
    confidence: Any = np.float64(0.5)
    answer = sent(daemon_picture(boxes=(SnapshotBox(box, "car", confidence),)))
    assert snapshot_of_answer("entrance", answer, ()).boxes[0].box == Box(1, 2, 3, 4)


def test_gates_that_were_changed_in_the_file_are_drawn_with_a_note() -> None:
    """An installer sees the new line before the daemon is restarted, and is reminded of it."""
    new = (make_gate(line=((0.2, 0.5), (0.8, 0.5))),)
    snapshot = snapshot_of_answer("entrance", sent(daemon_picture((make_gate(),))), new)
    assert snapshot.gates == new
    assert "restart it to use these" in snapshot.notes[0]


@pytest.mark.parametrize(
    "answer",
    [
        ControlAnswer({}, b""),
        ControlAnswer({**daemon_picture().to_answer().fields, "width": 33}, daemon_picture().to_answer().body),
        ControlAnswer({**daemon_picture().to_answer().fields, "boxes": [{}]}, daemon_picture().to_answer().body),
        ControlAnswer({**daemon_picture().to_answer().fields, "region": [1]}, daemon_picture().to_answer().body),
        ControlAnswer({**daemon_picture().to_answer().fields, "gates": [{}]}, daemon_picture().to_answer().body),
    ],
)
def test_an_answer_of_another_version_is_refused(answer: ControlAnswer) -> None:
    """The command then opens the camera itself."""
    with pytest.raises(ValueError):  # noqa: PT011 - the text is not shown alone
        snapshot_of_answer("entrance", answer, ())
