"""Video that cameras and recorders really write: interlaced, turned, with odd streams and times, changing size."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest
from support.camera_servers import HEIGHT, WIDTH, numbered

from edge.capture.clips import pictures
from edge.core.errors import SourceError
from edge.core.source import EndOfSource
from edge.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edge.config.schema import CameraConfig
    from edge.core.frames import Frame, Image
    from edge.core.source import Source

    ReadAll = Callable[[Source], list[Frame]]
    MakeCamera = Callable[..., CameraConfig]

START = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
PICTURES = 40
# The fields of interlaced video, by the encoder that writes them.
INTERLACED = [
    ("top.mp4", "libx264", {"preset": "ultrafast", "x264-params": "tff=1"}),
    ("bottom.mp4", "libx264", {"preset": "ultrafast", "x264-params": "bff=1"}),
    ("mpeg2.ts", "mpeg2video", {"flags": "+ildct+ilme", "qmin": "1", "qmax": "2"}),
]
# The matrix of an MP4's track header for each turn, as the telephone or camera that was held so writes it: a, b, c, d.
TURNS = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def encode(
    path: Path,
    images: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    first: int = 0,
) -> Path:
    """Write a clip of 25 pictures a second whose first has the number ``first``; returns ``path``."""
    with av.open(str(path), "w", options=container_options or {}) as output:
        stream: Any = output.add_stream(codec, rate=25, options=options or {"preset": "ultrafast"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number, image in enumerate(images, start=first):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def read_with_opencv(path: Path) -> Iterator[np.ndarray]:
    """The pictures of a clip as OpenCV reads it."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    while (read := capture.read())[0]:
        yield read[1]
    capture.release()


def bar(at: int, *, later: int = 0) -> Image:
    """A white bar, whose odd lines were taken when it was ``later`` pixels further."""
    image = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    image[0::2, at : at + 24] = 220
    image[1::2, at + later : at + later + 24] = 220
    return image


@pytest.mark.parametrize(("name", "codec", "options"), INTERLACED)
def test_every_interlaced_picture_is_read(
    read_all: ReadAll,
    camera: MakeCamera,
    number_in: Callable[[Image], int],
    tmp_path: Path,
    name: str,
    codec: str,
    options: dict[str, str],
) -> None:
    """Each picture comes once, in order, at its own time, whichever field is first, with and without a rate."""
    path = encode(tmp_path / name, [numbered(n) for n in range(PICTURES)], codec=codec, options=options)
    frames = read_all(open_source(camera(path), start=START))
    assert [number_in(frame.image) for frame in frames] == list(range(PICTURES))
    assert [frame.sequence for frame in frames] == list(range(PICTURES))
    assert [frame.monotonic for frame in frames] == pytest.approx([n / 25 for n in range(PICTURES)], abs=0.0006)
    paced = read_all(open_source(camera(path, fps=5), start=START))
    assert [number_in(frame.image) for frame in paced] == [0, 5, 10, 15, 20, 25, 30, 35]


def test_two_fields_become_one_picture(read_all: ReadAll, camera: MakeCamera, tmp_path: Path) -> None:
    """What moves from field to field has no comb at its edges."""
    moving = [bar(20 + 8 * n, later=4) for n in range(10)]
    path = encode(tmp_path / "moving.mp4", moving, options={"preset": "ultrafast", "qp": "1", "x264-params": "tff=1"})
    frames = read_all(open_source(camera(path), start=START))
    assert len(frames) == len(moving)

    def comb(image: Image) -> float:
        lines = image[:, :, 1].astype(int)
        return float(np.abs(2 * lines[2:-2] - lines[1:-3] - lines[3:-1]).mean())

    for raw, frame in zip(moving[2:-2], frames[2:-2], strict=True):
        assert comb(frame.image) < comb(raw) / 4


def test_a_clip_may_become_interlaced_on_the_way(
    read_all: ReadAll, camera: MakeCamera, number_in: Callable[[Image], int], tmp_path: Path
) -> None:
    """Pictures that are not interlaced, before and after those that are, keep their order and their number."""
    parts = [
        encode(tmp_path / f"{part}.ts", [numbered(n) for n in range(10 * part, 10 * part + 10)], options=options)
        for part, options in enumerate(
            [{"preset": "ultrafast"}, {"preset": "ultrafast", "x264-params": "tff=1"}, {"preset": "ultrafast"}]
        )
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = read_all(open_source(camera(path), start=START))
    assert [number_in(frame.image) for frame in frames] == list(range(30))


@pytest.mark.parametrize("turn", [0, *TURNS])
def test_pictures_are_upright_and_those_of_opencv(
    read_all: ReadAll, camera: MakeCamera, tmp_path: Path, turn: int
) -> None:
    """The pixels are those that OpenCV's VideoCapture gives, also of a clip that says how its camera was held."""
    noise = np.random.default_rng(3).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    path = encode(tmp_path / "turned.mp4", [np.roll(smooth, 5 * n, axis=1) for n in range(5)])
    if turn:
        content = bytearray(path.read_bytes())
        at = content.index(b"tkhd") + 44
        a, b, c, d = (value * 65536 for value in TURNS[turn])
        content[at : at + 36] = b"".join(
            value.to_bytes(4, "big", signed=True) for value in (a, b, 0, c, d, 0, 0, 0, 1 << 30)
        )
        path.write_bytes(content)
    frames = read_all(open_source(camera(path), start=START))
    expected = list(read_with_opencv(path))
    assert expected[0].shape == ((WIDTH, HEIGHT, 3) if turn in (90, 270) else (HEIGHT, WIDTH, 3))
    assert len(frames) == len(expected)
    for frame, image in zip(frames, expected, strict=True):
        assert frame.image.shape == image.shape
        assert np.abs(frame.image.astype(int) - image).max() <= 1


def test_a_change_of_size_is_scaled_and_reported(
    read_all: ReadAll, camera: MakeCamera, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All frames have the first picture's size, and a warning says so."""
    small = [cv2.resize(numbered(n), (WIDTH // 2, HEIGHT // 2)) for n in range(10)]
    path = tmp_path / "joined.ts"
    path.write_bytes(
        encode(tmp_path / "a.ts", [numbered(n) for n in range(10)]).read_bytes()
        + encode(tmp_path / "b.ts", small).read_bytes()
    )
    frames = read_all(open_source(camera(path), start=START))
    assert len(frames) == 20
    assert {frame.image.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
    assert f"changes its picture's size from {WIDTH}x{HEIGHT} to {WIDTH // 2}x{HEIGHT // 2}" in caplog.text


def test_the_stream_that_moves_is_read(
    read_all: ReadAll, camera: MakeCamera, number_in: Callable[[Image], int], tmp_path: Path
) -> None:
    """A still picture as the first video stream is passed over; of two that move the first is read."""
    images = [numbered(n) for n in range(PICTURES)]
    path = tmp_path / "still-first.mkv"
    with av.open(str(path), "w") as output:
        streams: list[Any] = []
        for codec, pixels in (("mjpeg", "yuvj420p"), ("libx264", "yuv420p"), ("libx264", "yuv420p")):
            stream: Any = output.add_stream(codec, rate=25, options={"preset": "ultrafast"} if pixels[3] == "4" else {})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
            streams.append(stream)
        for number, image in enumerate(images):
            for index, stream in enumerate(streams[number > 0 :], start=number > 0):
                shown = image if index < 2 else numbered(99)
                frame = av.VideoFrame.from_ndarray(shown, format="bgr24").reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = number, Fraction(1, 25)
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode())
    frames = read_all(open_source(camera(path), start=START))
    assert [number_in(frame.image) for frame in frames] == list(range(PICTURES))


def test_first_frames_without_times_keep_their_distance(
    read_all: ReadAll, camera: MakeCamera, number_in: Callable[[Image], int], tmp_path: Path
) -> None:
    """In a cut that begins before its second 0 Matroska gives the first frames no time; the rate gives it."""
    path = encode(
        tmp_path / "cut.mkv",
        [numbered(n) for n in range(PICTURES)],
        options={"preset": "ultrafast", "bf": "0"},
        container_options={"avoid_negative_ts": "disabled"},
        first=-12,
    )
    with av.open(str(path)) as container:
        assert [frame.pts for frame in container.decode(video=0)][:12] == [None] * 12
    frames = read_all(open_source(camera(path), start=START))
    assert [frame.monotonic for frame in frames] == pytest.approx([n / 25 for n in range(PICTURES)], abs=0.001)
    paced = read_all(open_source(camera(path, fps=5), start=START))
    assert [number_in(frame.image) for frame in paced] == [0, 5, 10, 15, 20, 25, 30, 35]


@pytest.mark.parametrize("count", [1, PICTURES])
def test_pictures_that_never_change_are_an_error(camera: MakeCamera, tmp_path: Path, count: int) -> None:
    """In a clip of the same picture again and again nothing can be counted, and its end says so."""
    noise = np.random.default_rng(5).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    path = encode(tmp_path / "still.mp4", [cv2.GaussianBlur(noise, (0, 0), 2)] * count)
    source = open_source(camera(path), start=START)
    source.start()
    for _ in range(count):
        assert source.read(1.0) is not None
    with pytest.raises(SourceError, match=r"still\.mp4.*nothing can be counted"):
        source.read(1.0)
    assert "nothing can be counted" in source.status.problem


def test_a_clip_of_nothing_but_damage_is_an_error(camera: MakeCamera, tmp_path: Path) -> None:
    """A file whose header is sound, but of which no frame can be decoded, is named with the remedy."""
    path = encode(tmp_path / "hollow.mp4", [numbered(n) for n in range(PICTURES)])
    content = bytearray(path.read_bytes())
    begin = content.index(b"mdat") + 4
    content[begin : content.index(b"moov") - 4] = bytes(content.index(b"moov") - 4 - begin)
    path.write_bytes(content)
    source = open_source(camera(path), start=START)
    source.start()
    with pytest.raises(SourceError, match=r"hollow\.mp4: no frame can be decoded; copy or record it again"):
        source.read(1.0)


def test_a_file_that_grows_or_shrinks_while_it_is_read(camera: MakeCamera, tmp_path: Path) -> None:
    """A recording that is still written gives what there is; one that is cut meanwhile ends early. None hangs."""
    whole = encode(tmp_path / "whole.ts", [numbered(n % 100) for n in range(400)]).read_bytes()
    for change in (whole, whole[: len(whole) // 8]):
        path = tmp_path / "changing.ts"
        path.write_bytes(whole[: len(whole) // 2])
        source = open_source(camera(path), start=START)
        source.start()
        frames = 0
        with contextlib.suppress(EndOfSource):
            while source.read(1.0) is not None:
                frames += 1
                if frames == 5:
                    with path.open("r+b") as file:
                        file.write(change)
                        file.truncate(len(change))
        source.close()
        assert 5 <= frames <= 400


@pytest.mark.parametrize(
    ("name", "frames", "seconds"),
    [
        ("interlaced_h264.mp4", 149, 6.167),
        ("first_frames_without_times.mkv", 149, 6.167),
        ("still_picture_first.mkv", 149, 6.167),
    ],
)
def test_clips_of_the_field(
    read_all: ReadAll, camera: MakeCamera, cases: Path, name: str, frames: int, seconds: float
) -> None:
    """Clips as users reported them give every picture, each another, at the right times."""
    read = read_all(open_source(camera(cases / name), start=START))
    assert len(read) == frames
    assert read[-1].monotonic == pytest.approx(seconds, abs=0.002)
    steps = np.diff([frame.monotonic for frame in read])
    assert steps.min() > 0.03
    assert steps.max() < 0.06
    assert all(np.abs(a.image.astype(int) - b.image).max() > 8 for a, b in zip(read, read[5:], strict=False))


def test_pictures_that_a_filter_refuses_are_left_out(
    read_all: ReadAll,
    camera: MakeCamera,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where no filter can be made for a picture, as for the sizes that damage makes, the others are still read."""
    made = pictures._graph
    refused = [True, False, True]

    def make(first: av.VideoFrame, *filters: tuple[str, str]) -> Any:
        if refused and refused.pop(0):
            raise ValueError("refused")
        return made(first, *filters)

    monkeypatch.setattr(pictures, "_graph", make)
    path = encode(tmp_path / "top.mp4", [numbered(n) for n in range(10)], options=INTERLACED[0][2])
    frames = read_all(open_source(camera(path), start=START))
    assert [frame.sequence for frame in frames] == list(range(2, 10)), "one for each filter that was refused"
    assert "2 reads failed on the way" in caplog.text
