"""Tracks over scripted scenes: identities, states and life times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted import SIZE, Scripted, Thing, box_at, car, follow, going, middle_of, seen, times

from edge.config.schema import MechanismsConfig, TrackerConfig
from edge.core.frames import Detection
from edge.core.shapes import Box
from edge.core.tracks import Track, TrackState
from edge.tracking.optical_flow import Displacements
from edge.tracking.tracker import Observation, Tracker

if TYPE_CHECKING:
    from collections.abc import Sequence

TENTATIVE, CONFIRMED, LOST, ENDED = TrackState
RATES = [3.0, 5.0, 10.0, 30.0]


def tracker(run: str = "run", **settings: object) -> Tracker:
    """A tracker without gates: everything matters."""
    return Tracker(TrackerConfig.model_validate(settings), MechanismsConfig(), run)


def states(tracks: Sequence[Track]) -> dict[str, TrackState]:
    """Track ids and their states."""
    return {track.track_id: track.state for track in tracks}


def living(found: list[tuple[float, list[Track]]]) -> list[set[str]]:
    """The confirmed tracks of each frame."""
    return [{track.track_id for track in tracks if track.state is CONFIRMED} for _, tracks in found]


def test_a_track_lives_from_tentative_to_ended() -> None:
    """Seen once: tentative; again and again: confirmed; unseen: lost; after the time-out: ended, once."""
    one = tracker(lost_seconds=1.0)
    assert states(one.update(seen(car(100)), 10.0)) == {"run-1": TENTATIVE}
    for step in range(1, 4):
        found = one.update(seen(car(100 + 4 * step)), 10.0 + 0.1 * step)
    assert states(found) == {"run-1": CONFIRMED}
    (lost,) = one.update(seen(), 10.5)
    assert (lost.state, lost.at, lost.followed) == (LOST, pytest.approx(10.3), False)
    assert states(one.update(seen(), 11.6)) == {"run-1": ENDED}
    assert one.update(seen(), 11.7) == []


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("speed", [0.0, 60.0])
def test_a_lost_track_ends_after_seconds_not_frames(rate: float, speed: float) -> None:
    """The time-out is the same at every frame rate; what stood still is kept longer, for it is only hidden."""
    one = tracker(lost_seconds=1.5, rest_seconds=4.0)
    for number in range(round(3 * rate) + 1):
        at = number / rate
        one.update(seen(car(100 + speed * at)), at)
    gone = at
    while any(track.state is not ENDED for track in one.update(seen(), gone)):
        gone += 1 / rate
    kept = 1.5 if speed else 4.0
    assert kept <= gone - at <= kept + 2 / rate


def test_a_flash_of_one_frame_is_never_confirmed() -> None:
    """A false detection that does not last ends soon, without having been a vehicle."""
    one = tracker()
    one.update(seen(car(100)), 0.0)
    found = [one.update(seen(), 0.1 * step) for step in range(1, 15)]
    told = [track for tracks in found for track in tracks]
    assert told[-1].state is ENDED
    assert all(track.past is None and track.state is not CONFIRMED for track in told)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("speed", [40.0, 150.0, 400.0])
def test_a_vehicle_is_one_track_at_every_frame_rate(rate: float, speed: float) -> None:
    """Also where it goes further than its own length between two frames."""
    thing = Thing(going(40, speed))
    found = follow(Scripted([thing]), times(500 / speed, rate))
    assert {track.track_id for _, tracks in found for track in tracks} == {"run-1"}
    at, tracks = found[-1]
    if len(found) > 3:
        assert tracks[0].state is CONFIRMED
        assert tracks[0].box.center.x == pytest.approx(middle_of(thing, at).x, abs=8)
        assert tracks[0].velocity.x == pytest.approx(speed, rel=0.1)


def test_uneven_frames_and_a_gap_of_a_second_change_nothing() -> None:
    """As a machine in trouble sends them."""
    thing = Thing(going(40, 120))
    moments = [0.0, 0.05, 0.4, 0.45, 0.5, 1.1, 1.15, 2.2, 2.3, 2.31, 2.9, 3.0, 3.6]
    found = follow(Scripted([thing]), moments)
    assert {track.track_id for _, tracks in found for track in tracks} == {"run-1"}


def test_where_the_detector_fails_motion_carries_the_track() -> None:
    """For a second and more: it is found in every frame, though not seen, and where it truly is."""
    slowing = Thing(lambda at: (60 + 200 * at - 30 * at**2, 200), found=lambda at: not 0.9 < at < 2.5)
    found = follow(Scripted([slowing]), times(3.0, 10.0))
    for at, (track,) in found[4:]:
        assert (track.state, track.followed) == (CONFIRMED, True)
        assert track.box.center.x == pytest.approx(middle_of(slowing, at).x, abs=15), at
    assert max(track.at for at, (track,) in found if at < 2.4) < 1.0
    blind = follow(Scripted([slowing]), times(3.0, 10.0), mechanisms=MechanismsConfig(optical_flow=False))
    assert any(not track.followed for _, tracks in blind for track in tracks)


def test_each_camera_counts_its_own_tracks() -> None:
    """From 1, after the name of its run."""
    one, two = tracker("a"), tracker("b")
    for step in range(3):
        first = one.update(seen(car(100), car(300)), step / 10)
        second = two.update(seen(car(100)), step / 10)
    assert set(states(first)) == {"a-1", "a-2"}
    assert set(states(second)) == {"b-1"}


def test_two_vehicles_that_meet_keep_their_names() -> None:
    """Side by side, one each way; the order of the boxes says nothing."""
    left, right = Thing(going(60, 180, y=180)), Thing(going(580, -180, y=250))
    found = follow(Scripted([left, right]), times(2.8, 10.0))
    for at, tracks in found[3:]:
        by_name = {track.track_id: track.box.center for track in tracks}
        assert len(by_name) == 2
        assert by_name["run-1"] == pytest.approx(middle_of(left, at), abs=10) or at < 0.3
        assert by_name["run-2"] == pytest.approx(middle_of(right, at), abs=10) or at < 0.3


@pytest.mark.parametrize("speed", [300.0, 90.0])
def test_a_parked_vehicle_that_is_hidden_is_the_same_one_after(speed: float) -> None:
    """A lorry goes by before it, quick or slow: the parked one has not moved, nor has it a second name."""
    parked = Thing(going(320, 0, y=180))
    lorry = Thing(going(-200, speed, since=2.0), size=(300.0, 150.0))
    found = follow(Scripted([parked, lorry]), times(4.0 + 1000 / speed, 10.0))
    last = {track.track_id: track for track in found[-1][1] if track.state is CONFIRMED}
    assert set(last) == {"run-1"}
    places = [track.box.center.x for _, tracks in found for track in tracks if track.track_id == "run-1"]
    assert all(abs(x - 320) < 25 for x in places)


def test_a_box_that_jumps_between_two_parked_vehicles_moves_none_of_them() -> None:
    """Now the one is seen, now the other: two tracks that stay where they are."""
    one = Thing(going(250, 0), found=lambda at: at < 2 or int(at) % 2 == 0)
    other = Thing(going(390, 0), found=lambda at: at < 2 or int(at) % 2 == 1)
    found = follow(Scripted([one, other]), times(10.0, 10.0))
    places: dict[str, list[float]] = {}
    for _, tracks in found:
        for track in tracks:
            places.setdefault(track.track_id, []).append(track.box.center.x)
    assert len(places) == 2
    assert all(max(xs) - min(xs) < 20 for xs in places.values())


def test_a_vehicle_that_leaves_the_picture_ends() -> None:
    """Without waiting for its time-out, and its box reaches over the edge until then."""
    found = follow(Scripted([Thing(going(300, 200))]), times(2.5, 10.0))
    states_of = [tracks[0].state for _, tracks in found if tracks]
    assert states_of[-1] is ENDED
    assert found[-1][1] == []
    last_seen = max(at for at, tracks in found if tracks)
    assert last_seen < 2.3
    assert any(track.box.x2 > SIZE[0] + 20 for _, tracks in found for track in tracks)


def test_what_is_hidden_in_part_keeps_its_middle() -> None:
    """A pillar covers the front half of a car that passes behind it: the whole car's middle goes on."""
    halves = [Detection(box_at(200 + 10 * n, 200), "car", 0.8) for n in range(6)]
    for n in range(6, 11):
        whole = box_at(200 + 10 * n, 200)
        halves.append(Detection(whole._replace(x2=min(whole.x2, 305.0)), "car", 0.8))
    one = tracker()
    for number, detection in enumerate(halves):
        (track,) = one.update(seen(detection), number / 10)
    assert track.box.center.x == pytest.approx(300, abs=15)
    assert track.box.width > 85


def test_what_drives_away_is_smaller_and_not_hidden() -> None:
    """A car that comes in beside the camera, at five frames a second: each box a fifth smaller than the last one."""
    one = tracker()
    boxes = [(574, 270, 640, 352), (456, 223, 639, 352), (380, 192, 633, 352), (330, 174, 536, 326)]
    boxes += [(297, 154, 455, 276), (276, 151, 408, 247), (258, 143, 362, 219), (247, 137, 330, 201)]
    for number, box in enumerate(boxes):
        going_away = Detection(Box(*map(float, box)), "car", 0.9)
        (track,) = one.update(Observation((640, 352), [going_away], Displacements.none()), number / 5)
    assert track.track_id == "run-1"
    assert track.box.center.x == pytest.approx(288, abs=8)
    assert track.box.height == pytest.approx(64, abs=8)


def test_what_is_far_from_every_gate_is_left_alone() -> None:
    """With lines given, a car in the far corner has no track."""
    line = ((0.0, 0.4), (0.0, 0.6))
    one = Tracker(TrackerConfig(), MechanismsConfig(), "run", [line])
    for step in range(4):
        found = one.update(seen(car(60), car(600)), step / 10)
    assert len(found) == 1
    assert found[0].box.center.x < 100


def test_a_weak_box_begins_a_track_and_keeps_one() -> None:
    """Whether there is evidence enough is for the counting to say: it is told how sure all of it was."""
    one = tracker()
    for step in range(4):
        (track,) = one.update(seen(car(100 + 5 * step, confidence=0.1)), step / 10)
    assert (track.state, track.confidence, track.evidence.best) == (CONFIRMED, 0.1, 0.1)
    (track,) = one.update(seen(car(120, confidence=0.9)), 0.4)
    assert (track.track_id, track.evidence.best) == ("run-1", 0.9)


def test_a_second_box_on_a_vehicle_begins_no_track() -> None:
    """Weak boxes in and about it, boxes of other names on it: it is there already."""
    one = tracker()
    for step in range(8):
        x = 100 + 8 * step
        more = [
            car(x + 3, label="truck", confidence=0.4),
            Detection(box_at(x - 30, 200, 20, 20), "traffic light", 0.1),
            Detection(box_at(x, 200, 140, 90), "bus", 0.1),
        ]
        found = one.update(seen(car(x), *more), step / 10)
        assert set(states(found)) == {"run-1"}


@pytest.mark.parametrize("break_off", ["gap", "size"])
def test_after_a_long_gap_or_another_size_everything_begins_anew(break_off: str) -> None:
    """What was is told as ended, once; what is there now is new, whatever its place."""
    one = tracker()
    for step in range(4):
        one.update(seen(car(100)), step / 10)
    at, size = (60.0, SIZE) if break_off == "gap" else (0.4, (1280, 720))
    found = one.update(Observation(size, (car(100),), seen().moved), at)
    assert states(found) == {"run-1": ENDED, "run-2": TENTATIVE}
    assert set(states(one.update(Observation(size, (car(100),), seen().moved), at + 0.1))) == {"run-2"}


def test_the_same_frames_give_the_same_tracks() -> None:
    """To the last bit."""
    things = [Thing(going(60, 170, y=170)), Thing(going(560, -110, y=230), found=lambda at: int(at * 10) % 3 > 0)]
    one, other = (follow(Scripted(things), times(3.0, 7.0)) for _ in range(2))
    assert one == other


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.floats(0, 640), st.floats(0, 360), st.floats(0.05, 1)), max_size=5), max_size=25),
    st.floats(0.02, 0.5),
)
def test_every_track_ends_once_and_never_comes_back(frames: list[list[tuple[float, float, float]]], gap: float) -> None:
    """Whatever is detected: ids are unique, an ended one is told once, and after a quiet time none is left."""
    one = tracker(lost_seconds=1.0, rest_seconds=2.0)
    ended: set[str] = set()
    known: set[str] = set()
    at = 0.0
    for boxes in [*frames, *([[]] * round(3 / gap + 2))]:
        at += gap
        tracks = one.update(seen(*(car(x, y, confidence=c) for x, y, c in boxes)), at)
        names = [track.track_id for track in tracks]
        assert len(names) == len(set(names))
        assert not ended & set(names)
        known |= set(names)
        ended |= {track.track_id for track in tracks if track.state is ENDED}
    assert ended == known
