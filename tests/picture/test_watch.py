"""Tests of the states of a camera: simulated scenes with faults and traffic, recovery, acceptance, rate and age."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from support.faulty_pictures import (
    EXPECTED,
    NUISANCES,
    START,
    Faults,
    Nuisances,
    begun,
    new_watch,
    repeated,
    watch_pictures,
)

from edge.config.picture import PictureConfig
from edge.config.schema import CameraConfig
from edge.core.frames import Frame
from edge.picture.reference_file import ReferenceFile
from edge.picture.states import BLIND_CODES, PictureCode, state_text
from edge.picture.watch import PictureWatch
from edge.simulator.scene import Scene, parse_scene

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.frames import Image

CAMERA = CameraConfig(id="cam", source="rtsp://10.0.0.5/")
BEGINS = 30.0
GREY = np.zeros((36, 64, 3), np.uint8) + 90
UNCHECKED = PictureConfig(frozen_seconds=86400.0)


@pytest.fixture(scope="module")
def ramp() -> list[tuple[float, Image]]:
    """Half a minute of the simulated ramp with dense traffic, a picture a second."""
    scene = Scene(parse_scene("sim:ramp?seed=3&width=320&height=180&vehicles_per_minute=40&offset=30"))
    return [(float(number), scene.render(30.0 + number)) for number in range(30)]


@pytest.mark.parametrize(
    "fault",
    [name if name not in ("turned", "washed_out") else pytest.param(name, marks=pytest.mark.long) for name in EXPECTED],
)
def test_a_fault_in_traffic_begins_its_state_and_is_over_after_it(ramp: list[tuple[float, Image]], fault: str) -> None:
    """Nothing is reported before, the beginning is right to two seconds, and so is the end."""
    frozen_seconds = 10.0
    pictures = repeated(ramp, 90.0, getattr(Faults(), fault), begins=BEGINS, ends=60.0, every=1.0)
    first, *rest = watch_pictures(pictures, config=PictureConfig(frozen_seconds=frozen_seconds))
    assert (first.code, first.begins) == (EXPECTED[fault], True)
    assert first.at == pytest.approx(BEGINS, abs=3.0)
    assert first.noticed - BEGINS <= 13.0
    last = rest[-1]
    assert (last.code, last.begins) == (EXPECTED[fault], False)
    if PictureCode(last.code) in BLIND_CODES:
        assert last.at == pytest.approx(60.0, abs=3.0)
    assert [change.code for change in rest[:-1]] == []


@pytest.mark.parametrize(
    "nuisance",
    [name if name in ("dusk", "lorry") else pytest.param(name, marks=pytest.mark.long) for name in NUISANCES],
)
def test_light_weather_and_vehicles_are_no_fault(ramp: list[tuple[float, Image]], nuisance: str) -> None:
    """Dusk, lamps, clouds, headlights, rain, noise, wind, and a lorry in front of the camera."""
    assert watch_pictures(repeated(ramp, 120.0, getattr(Nuisances(), nuisance), begins=BEGINS, every=1.0)) == []


def test_errors_of_the_decoder_make_pictures_corrupt(ramp: list[tuple[float, Image]]) -> None:
    """Above the configured share, and though nothing is seen in the pictures."""
    for share, expected in ((0.04, []), (0.06, ["corrupt"])):
        changes = watch_pictures(repeated(ramp, 20.0, every=1.0), corrupt_share=lambda at, share=share: share)  # type: ignore[misc]
        assert begun(changes) == expected


def test_another_scene_is_reported_once_the_reference_is_old_enough(ramp: list[tuple[float, Image]]) -> None:
    """A camera that was turned to a wall with other things on it shows nothing of its scene any more."""
    squares = np.random.default_rng(5).integers(30, 220, (30, 53, 3), np.uint8)
    other = cv2.resize(squares, (320, 180), interpolation=cv2.INTER_LINEAR)
    random = np.random.default_rng(6)

    def turned(image: Image, at: float) -> Image:
        return np.asarray(other + random.integers(0, 6, other.shape, np.uint8), np.uint8)

    changes = watch_pictures(repeated(ramp, 290.0, turned, begins=150.0, every=1.0))
    # The wall is coarser than the ramp, which looks like a blur too.
    (found,) = (change for change in changes if change.code == "other_scene")
    assert found.at == pytest.approx(150.0, abs=4.0)
    # A reference of a few seconds may be that of a lorry: it is learned anew.
    assert "other_scene" not in begun(watch_pictures(repeated(ramp, 200.0, turned, begins=40.0, every=1.0)))


def test_a_moved_camera_stays_moved_until_its_picture_is_accepted(
    ramp: list[tuple[float, Image]], tmp_path: Path
) -> None:
    """Also after a restart. Then the picture that it shows is learned, and a way back is a shift."""
    path = tmp_path / "pictures" / "cam.npz"
    watch = new_watch(file=ReferenceFile(path, CAMERA))
    watch.start()
    assert begun(watch_pictures(repeated(ramp, 60.0, Faults().bumped, begins=BEGINS, every=1.0), watch)) == ["moved"]
    watch.close()
    later = new_watch(file=ReferenceFile(path, CAMERA))
    later.start()
    bumped = list(repeated(ramp, 120.0, Faults().bumped, begins=0.0, ends=90.0, every=1.0))
    assert begun(watch_pictures(bumped[:30], later)) == ["moved"]
    assert "smartpark cameras accept cam" in later.states[0].text
    assert not later.states[0].blind
    path.unlink()
    changes = watch_pictures(bumped[30:], later)
    assert [(change.code, change.begins) for change in changes] == [("moved", False), ("moved", True)]
    assert changes[1].at == pytest.approx(90.0, abs=4.0)


def test_a_stream_of_another_shape_is_learned_anew(ramp: list[tuple[float, Image]]) -> None:
    """What was learned of a wide picture says nothing of a high one; another resolution of the same shape goes on."""
    pictures = list(repeated(ramp, 70.0, Faults().bumped, begins=BEGINS, every=1.0))
    pictures += [(at + 70, image[:, :200]) for at, image in repeated(ramp, 40.0, every=1.0)]
    changes = watch_pictures(pictures)
    assert [(change.code, change.begins) for change in changes] == [("moved", True), ("moved", False)]
    assert changes[1].noticed == pytest.approx(70.0, abs=1.0)
    larger = [
        (at, np.asarray(cv2.resize(image, (640, 360)), np.uint8)) for at, image in repeated(ramp, 30.0, every=1.0)
    ]
    assert watch_pictures([*repeated(ramp, BEGINS, every=1.0), *((BEGINS + at, image) for at, image in larger)]) == []


def test_a_moved_camera_is_learned_anew_after_the_hours(ramp: list[tuple[float, Image]]) -> None:
    """It was reported for so long that it cannot have been overlooked."""
    pictures = repeated(ramp, 110.0, Faults().bumped, begins=BEGINS, every=1.0)
    changes = watch_pictures(pictures, config=PictureConfig(relearn_hours=60 / 3600))
    assert [(change.code, change.begins) for change in changes] == [("moved", True), ("moved", False)]
    assert changes[1].noticed == pytest.approx(BEGINS + 60, abs=4.0)


def test_a_lorry_that_was_learned_before_an_empty_yard_does_not_leave_the_camera_blind_for_ever() -> None:
    """The reference of a first minute is given up when all that it shows is gone for a minute."""
    random = np.random.default_rng(1)
    structured = random.integers(30, 220, (18, 32, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    yard = np.full((180, 320, 3), 90, np.uint8)

    def noisy(image: Image) -> Image:
        return np.asarray(image + random.integers(0, 6, (180, 320, 3), np.uint8), np.uint8)

    pictures = [(float(at), noisy(structured if at < 40 else yard)) for at in range(160)]
    changes = watch_pictures(pictures)
    assert [(change.code, change.begins) for change in changes] == [("covered", True), ("covered", False)]
    assert changes[1].noticed == pytest.approx(100.0, abs=2.0)


def test_a_drawn_camera_is_never_frozen() -> None:
    """A scene without noise in which nothing moves repeats its picture for ever."""
    still = np.random.default_rng(1).integers(0, 255, (36, 64, 3), np.uint8)
    drawn = PictureWatch(CameraConfig(id="ramp", source="sim:ramp?noise=0"), PictureConfig(), least_rate=0.0)
    assert watch_pictures(((float(second), still) for second in range(60)), drawn) == []
    assert begun(watch_pictures((float(second), still) for second in range(60))) == ["frozen"]


def test_without_checks_nothing_is_reported() -> None:
    """The switch of the configuration."""
    black = np.zeros((36, 64, 3), np.uint8)
    pictures = [(float(second), black) for second in range(60)]
    assert begun(watch_pictures(pictures)) == ["dark"]
    assert watch_pictures(pictures, config=PictureConfig(enabled=False)) == []


def add(watch: PictureWatch, at: float, age: float = 0.0) -> None:
    """Give a small picture to the checks."""
    watch.add(Frame(GREY, START + timedelta(seconds=at), at, 0), at + age)


def slow(fps: float | None = None) -> PictureWatch:
    """A watch that checks the rate; its pictures are too small for the other checks."""
    return PictureWatch(CameraConfig(id="cam", source="sim:ramp", fps=fps), UNCHECKED, least_rate=3.0)


def delivery(watch: PictureWatch) -> list[str]:
    """The states that are about the rate and the age of frames."""
    return [state.code.value for state in watch.states if state.code.value.endswith("_frames")]


def test_too_few_frames_for_more_than_ten_seconds_are_reported_until_there_are_clearly_more() -> None:
    """The text has the rate and the remedy, and the state dates from when the frames became few."""
    watch, at = slow(), 1000.0

    def run(rate: float, seconds: float) -> None:
        nonlocal at
        for _ in range(round(rate * seconds)):
            at += 1 / rate
            add(watch, at)

    run(10.0, 20.0)
    run(1.8, 9.0)
    assert delivery(watch) == []
    run(1.8, 8.0)
    assert delivery(watch) == ["too_few_frames"]
    state = next(state for state in watch.states if state.code is PictureCode.TOO_FEW_FRAMES)
    assert state.blind
    assert state.text.startswith(("1.8 frames", "1.5 frames", "2.0 frames"))
    assert "detector.image_size" in state.text
    assert state.since_monotonic == pytest.approx(1020.0, abs=5.0)
    run(3.3, 20.0)
    assert delivery(watch) == ["too_few_frames"]
    run(5.0, 10.0)
    assert delivery(watch) == []
    run(3.3, 20.0)
    assert delivery(watch) == []


def test_a_camera_that_falls_silent_has_too_few_frames() -> None:
    """It is not known to be down, but nothing is counted."""
    watch = slow()
    for number in range(200):
        add(watch, number / 10)
    for second in range(20, 40):
        watch.silence(float(second))
    assert delivery(watch) == ["too_few_frames"]
    watch.away()
    assert delivery(watch) == []


def test_fewer_frames_than_set_are_a_warning() -> None:
    """Six of ten frames a second can be counted."""
    watch = slow(fps=10.0)
    for number in range(200):
        add(watch, number / 6)
    (state,) = (state for state in watch.states if state.code is PictureCode.FEWER_FRAMES)
    assert not state.blind
    assert "fps is set to 10" in state.text


def test_old_frames_are_a_warning() -> None:
    """Frames that are processed long after they were taken are counted, but later."""
    watch = slow()
    for number in range(100):
        add(watch, number / 10, age=2.5)
    assert delivery(watch) == []
    for number in range(100, 200):
        add(watch, number / 10, age=12.0)
    assert delivery(watch) == ["old_frames"]
    assert "12 s after" in next(state for state in watch.states if state.code is PictureCode.OLD_FRAMES).text
    for number in range(200, 300):
        add(watch, number / 10, age=0.1)
    assert delivery(watch) == []


@pytest.mark.parametrize("code", PictureCode)
def test_each_state_says_what_to_do(code: PictureCode) -> None:
    """Its text fits into a problem, with the remedy behind a semicolon."""
    text = state_text(code, "entrance", 0.5, 3.0)
    assert ";" in text
    assert "{" not in text
    assert len(text) < 300
