"""Tests of a snapshot without a daemon: the camera is opened, and refusals and silence have their sentences."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.camera_servers import MjpegServer, shown_number

from edge.config.schema import CameraConfig, Config, DetectorConfig
from edge.core.errors import SourceError
from edge.snapshot.camera_look import look_at_camera
from edge.snapshot.snapshot import DETECTED

if TYPE_CHECKING:
    from collections.abc import Iterator


NO_WEIGHTS = Config(detector=DetectorConfig(models_dir=Path("/nowhere")))


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    """A camera that asks for a password."""
    made = MjpegServer(fps=25, credentials="viewer:secret")
    made.start()
    yield made
    made.stop()


def camera(source: str, **keys: Any) -> CameraConfig:
    """A camera of that source."""
    return CameraConfig(id="entrance", source=source, **keys)


def test_a_live_camera_is_opened_with_its_password(server: MjpegServer) -> None:
    """The picture is a real one of the camera; without weights there are no boxes, and a note with the remedy."""
    configured = camera(f"http://127.0.0.1:{server.port}{server.path}", username="viewer", password="secret")
    snapshot = look_at_camera(configured, NO_WEIGHTS, 60.0)
    assert shown_number(snapshot.image) >= 0
    assert snapshot.boxes == ()
    assert "no boxes, for the detector cannot run: " in snapshot.notes[0]
    assert "smartpark models pull" in snapshot.notes[0]
    assert "secret" not in repr(snapshot.notes)


def test_a_camera_that_refuses_is_an_error_at_once(server: MjpegServer) -> None:
    """Nobody waits for the end of the time limit to hear that the password is wrong."""
    configured = camera(f"http://127.0.0.1:{server.port}{server.path}", username="viewer", password="hush")
    with pytest.raises(SourceError, match=r"camera entrance gives no picture: .*password") as caught:
        look_at_camera(configured, NO_WEIGHTS, 600.0)
    assert "hush" not in str(caught.value)


def test_a_camera_that_is_silent_is_an_error_in_time() -> None:
    """The time limit holds, and the message says how far the connection came, and how to wait longer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        configured = camera(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/stream")
        with pytest.raises(SourceError, match="camera entrance has given no picture within 2 s") as caught:
            look_at_camera(configured, NO_WEIGHTS, 2.0)
    assert "wait longer with --timeout" in str(caught.value)


@pytest.mark.parametrize("options", ["", "?loop=1&realtime=1"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, options: str) -> None:
    """A recording and a file that is played have the same sentence."""
    with pytest.raises(SourceError, match=r"clip\.mp4: there is no such file; check `source`"):
        look_at_camera(camera(f"{tmp_path / 'clip.mp4'}{options}"), NO_WEIGHTS, 600.0)


@pytest.mark.parametrize("source", ["sim:ramp?seed=3", "sim:ramp?seed=3&recorded=1"])
def test_a_simulated_camera(source: str) -> None:
    """It needs no network and no file."""
    snapshot = look_at_camera(camera(source), NO_WEIGHTS, 600.0)
    assert snapshot.image.shape == (360, 640, 3)
    assert snapshot.origin == "the camera's own picture, no daemon was asked"


def test_the_detector_runs_once(weights: Path, clips: Path) -> None:
    """With weights there are boxes of what it is sure of, and no notes."""
    config = Config(detector=DetectorConfig(models_dir=weights, threads=1))
    snapshot = look_at_camera(camera(str(clips / "hangzhou_parked.mp4")), config, 600.0)
    cars = [box for box in snapshot.boxes if box.label == "car"]
    assert len(cars) >= 2
    assert all(box.state == DETECTED and box.confidence >= 0.3 for box in snapshot.boxes)
    assert snapshot.notes == ()
