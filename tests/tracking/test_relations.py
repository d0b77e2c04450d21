"""Tests of relations between tracks: shadows, parts, and lost tracks that are seen again."""

from __future__ import annotations

import numpy as np
import pytest
from support.scripted import (
    SIZE,
    SceneObject,
    ScriptedScene,
    box_at,
    frame_times,
    last_states,
    run_tracker,
    sighting_at,
    stop_to_stop,
    straight,
)

from edge.config.schema import MechanismsConfig
from edge.core.shapes import Point
from edge.core.tracks import TrackState
from edge.tracking.observer import FrameStep, whole_frame
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.relations import (
    absorb_parts,
    find_continued,
    find_shadows,
    move_alike,
    record_apart,
    record_contacts,
)
from edge.tracking.retrace import Origin
from edge.tracking.tracklet import Tracklet

RIGHT = Point(100.0, 0.0)


def tracklet(
    number: int,
    x: float,
    y: float = 200.0,
    *,
    size: tuple[float, float] = (100.0, 60.0),
    velocity: Point = RIGHT,
    sightings: int = 5,
    born: float = 0.0,
) -> Tracklet:
    """A confirmed track around (x, y) that was seen in this frame."""
    step = FrameStep(born, 0.1, SIZE, whole_frame(SIZE))
    track = Tracklet.start(number, sighting_at(x, y, *size), velocity, step, True, DEFAULT_TRACKING)
    track.evidence.sightings, track.origin = sightings, Origin()
    return track


def lost(number: int, x: float, *, at: float, velocity: Point = RIGHT) -> Tracklet:
    """A track that was found for the last time around x, at that time."""
    track = tracklet(number, x, velocity=velocity, born=at - 1.0)
    track.save_fix(at)
    track.seen = False
    return track


def test_tracks_of_similar_velocity_move_alike() -> None:
    """Within a share of the speed, and of the smaller track's size."""
    track = tracklet(1, 300)
    assert move_alike(track, tracklet(2, 300, velocity=Point(110.0, 5.0)), DEFAULT_TRACKING.relations)
    assert not move_alike(track, tracklet(2, 300, velocity=Point(-100.0, 0.0)), DEFAULT_TRACKING.relations)
    assert not move_alike(track, tracklet(2, 300, velocity=Point(0.0, 0.0)), DEFAULT_TRACKING.relations)


def test_an_unseen_track_on_a_seen_one_is_its_shadow() -> None:
    """After a moment, and only while it moves like the other track."""
    whole, carried = tracklet(1, 300), tracklet(2, 310)
    carried.seen = False
    assert find_shadows([whole, carried], 0.1, DEFAULT_TRACKING) == set()
    found: set[int] = set()
    for _ in range(5):
        found = found or find_shadows([whole, carried], 0.1, DEFAULT_TRACKING)
    assert found == {2}
    other_way = tracklet(3, 310, velocity=Point(-100.0, 0.0))
    other_way.seen = False
    beside = tracklet(4, 300, 290)
    beside.seen = False
    for _ in range(10):
        assert find_shadows([whole, other_way, beside], 0.1, DEFAULT_TRACKING) == set()


def test_a_track_that_is_seen_beside_the_other_is_no_shadow() -> None:
    """The seconds as a shadow then start again from 0."""
    whole, carried = tracklet(1, 300), tracklet(2, 310)
    for _ in range(6):
        carried.seen = False
        assert find_shadows([whole, carried], 0.1, DEFAULT_TRACKING) == set()
        carried.seen = True
        carried.motion.y = 280
        assert find_shadows([whole, carried], 0.1, DEFAULT_TRACKING) == set()
        carried.motion.y = 200


def apart_seconds(frames: int, distance: float, confidence: float = 0.6) -> float:
    """For how long two tracks were seen apart whose middles are so far from each other, in frames of 0.1 s."""
    tracks = [tracklet(1, 300), tracklet(2, 300 + distance)]
    for track in tracks:
        track.last = track.last._replace(confidence=confidence)
    for _ in range(frames):
        record_apart(tracks, 0.1, DEFAULT_TRACKING.relations)
    first, second = (track.relations.apart for track in tracks)
    assert first.get(2, 0.0) == second.get(1, 0.0)
    return first.get(2, 0.0)


def test_two_tracks_that_are_surely_seen_in_two_places_are_apart() -> None:
    """For as long as both are seen surely, and their boxes have little in common."""
    assert apart_seconds(5, 90.0) == pytest.approx(0.5)
    assert apart_seconds(5, 60.0) == 0
    assert apart_seconds(5, 90.0, confidence=0.2) == 0
    one, unseen = tracklet(1, 300), tracklet(2, 500)
    unseen.seen = False
    record_apart([one, unseen], 0.1, DEFAULT_TRACKING.relations)
    assert one.relations.apart == {}


def test_a_parked_vehicle_does_not_remember_all_that_drove_past() -> None:
    """Memory stays bounded for years: of tracks that have ended nothing is kept."""
    parked = tracklet(1, 300)
    for number in range(2, 300):
        record_apart([parked, tracklet(number, 500)], 0.1, DEFAULT_TRACKING.relations)
    assert len(parked.relations.apart) <= 3


def absorbed_parts(part_seen: bool = False, *, width: float = 230.0) -> list[int]:
    """The parts that a trailer's track absorbs when it and a cab were side by side and its box then has that width."""
    cab, trailer = tracklet(1, 380, size=(80.0, 80.0)), tracklet(2, 260, size=(150.0, 80.0))
    record_contacts([cab, trailer], 1.0, DEFAULT_TRACKING)
    cab.seen = part_seen
    trailer.last = trailer.last._replace(at=1.5, box=np.array(box_at(300, 200, width, 80.0)))
    cab.last = cab.last._replace(at=1.5 if part_seen else 1.0)
    absorb_parts([cab, trailer], 1.5, DEFAULT_TRACKING.relations)
    return trailer.relations.absorbed


def test_a_cab_that_has_become_one_box_with_its_trailer_is_a_part() -> None:
    """The trailer's box has grown to both together, and the cab is no longer seen for itself."""
    assert absorbed_parts() == [1]


def test_a_vehicle_that_another_one_hides_is_no_part() -> None:
    """Where the other box stays as long as it was, or where both are still seen."""
    assert absorbed_parts(width=150.0) == []
    assert absorbed_parts(part_seen=True) == []


def test_vehicles_that_never_touched_are_no_parts() -> None:
    """Where they are far apart, and where they move in opposite directions."""
    for other in (tracklet(2, 100, size=(150.0, 80.0)), tracklet(2, 260, size=(150.0, 80.0), velocity=Point(-90, 0))):
        track = tracklet(1, 380, size=(80.0, 80.0))
        record_contacts([track, other], 1.0, DEFAULT_TRACKING)
        assert (track.relations.contacts, other.relations.contacts) == ({}, {})


def test_a_contact_is_forgotten_after_a_while_or_when_the_other_track_ends() -> None:
    """So memory does not grow."""
    cab, trailer = tracklet(1, 380, size=(80.0, 80.0)), tracklet(2, 260, size=(150.0, 80.0))
    record_contacts([cab, trailer], 1.0, DEFAULT_TRACKING)
    assert set(cab.relations.contacts) == {2}
    absorb_parts([cab, trailer], 60.0, DEFAULT_TRACKING.relations)
    assert (cab.relations.contacts, trailer.relations.contacts) == ({}, {})
    record_contacts([cab, trailer], 61.0, DEFAULT_TRACKING)
    absorb_parts([cab], 61.1, DEFAULT_TRACKING.relations)
    assert cab.relations.contacts == {}


def test_a_new_track_continues_a_lost_one_that_was_on_its_way_there() -> None:
    """Where place, time, velocity and size fit."""
    before = lost(1, 300, at=2.0)
    new = tracklet(2, 350, born=2.5)
    assert find_continued(new, [before, new], DEFAULT_TRACKING) is before


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(tracklet(2, 600, born=2.5), id="too far"),
        pytest.param(tracklet(2, 350, 300, born=2.5), id="beside the expected place"),
        pytest.param(tracklet(2, 650, born=5.5), id="too late"),
        pytest.param(tracklet(2, 350, born=2.5, velocity=Point(-200, 0)), id="the other way"),
        pytest.param(tracklet(2, 350, born=2.5, size=(300.0, 200.0)), id="much larger"),
        pytest.param(tracklet(2, 350, born=2.5, size=(30.0, 20.0)), id="much smaller"),
        pytest.param(tracklet(2, 350, born=0.5), id="older than the lost one"),
    ],
)
def test_a_new_track_that_does_not_fit_continues_none(new: Tracklet) -> None:
    """Such a track is another vehicle."""
    assert find_continued(new, [lost(1, 300, at=2.0), new], DEFAULT_TRACKING) is None


def test_the_nearest_of_several_lost_tracks_is_continued_and_a_seen_one_never() -> None:
    """A vehicle that is seen is not lost."""
    near, far, seen = lost(1, 300, at=2.0), lost(3, 285, at=2.0), tracklet(4, 350)
    new = tracklet(2, 350, born=2.5)
    assert find_continued(new, [far, seen, near, new], DEFAULT_TRACKING) is near
    assert find_continued(new, [seen, new], DEFAULT_TRACKING) is None


def test_a_parked_vehicle_is_continued_in_its_place_after_any_time() -> None:
    """In another place the new track is another vehicle."""
    parked = lost(1, 300, at=2.0, velocity=Point(0.0, 0.0))
    parked.fix = parked.fix._replace(resting=True)
    assert find_continued(tracklet(2, 305, born=60.0, velocity=Point(0, 0)), [parked], DEFAULT_TRACKING) is parked
    assert find_continued(tracklet(2, 420, born=60.0, velocity=Point(0, 0)), [parked], DEFAULT_TRACKING) is None


def test_a_vehicle_keeps_its_track_behind_a_pillar() -> None:
    """It is lost there, and found again where it is expected."""
    pillar = SceneObject(stop_to_stop((0, 330)), size=(130.0, 300.0), is_detected=lambda at: False)
    vehicle = SceneObject(straight(60, 250))
    last = last_states(run_tracker(ScriptedScene([vehicle, pillar]), frame_times(2.0, 10.0)))
    assert [name for name, track in last.items() if track.state is TrackState.CONFIRMED] == ["run-1"]


@pytest.mark.parametrize("stitching", [True, False])
def test_a_new_track_of_a_lost_vehicle_is_merged_into_the_old_one(stitching: bool) -> None:
    """The vehicle went faster than expected while it was unseen; without the mechanism both tracks stay."""
    jump = SceneObject(
        lambda at: (60 + 250 * at + (58 if at > 1 else 0), 200), is_detected=lambda at: not 0.85 < at < 1.35
    )
    mechanisms = MechanismsConfig(stitching=stitching)
    last = last_states(run_tracker(ScriptedScene([jump], flow=False), frame_times(2.0, 10.0), mechanisms=mechanisms))
    states = {name: (track.state, track.merged_into) for name, track in last.items()}
    if stitching:
        assert states == {"run-1": (TrackState.CONFIRMED, ""), "run-2": (TrackState.ENDED, "run-1")}
        assert last["run-1"].box.center.x == pytest.approx(618, abs=15)
        assert last["run-1"].evidence.sightings > 12
    else:
        assert states["run-2"] == (TrackState.CONFIRMED, "")
