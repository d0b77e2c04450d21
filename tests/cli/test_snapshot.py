"""Tests of the command snapshot: what it writes and where, what it refuses, and whom it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from support.command_line import run_in_process

from edge.core.errors import RefusedError
from edge.core.frames import Frame
from edge.host.control_server import ControlServer
from edge.host.control_socket import ControlAnswer
from edge.simulator.source import RECORDED_START
from edge.snapshot.snapshot import DaemonPicture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONFIG = """
[database]
path = "{folder}/smartpark.db"

[detector]
models_dir = "{folder}"

[[floors]]
name = "Ground Floor"
total_slots = 50

[[cameras]]
id = "ramp"
source = "sim:ramp?seed=3&recorded=1"

[[cameras]]
id = "gone"
source = "{folder}/clip.mp4"
"""
SIZE = (96, 64)


@pytest.fixture
def snapshot(tmp_path: Path) -> Callable[..., Any]:
    """Runs ``smartpark snapshot`` in a folder with a configuration, without weights, and checks its exit code."""
    (tmp_path / "smartpark.toml").write_text(CONFIG.format(folder=tmp_path))

    def run(*arguments: str, code: int = 0) -> Any:
        environ = {"SMARTPARK_CONFIG": str(tmp_path / "smartpark.toml")}
        done = run_in_process(["snapshot", *arguments], environ, tmp_path)
        assert done.returncode == code, f"{done.returncode}\n{done.stdout:.300}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Callable[..., list[Any]]]:
    """A socket of a daemon with a function that answers requests for snapshots; gives the list of their arguments."""
    servers: list[ControlServer] = []

    def start(answer: Callable[[], ControlAnswer]) -> list[Any]:
        asked: list[Any] = []

        def handle(arguments: Any) -> ControlAnswer:
            asked.append(arguments)
            return answer()

        (tmp_path / "smartpark.db").touch()
        servers.append(ControlServer(tmp_path / "smartpark.db", {"snapshot": handle}))
        servers[-1].start()
        return asked

    yield start
    for server in servers:
        server.close()


def red_picture() -> ControlAnswer:
    """The answer of a daemon: a red picture."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[:] = (0, 0, 200)
    return DaemonPicture(Frame(image, RECORDED_START, 1.0, 1), 0.3, "up", "", (), None, ()).to_answer()


def is_red(path: Path) -> bool:
    """Whether the picture in a file is mostly red, between the lines of the grid."""
    image = cv2.imread(str(path))
    assert image is not None
    return bool(np.median(image[..., 2]) > 150 > 60 > np.median(image[..., 0]))


def test_without_a_daemon_the_camera_is_opened(snapshot: Callable[..., Any], tmp_path: Path) -> None:
    """The picture is in a file with the camera's name; that no daemon was asked stands on stderr."""
    done = snapshot("ramp")
    assert "no daemon listens there" in done.stderr
    assert "the camera is opened" in done.stderr
    assert "snapshot-ramp.jpg: 1360 x " in done.stderr
    image = cv2.imread(str(tmp_path / "snapshot-ramp.jpg"))
    assert image is not None
    assert image.shape[1] == 1360
    assert not is_red(tmp_path / "snapshot-ramp.jpg")


def test_a_daemon_is_asked(snapshot: Callable[..., Any], daemon: Callable[..., Any], tmp_path: Path) -> None:
    """Its picture is written, and the camera is left alone."""
    asked = daemon(red_picture)
    done = snapshot("gone", "-o", "here.png")
    assert asked == [{"camera": "gone"}]
    assert is_red(tmp_path / "here.png")
    assert "the daemon's picture, 0.3 s old, camera up" in done.stderr


def test_a_daemon_without_a_picture_says_why(
    snapshot: Callable[..., Any], daemon: Callable[..., Any], tmp_path: Path
) -> None:
    """The camera is not opened a second time, because many take one connection only."""
    daemon(lambda: ControlAnswer({"missing": "10.0.0.5 refuses the password"}))
    done = snapshot("ramp", code=1)
    assert done.stderr == "error: camera ramp: 10.0.0.5 refuses the password\n"
    assert not (tmp_path / "snapshot-ramp.jpg").exists()


def refuse() -> ControlAnswer:
    """Answer as a daemon of an older version."""
    raise RefusedError("the daemon has no request 'snapshot'; it is of another version than this program")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda: ControlAnswer({"unknown": True}), "has no camera 'ramp'; restart it"),
        (lambda: ControlAnswer({"width": 5}), "the daemon's answer is no snapshot"),
        (refuse, "it is of another version than this program"),
    ],
)
def test_a_daemon_that_cannot_help(
    snapshot: Callable[..., Any],
    daemon: Callable[..., Any],
    tmp_path: Path,
    answer: Callable[[], ControlAnswer],
    why: str,
) -> None:
    """A camera that was just configured is opened, and stderr says why."""
    daemon(answer)
    done = snapshot("ramp")
    assert f"{why}" in done.stderr
    assert "; the camera is opened" in done.stderr
    assert (tmp_path / "snapshot-ramp.jpg").exists()


def test_an_unknown_camera(snapshot: Callable[..., Any]) -> None:
    """The message lists those that there are."""
    done = snapshot("exit", code=1)
    assert done.stderr == "error: there is no camera 'exit'; the configuration has: ramp, gone\n"


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["ramp", "-o", "a.gif"], 1, "a.gif: pictures cannot be written as .gif; name a .png or .jpg"),
        (["ramp", "-o", "-", "--sixel"], 2, "-o - and --sixel both write to stdout; choose one"),
        (["ramp", "--timeout", "0"], 2, "--timeout"),
        (["gone"], 1, "clip.mp4: there is no such file; check `source`"),
        (["ramp", "-o", "none/a.png"], 1, "none/a.png cannot be written: No such file or directory"),
    ],
)
def test_what_is_refused(
    snapshot: Callable[..., Any], tmp_path: Path, arguments: list[str], code: int, why: str
) -> None:
    """Each message has the remedy, and no file is left behind."""
    before = sorted(tmp_path.iterdir())
    assert why in snapshot(*arguments, code=code).stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("option", "begins"), [("--sixel", "\x1bP0;1;0q"), ("--kitty", "\x1b_Ga=T,f=100")])
def test_a_terminal_gets_the_picture(
    snapshot: Callable[..., Any], daemon: Callable[..., Any], tmp_path: Path, option: str, begins: str
) -> None:
    """It is on stdout, and in a file only where one is named."""
    daemon(red_picture)
    assert snapshot("ramp", option).stdout.startswith(begins)
    assert not (tmp_path / "snapshot-ramp.jpg").exists()
    snapshot("ramp", option, "-o", "a.png")
    assert is_red(tmp_path / "a.png")
