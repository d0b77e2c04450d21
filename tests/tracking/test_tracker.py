"""Tests of the tracker on scripted scenes: identities, states and life times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted import (
    SIZE,
    SceneObject,
    ScriptedScene,
    box_at,
    car,
    frame_times,
    make_observation,
    run_tracker,
    straight,
)

from edge.config.schema import MechanismsConfig, TrackerConfig
from edge.core.frames import Detection
from edge.core.shapes import Box
from edge.core.tracks import Track, TrackState
from edge.tracking.observer import Observation
from edge.tracking.optical_flow import Displacements
from edge.tracking.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Sequence

TENTATIVE, CONFIRMED, LOST, ENDED = TrackState
RATES = [3.0, 5.0, 10.0, 30.0]


def make_tracker(run: str = "run", **settings: object) -> Tracker:
    """A tracker without gates, which tracks everything."""
    return Tracker(TrackerConfig.model_validate(settings), MechanismsConfig(), run)


def states(tracks: Sequence[Track]) -> dict[str, TrackState]:
    """The states of tracks by their ids."""
    return {track.track_id: track.state for track in tracks}


def ids(frames: list[tuple[float, list[Track]]]) -> set[str]:
    """The ids of all tracks."""
    return {track.track_id for _, tracks in frames for track in tracks}


def test_a_track_lives_from_tentative_to_ended() -> None:
    """Tentative after one detection, confirmed after more, lost while unseen, ended once after the time limit."""
    tracker = make_tracker(lost_seconds=1.0)
    assert states(tracker.update(make_observation(car(100)), 10.0)) == {"run-1": TENTATIVE}
    for step in range(1, 4):
        tracks = tracker.update(make_observation(car(100 + 4 * step)), 10.0 + 0.1 * step)
    assert states(tracks) == {"run-1": CONFIRMED}
    (lost,) = tracker.update(make_observation(), 10.5)
    assert (lost.state, lost.at, lost.followed) == (LOST, pytest.approx(10.3), False)
    assert states(tracker.update(make_observation(), 11.6)) == {"run-1": ENDED}
    assert tracker.update(make_observation(), 11.7) == []


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("speed", [0.0, 60.0])
def test_a_lost_track_ends_after_seconds_and_not_frames(rate: float, speed: float) -> None:
    """The limit is the same at every frame rate; it is longer for what stood still, which is only hidden."""
    tracker = make_tracker(lost_seconds=1.5, rest_seconds=4.0)
    for number in range(round(3 * rate) + 1):
        at = number / rate
        tracker.update(make_observation(car(100 + speed * at)), at)
    end = at
    while any(track.state is not ENDED for track in tracker.update(make_observation(), end)):
        end += 1 / rate
    limit = 1.5 if speed else 4.0
    assert limit <= end - at <= limit + 2 / rate


def test_a_single_detection_is_never_confirmed() -> None:
    """A false detection of one frame ends soon, without having been confirmed."""
    tracker = make_tracker()
    tracker.update(make_observation(car(100)), 0.0)
    frames = [tracker.update(make_observation(), 0.1 * step) for step in range(1, 15)]
    tracks = [track for tracks in frames for track in tracks]
    assert tracks[-1].state is ENDED
    assert all(track.past is None and track.state is not CONFIRMED for track in tracks)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("speed", [40.0, 150.0, 400.0])
def test_a_vehicle_is_one_track_at_every_frame_rate(rate: float, speed: float) -> None:
    """Also where it moves by more than its own length between two frames."""
    vehicle = SceneObject(straight(40, speed))
    frames = run_tracker(ScriptedScene([vehicle]), frame_times(500 / speed, rate))
    assert ids(frames) == {"run-1"}
    at, tracks = frames[-1]
    if len(frames) > 3:
        assert tracks[0].state is CONFIRMED
        assert tracks[0].box.center.x == pytest.approx(vehicle.center(at).x, abs=8)
        assert tracks[0].velocity.x == pytest.approx(speed, rel=0.1)


def test_uneven_frames_and_a_gap_of_a_second_do_not_break_a_track() -> None:
    """An overloaded machine processes such frames."""
    times = [0.0, 0.05, 0.4, 0.45, 0.5, 1.1, 1.15, 2.2, 2.3, 2.31, 2.9, 3.0, 3.6]
    assert ids(run_tracker(ScriptedScene([SceneObject(straight(40, 120))]), times)) == {"run-1"}


def test_optical_flow_carries_a_track_where_the_detector_finds_nothing() -> None:
    """For more than a second it is followed, though not detected, and its place is right."""
    slowing = SceneObject(lambda at: (60 + 200 * at - 30 * at**2, 200), is_detected=lambda at: not 0.9 < at < 2.5)
    frames = run_tracker(ScriptedScene([slowing]), frame_times(3.0, 10.0))
    for at, (track,) in frames[4:]:
        assert (track.state, track.followed) == (CONFIRMED, True)
        assert track.box.center.x == pytest.approx(slowing.center(at).x, abs=15), at
    assert max(track.at for at, (track,) in frames if at < 2.4) < 1.0
    without = MechanismsConfig(optical_flow=False)
    frames = run_tracker(ScriptedScene([slowing]), frame_times(3.0, 10.0), mechanisms=without)
    assert any(not track.followed for _, tracks in frames for track in tracks)


def test_each_camera_numbers_its_own_tracks() -> None:
    """From 1, after the name of the run."""
    first, second = make_tracker("a"), make_tracker("b")
    for step in range(3):
        two = first.update(make_observation(car(100), car(300)), step / 10)
        single = second.update(make_observation(car(100)), step / 10)
    assert set(states(two)) == {"a-1", "a-2"}
    assert set(states(single)) == {"b-1"}


def test_two_vehicles_that_meet_keep_their_tracks() -> None:
    """They pass side by side in opposite directions."""
    left, right = SceneObject(straight(60, 180, y=180)), SceneObject(straight(580, -180, y=250))
    for at, tracks in run_tracker(ScriptedScene([left, right]), frame_times(2.8, 10.0))[3:]:
        centers = {track.track_id: track.box.center for track in tracks}
        assert len(centers) == 2
        assert centers["run-1"] == pytest.approx(left.center(at), abs=10)
        assert centers["run-2"] == pytest.approx(right.center(at), abs=10)


@pytest.mark.parametrize("speed", [300.0, 90.0])
def test_a_parked_vehicle_keeps_its_track_while_it_is_hidden(speed: float) -> None:
    """A lorry drives past in front of it, fast or slowly; the parked vehicle does not move."""
    parked = SceneObject(straight(320, 0, y=180))
    lorry = SceneObject(straight(-200, speed, since=2.0), size=(300.0, 150.0))
    frames = run_tracker(ScriptedScene([parked, lorry]), frame_times(4.0 + 1000 / speed, 10.0))
    assert {track.track_id for track in frames[-1][1] if track.state is CONFIRMED} == {"run-1"}
    places = [track.box.center.x for _, tracks in frames for track in tracks if track.track_id == "run-1"]
    assert all(abs(x - 320) < 25 for x in places)


def test_parked_vehicles_that_are_detected_in_turn_stay_in_their_places() -> None:
    """The detector finds now one of two and now the other: two tracks, neither of which moves."""
    left = SceneObject(straight(250, 0), is_detected=lambda at: at < 2 or int(at) % 2 == 0)
    right = SceneObject(straight(390, 0), is_detected=lambda at: at < 2 or int(at) % 2 == 1)
    places: dict[str, list[float]] = {}
    for _, tracks in run_tracker(ScriptedScene([left, right]), frame_times(10.0, 10.0)):
        for track in tracks:
            places.setdefault(track.track_id, []).append(track.box.center.x)
    assert len(places) == 2
    assert all(max(xs) - min(xs) < 20 for xs in places.values())


def test_a_vehicle_that_leaves_the_picture_ends() -> None:
    """Before its time limit; until then its box reaches over the frame's edge."""
    frames = run_tracker(ScriptedScene([SceneObject(straight(300, 200))]), frame_times(2.5, 10.0))
    assert [tracks[0].state for _, tracks in frames if tracks][-1] is ENDED
    assert frames[-1][1] == []
    assert max(at for at, tracks in frames if tracks) < 2.3
    assert any(track.box.x2 > SIZE[0] + 20 for _, tracks in frames for track in tracks)


def test_a_partly_hidden_vehicle_keeps_its_center() -> None:
    """A pillar hides the front half of a car that drives behind it: the whole car's centre moves on."""
    detections = [Detection(box_at(200 + 10 * n, 200), "car", 0.8) for n in range(6)]
    for n in range(6, 11):
        whole = box_at(200 + 10 * n, 200)
        detections.append(Detection(whole._replace(x2=min(whole.x2, 305.0)), "car", 0.8))
    tracker = make_tracker()
    for number, detection in enumerate(detections):
        (track,) = tracker.update(make_observation(detection), number / 10)
    assert track.box.center.x == pytest.approx(300, abs=15)
    assert track.box.width > 85


def test_a_vehicle_that_drives_away_is_smaller_and_not_hidden() -> None:
    """A car that comes in beside the camera, at five frames a second: each box is a fifth smaller than the last."""
    tracker = make_tracker()
    boxes = [(574, 270, 640, 352), (456, 223, 639, 352), (380, 192, 633, 352), (330, 174, 536, 326)]
    boxes += [(297, 154, 455, 276), (276, 151, 408, 247), (258, 143, 362, 219), (247, 137, 330, 201)]
    for number, box in enumerate(boxes):
        detection = Detection(Box(*map(float, box)), "car", 0.9)
        (track,) = tracker.update(Observation.of_frame((640, 352), [detection], Displacements.none()), number / 5)
    assert track.track_id == "run-1"
    assert track.box.center.x == pytest.approx(288, abs=8)
    assert track.box.height == pytest.approx(64, abs=8)


def test_a_vehicle_far_from_every_gate_is_not_tracked() -> None:
    """With a gate on the left, a car on the right has no track."""
    line = ((0.0, 0.4), (0.0, 0.6))
    tracker = Tracker(TrackerConfig(), MechanismsConfig(), "run", [line])
    for step in range(4):
        tracks = tracker.update(make_observation(car(60), car(600)), step / 10)
    assert len(tracks) == 1
    assert tracks[0].box.center.x < 100


def test_weak_detections_start_a_track_and_continue_one() -> None:
    """Counting decides whether the evidence is enough: the track carries the highest confidence."""
    tracker = make_tracker()
    for step in range(4):
        (track,) = tracker.update(make_observation(car(100 + 5 * step, confidence=0.1)), step / 10)
    assert (track.state, track.confidence, track.evidence.best_confidence) == (CONFIRMED, 0.1, 0.1)
    (track,) = tracker.update(make_observation(car(120, confidence=0.9)), 0.4)
    assert (track.track_id, track.evidence.best_confidence) == ("run-1", 0.9)


def test_further_boxes_on_a_vehicle_start_no_track() -> None:
    """A box of another class in its place, and weak boxes inside and around it."""
    tracker = make_tracker()
    for step in range(8):
        x = 100 + 8 * step
        further = [
            car(x + 3, label="truck", confidence=0.4),
            Detection(box_at(x - 30, 200, 20, 20), "traffic light", 0.1),
            Detection(box_at(x, 200, 140, 90), "bus", 0.1),
        ]
        assert set(states(tracker.update(make_observation(car(x), *further), step / 10))) == {"run-1"}


@pytest.mark.parametrize("change", ["gap", "size"])
def test_all_tracks_end_after_a_long_gap_or_with_frames_of_another_size(change: str) -> None:
    """They are returned as ended once; what is there afterwards is a new track, also in the same place."""
    tracker = make_tracker()
    for step in range(4):
        tracker.update(make_observation(car(100)), step / 10)
    at, size = (60.0, SIZE) if change == "gap" else (0.4, (1280, 720))
    observation = Observation.of_frame(size, (car(100),), Displacements.none())
    assert states(tracker.update(observation, at)) == {"run-1": ENDED, "run-2": TENTATIVE}
    assert set(states(tracker.update(observation, at + 0.1))) == {"run-2"}


def test_the_same_observations_give_exactly_the_same_tracks() -> None:
    """Tracking depends on nothing else."""
    objects = [
        SceneObject(straight(60, 170, y=170)),
        SceneObject(straight(560, -110, y=230), is_detected=lambda at: int(at * 10) % 3 > 0),
    ]
    first, second = (run_tracker(ScriptedScene(objects), frame_times(3.0, 7.0)) for _ in range(2))
    assert first == second


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.tuples(st.floats(0, 640), st.floats(0, 360), st.floats(0.05, 1)), max_size=5), max_size=25),
    st.floats(0.02, 0.5),
)
def test_every_track_ends_once_and_never_returns(frames: list[list[tuple[float, float, float]]], gap: float) -> None:
    """Whatever is detected: ids are unique, an ended track is returned once, and after a quiet time none is left."""
    tracker = make_tracker(lost_seconds=1.0, rest_seconds=2.0)
    ended: set[str] = set()
    known: set[str] = set()
    at = 0.0
    for boxes in [*frames, *([[]] * round(3 / gap + 2))]:
        at += gap
        tracks = tracker.update(make_observation(*(car(x, y, confidence=c) for x, y, c in boxes)), at)
        names = [track.track_id for track in tracks]
        assert len(names) == len(set(names))
        assert not ended & set(names)
        known |= set(names)
        ended |= {track.track_id for track in tracks if track.state is ENDED}
    assert ended == known
