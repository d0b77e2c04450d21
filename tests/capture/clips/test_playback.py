"""Tests of playing a video file at its own speed, with a clock that stands still unless the player waits."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from support.made_recordings import Drive, NumberedFrameDetector, write_numbered_clip

from edge.capture.clips import playback
from edge.capture.clips.playback import SEAM_SECONDS, ClipPlayer
from edge.capture.clips.recorded import RecordedSource
from edge.config.schema import CameraConfig, Config, FloorConfig, GateConfig
from edge.core.errors import SourceError
from edge.core.frames import Frame
from edge.core.tracks import LONG_GAP_SECONDS
from edge.pipeline import Pipeline
from edge.simulator.source import RECORDED_START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edge.capture.clips.playback import PlayedPicture
    from edge.core.events import Event

    Clip = Callable[..., Path]
    Player = Callable[..., ClipPlayer]
    Play = Callable[..., list[PlayedPicture]]

BEGIN = 1000.0
EVEN = [number / 25 for number in range(20)]


class Clock:
    """A monotonic clock that goes on only when the player waits."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.stopped = False

    def wait(self, seconds: float) -> bool:
        """Let the time pass."""
        self.now += seconds
        return self.stopped


@pytest.fixture
def player() -> Iterator[Player]:
    """Makes a player of a file and starts it; closed at the end."""
    players: list[ClipPlayer] = []

    def make(path: Path, clock: Clock, **keys: Any) -> ClipPlayer:
        settings: dict[str, Any] = {"loop": False, "fps": None, "max_lag_seconds": 1.0, **keys}
        players.append(ClipPlayer(path, wait=clock.wait, clock=lambda: clock.now, **settings))
        players[-1].start()
        return players[-1]

    yield make
    for made in players:
        made.close()


@pytest.fixture
def played(player: Player) -> Play:
    """The pictures up to the end, or the first ``count``; each comes at the time at which it was due."""

    def play(path: Path, count: int | None = None, **keys: Any) -> list[PlayedPicture]:
        clock = Clock()
        pictures: list[PlayedPicture] = []
        for picture in player(path, clock, **keys).pictures():
            assert clock.now == pytest.approx(picture.captured)
            pictures.append(picture)
            if len(pictures) == count:
                break
        return pictures

    return play


def image_of(picture: PlayedPicture) -> np.ndarray:
    """The picture as the reader writes it."""
    width, height = picture.size
    data = bytearray(height * width * 3)
    picture.write(memoryview(data))
    return np.frombuffer(data, np.uint8).reshape((height, width, 3))


def test_each_picture_comes_at_its_time(
    played: Play, clip: Clip, number_in: Callable[..., int], tmp_path: Path
) -> None:
    """The clock goes with the times of the stream, and the pictures are those of the file, in order."""
    times = [0, 0.04, 0.08, 0.28, 0.29, 0.323, 0.823, 0.863, 1.863, 1.878]
    pictures = played(clip(tmp_path / "uneven.mp4", times))
    assert [picture.captured - BEGIN for picture in pictures] == pytest.approx(times, abs=0.001)
    assert [number_in(image_of(picture)) for picture in pictures] == list(range(10))
    assert [picture.sequence for picture in pictures] == list(range(10))
    assert all(picture.wanted for picture in pictures)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_are_those_of_a_recording(
    played: Play, clip: Clip, camera: Callable[..., CameraConfig], tmp_path: Path, degrees: int
) -> None:
    """A telephone's clip is played as it is counted: turned upright, in its own width and height."""
    turned = tmp_path / "turned.mp4"
    with av.open(str(clip(tmp_path / "plain.mp4", EVEN[:5]))) as source, av.open(str(turned), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(degrees)
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    recorded = RecordedSource(camera(turned), start=RECORDED_START)
    recorded.start()
    for picture in played(turned):
        frame = recorded.read(1.0)
        assert frame is not None
        assert frame.size == picture.size == ((120, 160) if degrees in (90, 270) else (160, 120))
        assert (frame.image == image_of(picture)).all()
    recorded.close()


def test_the_rate_chooses_what_is_wanted(played: Play, clip: Clip, tmp_path: Path) -> None:
    """Of 25 pictures a second ten are wanted with fps = 10; all are decoded."""
    pictures = played(clip(tmp_path / "clip.mp4", EVEN), fps=10.0)
    assert [picture.sequence for picture in pictures if picture.wanted] == [0, 3, 5, 8, 10, 13, 15, 18]


def test_a_loop_begins_again_after_a_gap_that_ends_all_tracks(
    played: Play, clip: Clip, number_in: Callable[..., int], tmp_path: Path
) -> None:
    """The rounds are the same, numbers count on, and between two rounds tracking forgets what it knew."""
    assert SEAM_SECONDS > LONG_GAP_SECONDS
    pictures = played(clip(tmp_path / "clip.mp4", EVEN), 50, loop=True)
    assert [number_in(image_of(picture)) for picture in pictures] == [*range(20), *range(20), *range(10)]
    assert [picture.sequence for picture in pictures] == list(range(50))
    gaps = [later.captured - earlier.captured for earlier, later in pairwise(pictures)]
    expected = [SEAM_SECONDS if number % 20 == 19 else 0.04 for number in range(49)]
    assert gaps == pytest.approx(expected, abs=0.001)


def test_a_hole_in_a_recording_is_shortened(played: Play, clip: Clip, tmp_path: Path) -> None:
    """A recording that was started by motion has holes of minutes, which are played as the seam of a loop."""
    pictures = played(clip(tmp_path / "holes.mp4", [0.0, 0.1, 600.0, 600.1, 602.0]))
    gaps = [later.captured - earlier.captured for earlier, later in pairwise(pictures)]
    assert gaps == pytest.approx([0.1, SEAM_SECONDS, 0.1, 1.9], abs=0.001)


def test_pictures_that_are_late_move_the_rest(player: Player, clip: Clip, tmp_path: Path) -> None:
    """After a stall of 5 s nothing is played faster than it was taken: the file goes on 5 s later."""
    clock = Clock()
    made = player(clip(tmp_path / "clip.mp4", EVEN), clock)
    pictures = []
    for picture in made.pictures():
        pictures.append(picture)
        if picture.sequence == 9:
            clock.now += 5.0
    gaps = [later.captured - earlier.captured for earlier, later in pairwise(pictures)]
    assert gaps == pytest.approx([5.0 if number == 9 else 0.04 for number in range(19)], abs=0.001)
    assert [round(picture.lag, 2) for picture in pictures if picture.lag > 0.001] == [4.96]


def test_a_short_stall_is_caught_up(player: Player, clip: Clip, tmp_path: Path) -> None:
    """Up to the lag that is allowed pictures keep their times and come late."""
    clock = Clock()
    pictures = []
    for picture in player(clip(tmp_path / "clip.mp4", EVEN), clock).pictures():
        pictures.append(picture)
        if picture.sequence == 3:
            clock.now += 0.5
    assert [picture.captured - BEGIN for picture in pictures] == pytest.approx(EVEN, abs=0.001)


def test_less_is_decoded_when_the_caller_wants_less(player: Player, clip: Clip, tmp_path: Path) -> None:
    """With NONKEY only the key frames come, in later rounds too, at their own times."""
    path = clip(tmp_path / "clip.mp4", EVEN)  # a key frame in ten
    clock = Clock()
    made = player(path, clock, loop=True)
    made.skip("NONKEY")
    pictures = [picture for picture, _ in zip(made.pictures(), range(4), strict=False)]
    assert [picture.captured - pictures[0].captured for picture in pictures] == pytest.approx(
        [0.0, 0.4, 0.4 + SEAM_SECONDS, 0.8 + SEAM_SECONDS], abs=0.001
    )


def test_a_file_that_goes_while_it_is_played(player: Player, clip: Clip, tmp_path: Path) -> None:
    """A loop whose file is gone at its end, as with a stick that was pulled, says which file is missing."""
    path = clip(tmp_path / "clip.mp4", EVEN)
    made = player(path, Clock(), loop=True)
    pictures: Iterator[PlayedPicture] = made.pictures()
    for _ in range(20):
        next(pictures)
    path.unlink()
    with pytest.raises(SourceError, match=r"clip\.mp4: there is no such file"):
        next(pictures)


def test_a_file_without_a_picture_is_refused(player: Player, clip: Clip, tmp_path: Path) -> None:
    """A file of which nothing can be decoded would be read again and again in silence."""
    path = clip(tmp_path / "clip.mp4", EVEN)
    content = bytearray(path.read_bytes())
    begin = content.find(b"mdat")
    content[begin + 4 : begin + 4 + len(content) // 2] = bytes(len(content) // 2)
    path.write_bytes(content)
    made = player(path, Clock(), loop=True)
    with pytest.raises(SourceError, match="no frame can be decoded; copy or record it again"):
        list(made.pictures())


def test_the_playing_ends_when_it_is_to_end(player: Player, clip: Clip, tmp_path: Path) -> None:
    """No picture comes after the wait has said so."""
    clock = Clock()
    pictures = player(clip(tmp_path / "clip.mp4", EVEN), clock, loop=True).pictures()
    next(pictures)
    clock.stopped = True
    assert list(pictures) == []


# At the end of the clip a car is left of the line, and in its first picture another is right of it.
BEFORE_THE_SEAM = (Drive(3.6, speed=60), Drive(-0.6, speed=60))


@pytest.mark.parametrize(("seam", "events_counted"), [(SEAM_SECONDS, False), (0.1, True)])
def test_nothing_crosses_the_line_over_the_seam(
    played: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seam: float, events_counted: bool
) -> None:
    """A car that stands before the line at the end, and one beyond it at the beginning, are two vehicles.

    With a seam that is shorter than tracking's memory they would be one that crosses: the scene is one that can fail.
    """
    monkeypatch.setattr(playback, "SEAM_SECONDS", seam)
    path = tmp_path / "clip.avi"
    write_numbered_clip(path, 3.0, BEFORE_THE_SEAM)
    gate = GateConfig(id="gate", line=((0.5, 0.3), (0.5, 0.9)), inside=(0.9, 0.5), floor="Ground Floor")
    # Nothing crosses the second line; with it all of the picture is near a gate, also the corner with the number.
    far = GateConfig(id="far", line=((0.01, 0.01), (0.01, 0.99)), inside=(0.9, 0.5), floor="Ground Floor")
    camera = CameraConfig(id="cam", source=str(path), gates=(gate, far))
    config = Config(floors=(FloorConfig(name="Ground Floor", total_slots=5),), cameras=(camera,))
    events: list[Event] = []

    def keep(made: Sequence[Event]) -> None:
        events.extend(made)

    pipeline = Pipeline(camera, config, "run", NumberedFrameDetector(BEFORE_THE_SEAM), keep)
    for picture in played(path, 90, loop=True):
        pipeline.process(Frame(image_of(picture), RECORDED_START, picture.captured, picture.sequence))
    pipeline.finish()
    assert bool(events) is events_counted
