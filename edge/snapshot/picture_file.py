"""Encodes pictures, and writes them to files that are never half-written."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import cv2

from edge.core.errors import SourceError, shown_name

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.frames import Image

PICTURE_ENDINGS = (".jpg", ".jpeg", ".png")
# Thin coloured lines lose their colour where it is stored at half the resolution.
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
# A user's picture is for people to read.
_MODE = 0o644


def check_ending(path: Path) -> None:
    """Raise ``SourceError`` with the remedy where a file's ending is none of ``PICTURE_ENDINGS``."""
    if path.suffix.lower() not in PICTURE_ENDINGS:
        ending = shown_name(path.suffix) or "a file without an ending"
        raise SourceError(f"{shown_name(path)}: pictures cannot be written as {ending}; name a .png or .jpg")


def encode_picture(image: Image, ending: str) -> bytes:
    """The bytes of a file with that ending, one of ``PICTURE_ENDINGS``."""
    encoded, data = cv2.imencode(ending.lower(), image, () if ending.lower() == ".png" else _JPEG)
    assert encoded, "OpenCV encodes every image as PNG and JPEG"
    return data.tobytes()


def save_picture(path: Path, image: Image) -> None:
    """Write a picture; the file gets its name when all of it is written.

    Raises ``SourceError`` where the file cannot be written, or its ending is none of ``PICTURE_ENDINGS``.
    """
    check_ending(path)
    data = encode_picture(image, path.suffix)
    partial = path.with_name(f".{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as file:  # noqa: PTH123
                file.write(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise SourceError(f"{shown_name(path)} cannot be written: {error.strerror}; choose another place") from error
