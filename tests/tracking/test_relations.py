"""What tracks are to each other: shadows, parts, and one that was lost and is seen again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.scripted import Scripted, Thing, box_at, by_way, follow, going, times

from edge.config.schema import MechanismsConfig
from edge.core.shapes import Point
from edge.core.tracks import TrackState
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.relations import absorb_parts, continued, notice_touches, shadows, together
from edge.tracking.tracklet import Tracklet

if TYPE_CHECKING:
    from edge.core.tracks import Track

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
    """A track about (x, y) that was seen in this frame."""
    box = np.array(box_at(x, y, *size))
    one = Tracklet.begin(number, box, 0.8, {"car": 0.8}, velocity, born, 0.1, True, DEFAULT_TRACKING)
    one.sightings, one.past = sightings, []
    return one


def lost(number: int, x: float, *, at: float, velocity: Point = RIGHT) -> Tracklet:
    """One that was found for the last time at x, at that time."""
    one = tracklet(number, x, velocity=velocity, born=at - 1.0)
    one.remember(at)
    one.seen = False
    return one


def last_of(found: list[tuple[float, list[Track]]]) -> dict[str, Track]:
    """Each track as it was told last."""
    return {track.track_id: track for _, tracks in found for track in tracks}


def test_vehicles_go_together_when_their_velocities_are_alike() -> None:
    """Within a share of the speed, and of the smaller one's size."""
    one = tracklet(1, 300)
    assert together(one, tracklet(2, 300, velocity=Point(110.0, 5.0)), DEFAULT_TRACKING.relations)
    assert not together(one, tracklet(2, 300, velocity=Point(-100.0, 0.0)), DEFAULT_TRACKING.relations)
    assert not together(one, tracklet(2, 300, velocity=Point(0.0, 0.0)), DEFAULT_TRACKING.relations)


def test_a_track_that_is_only_carried_along_on_another_one_is_its_shadow() -> None:
    """After a moment, not at once; and not while it is seen for itself, or goes another way."""
    whole, carried = tracklet(1, 300), tracklet(2, 310)
    carried.seen = False
    assert shadows([whole, carried], 0.1, DEFAULT_TRACKING) == {}
    found: dict[int, Tracklet] = {}
    for _ in range(5):
        found = found or shadows([whole, carried], 0.1, DEFAULT_TRACKING)
    assert found == {2: whole}
    other_way = tracklet(3, 310, velocity=Point(-100.0, 0.0))
    other_way.seen = False
    beside = tracklet(4, 300, 290)
    beside.seen = False
    for _ in range(10):
        assert set(shadows([whole, other_way, beside], 0.1, DEFAULT_TRACKING)) == set()


def test_a_shadow_that_steps_out_is_none() -> None:
    """The time begins anew."""
    whole, carried = tracklet(1, 300), tracklet(2, 310)
    for _ in range(6):
        carried.seen = False
        assert shadows([whole, carried], 0.1, DEFAULT_TRACKING) == {}
        carried.seen = True
        carried.motion.y = 280
        assert shadows([whole, carried], 0.1, DEFAULT_TRACKING) == {}
        carried.motion.y = 200


def grown(part_seen: bool = False, *, width: float = 230.0) -> list[int]:
    """A cab and a trailer side by side, then one box of that width about both; what the trailer's track absorbed."""
    cab, trailer = tracklet(1, 380, size=(80.0, 80.0)), tracklet(2, 260, size=(150.0, 80.0))
    notice_touches([cab, trailer], 1.0, DEFAULT_TRACKING)
    cab.seen = part_seen
    trailer.matched = np.array(box_at(300, 200, width, 80.0))
    trailer.last_seen = 1.5
    cab.last_seen = 1.5 if part_seen else 1.0
    absorb_parts([cab, trailer], 1.5, DEFAULT_TRACKING.relations)
    return trailer.absorbed


def test_a_cab_that_has_become_one_box_with_its_trailer_is_a_part() -> None:
    """The trailer's box has grown to what both were together, and the cab is not seen for itself any more."""
    assert grown() == [1]


def test_a_vehicle_that_is_hidden_by_another_one_is_no_part() -> None:
    """The other one stayed as long as it was; or both are still seen."""
    assert grown(width=150.0) == []
    assert grown(part_seen=True) == []


def test_vehicles_that_never_touched_are_no_parts() -> None:
    """Far apart, or going different ways."""
    for other in (tracklet(2, 100, size=(150.0, 80.0)), tracklet(2, 260, size=(150.0, 80.0), velocity=Point(-90, 0))):
        one = tracklet(1, 380, size=(80.0, 80.0))
        notice_touches([one, other], 1.0, DEFAULT_TRACKING)
        assert (one.touches, other.touches) == ({}, {})


def test_a_touch_is_forgotten_in_time_and_with_the_other_track() -> None:
    """So that memory does not grow."""
    cab, trailer = tracklet(1, 380, size=(80.0, 80.0)), tracklet(2, 260, size=(150.0, 80.0))
    notice_touches([cab, trailer], 1.0, DEFAULT_TRACKING)
    assert set(cab.touches) == {2}
    absorb_parts([cab, trailer], 60.0, DEFAULT_TRACKING.relations)
    assert (cab.touches, trailer.touches) == ({}, {})
    notice_touches([cab, trailer], 61.0, DEFAULT_TRACKING)
    absorb_parts([cab], 61.1, DEFAULT_TRACKING.relations)
    assert cab.touches == {}


def test_a_new_track_continues_the_lost_one_whose_way_leads_to_it() -> None:
    """In place, time, speed and size."""
    before = lost(1, 300, at=2.0)
    new = tracklet(2, 350, born=2.5)
    assert continued(new, [before, new], DEFAULT_TRACKING) is before


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(tracklet(2, 600, born=2.5), id="too far"),
        pytest.param(tracklet(2, 350, 300, born=2.5), id="beside its way"),
        pytest.param(tracklet(2, 650, born=5.5), id="too late"),
        pytest.param(tracklet(2, 350, born=2.5, velocity=Point(-200, 0)), id="the other way"),
        pytest.param(tracklet(2, 350, born=2.5, size=(300.0, 200.0)), id="much larger"),
        pytest.param(tracklet(2, 350, born=2.5, size=(30.0, 20.0)), id="much smaller"),
        pytest.param(tracklet(2, 350, born=0.5), id="older than the lost one"),
    ],
)
def test_a_new_track_that_does_not_fit_continues_none(new: Tracklet) -> None:
    """It is another vehicle."""
    assert continued(new, [lost(1, 300, at=2.0), new], DEFAULT_TRACKING) is None


def test_of_several_lost_ones_the_nearest_is_continued_and_a_seen_one_never() -> None:
    """Each vehicle is in one place."""
    near, far, seen = lost(1, 300, at=2.0), lost(3, 285, at=2.0), tracklet(4, 350)
    new = tracklet(2, 350, born=2.5)
    assert continued(new, [far, seen, near, new], DEFAULT_TRACKING) is near
    assert continued(new, [seen, new], DEFAULT_TRACKING) is None


def test_a_parked_vehicle_is_continued_in_its_place_however_late() -> None:
    """It cannot have gone anywhere."""
    parked = lost(1, 300, at=2.0, velocity=Point(0.0, 0.0))
    parked.was_resting = True
    assert continued(tracklet(2, 305, born=60.0, velocity=Point(0, 0)), [parked], DEFAULT_TRACKING) is parked
    assert continued(tracklet(2, 420, born=60.0, velocity=Point(0, 0)), [parked], DEFAULT_TRACKING) is None


def test_a_vehicle_hidden_by_a_pillar_keeps_its_name() -> None:
    """Lost behind it, and seen again where it was expected."""
    pillar = Thing(by_way((0, 330)), size=(130.0, 300.0), found=lambda at: False)
    last = last_of(follow(Scripted([Thing(going(60, 250)), pillar]), times(2.0, 10.0)))
    assert [name for name, track in last.items() if track.state is TrackState.CONFIRMED] == ["run-1"]


@pytest.mark.parametrize("stitching", [True, False])
def test_a_new_track_of_a_lost_vehicle_ends_in_the_old_one(stitching: bool) -> None:
    """It went faster than expected while nothing was seen of it; the new track ends and says whose it was."""
    jump = Thing(lambda at: (60 + 250 * at + (58 if at > 1 else 0), 200), found=lambda at: not 0.85 < at < 1.35)
    mechanisms = MechanismsConfig(stitching=stitching)
    last = last_of(follow(Scripted([jump], flow=False), times(2.0, 10.0), mechanisms=mechanisms))
    states = {name: (track.state, track.merged_into) for name, track in last.items()}
    if stitching:
        assert states == {"run-1": (TrackState.CONFIRMED, ""), "run-2": (TrackState.ENDED, "run-1")}
        assert last["run-1"].box.center.x == pytest.approx(618, abs=15)
        assert last["run-1"].evidence.sightings > 12
    else:
        assert states["run-2"] == (TrackState.CONFIRMED, "")
