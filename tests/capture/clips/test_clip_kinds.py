"""Files that are no video file: what is refused before native code sees it, and names that hold any byte."""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.capture.clips.clip_file import content_digest, open_clip
from edge.config.camera_address import clip_address
from edge.core.errors import SourceError, shown_name
from edge.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.config.schema import CameraConfig
    from edge.core.frames import Frame

START = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
EVEN = [number / 25 for number in range(10)]
NAMES = (
    b"bad\xff.mp4",
    b"\xff\xfe",
    b"two\nlines.mp4",
    b"tab\there.mkv",
    "größe €.mp4".encode(),
    b"'\"%d{}$(x).mp4",
    b" .mp4 ",
)


@pytest.fixture
def kinds(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """A file of each kind that is no video file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        yield {
            "a named pipe": tmp_path / "pipe",
            "a folder": tmp_path / "folder",
            "a socket": tmp_path / "socket",
            "a device": Path("/dev/zero"),
            "is empty": tmp_path / "empty",
            "Too many levels of symbolic links": tmp_path / "loop",
            "there is no such file": tmp_path / "nowhere",
            "File name too long": tmp_path / ("x" * 300),
            "Not a directory": tmp_path / "empty" / "x.mp4",
        }


def test_what_is_no_file_is_refused(camera: Callable[..., CameraConfig], kinds: dict[str, Path]) -> None:
    """A folder, pipe, socket, device or wrong name is named with a remedy, and nothing waits for it."""
    for words, path in kinds.items():
        source = open_source(camera(clip_address(path)), start=START)
        begun = time.monotonic()
        with pytest.raises(SourceError, match=words) as caught:
            source.start()
        assert str(path)[:40] in str(caught.value)
        assert any(remedy in str(caught.value) for remedy in ("name a video", "copy it", "check")), caught.value
        with pytest.raises(SourceError, match=words):
            content_digest(path)
        assert time.monotonic() - begun < 60, "a pipe without a writer must not be waited for"
        source.close()


def test_a_name_with_a_nul_is_refused() -> None:
    """No file can have such a name; the C library would cut it off there."""
    with pytest.raises(SourceError, match=r"a\\x00b\.mp4 cannot be a file's name"):
        open_clip(Path("a\0b.mp4"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    """The message names the file and its rights."""
    path = tmp_path / "secret.mp4"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(SourceError, match=r"secret\.mp4 cannot be read: Permission denied; check"):
        open_clip(path)


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_clip_plays_whatever_its_name(
    read_all: Callable[..., list[Frame]],
    camera: Callable[..., CameraConfig],
    clip: Callable[..., Path],
    tmp_path: Path,
    name: bytes,
) -> None:
    """Names that are not UTF-8, have line ends, patterns or spaces at their ends are played like any other."""
    path = tmp_path / os.fsdecode(name)
    clip(tmp_path / "clip.mp4", EVEN).rename(path)
    assert len(read_all(open_source(camera(clip_address(path)), start=START))) == len(EVEN)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nclip.ts\n", "list.m3u8"),
        (b"ffconcat version 1.0\nfile 'clip.ts'\n", "list.ffconcat"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n", "camera.sdp"),
    ],
)
def test_a_playlist_opens_nothing(
    camera: Callable[..., CameraConfig], clip: Callable[..., Path], tmp_path: Path, content: bytes, name: str
) -> None:
    """A file that names other files or addresses is refused: a clip is one file."""
    clip(tmp_path / "clip.ts", EVEN)
    (tmp_path / name).write_bytes(content)
    source = open_source(camera(tmp_path / name), start=START)
    with pytest.raises(SourceError, match=name):
        source.start()


@pytest.mark.parametrize("codec", ["mjpeg", "png"])
def test_a_picture_file_is_no_clip(
    read_all: Callable[..., list[Frame]], camera: Callable[..., CameraConfig], tmp_path: Path, codec: str
) -> None:
    """A single picture is refused at its end at the latest, for nothing can be counted in it."""
    image = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
    path = tmp_path / {"mjpeg": "a%d.jpg", "png": "a.png"}[codec]
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    with pytest.raises(SourceError, match=r"a(%d)?\.(jpg|png)"):
        read_all(open_source(camera(path), start=START))


def test_printable() -> None:
    """A name in a message is on one line, without control characters and not endless."""
    assert shown_name(os.fsdecode(b"a\xffb")) == "a\\xffb"
    assert shown_name("two\nlines \x1b[31m") == "two\\nlines \\x1b[31m"
    assert shown_name("größe") == "größe"
    assert len(shown_name("x" * 5000)) < 400
