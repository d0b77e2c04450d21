"""Tests of writing pictures: the formats, whole or not at all, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.core.errors import SourceError
from edge.snapshot import picture_file
from edge.snapshot.picture_file import encode_picture, save_picture

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = np.zeros((48, 64, 3), np.uint8)
IMAGE[:, 32:] = (0, 225, 255)


@pytest.mark.parametrize(
    ("name", "begins"), [("a.jpg", b"\xff\xd8"), ("a.JPEG", b"\xff\xd8"), ("ü \n.png", b"\x89PNG")]
)
def test_the_ending_chooses_the_format(tmp_path: Path, name: str, begins: bytes) -> None:
    """The file has the picture, may be read by all, and nothing else is left in the folder."""
    save_picture(tmp_path / name, IMAGE)
    data = (tmp_path / name).read_bytes()
    assert data.startswith(begins)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    assert np.abs(read.astype(int) - IMAGE).mean() < 3
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_thin_lines_keep_their_colour_in_a_jpeg() -> None:
    """A line of one pixel in a gate's colour is of that colour still."""
    image = np.full((48, 64, 3), 120, np.uint8)
    image[20] = (0, 225, 255)
    read = cv2.imdecode(np.frombuffer(encode_picture(image, ".jpg"), np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    assert np.abs(read[20].astype(int) - (0, 225, 255)).max() < 40


@pytest.mark.parametrize(
    ("name", "ending"), [("a.gif", ".gif"), ("a", "a file without an ending"), (".png", "without")]
)
def test_an_ending_that_is_no_picture_is_refused(tmp_path: Path, name: str, ending: str) -> None:
    """The message has the remedy."""
    with pytest.raises(SourceError, match=ending) as caught:
        save_picture(tmp_path / name, IMAGE)
    assert "name a .png or .jpg" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full the picture of before stays, and nothing is left beside it."""
    path = tmp_path / "a.png"
    save_picture(path, IMAGE)
    before = path.read_bytes()
    monkeypatch.setattr(picture_file, "encode_picture", lambda image, ending: before * 10_000)

    class FullDisk:
        """A file on a disk that becomes full."""

        def __init__(self, descriptor: int, mode: str) -> None:
            self.file = open(descriptor, mode)  # noqa: SIM115 - closed by __exit__

        def __enter__(self) -> FullDisk:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> None:
            """Write a part of it."""
            self.file.write(data[:100])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(picture_file, "open", FullDisk, raising=False)
    with pytest.raises(SourceError, match="No space left on device; choose another place"):
        save_picture(path, IMAGE)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(SourceError, match=r"none/a\.png cannot be written: No such file or directory"):
        save_picture(tmp_path / "none" / "a.png", IMAGE)
