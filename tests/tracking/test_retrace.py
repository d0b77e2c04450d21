"""Where a track came from: followed back through the last seconds."""

from __future__ import annotations

import pytest
from support.scripted import Scripted, Thing, by_way, follow, going, times

from edge.config.schema import MechanismsConfig, TrackerConfig
from edge.core.tracks import Track, TrackState


def confirmed(scene: Scripted, seconds: float, rate: float, **settings: object) -> dict[str, Track]:
    """Each track of a scene as it was when it had just been confirmed."""
    found: dict[str, Track] = {}
    for _, tracks in follow(scene, times(seconds, rate), **settings):  # type: ignore[arg-type]
        for track in tracks:
            if track.past is not None and track.state is not TrackState.ENDED:
                found.setdefault(track.track_id, track)
    return found


@pytest.mark.parametrize("rate", [5.0, 10.0, 30.0])
def test_a_vehicle_that_is_detected_late_is_followed_back(rate: float) -> None:
    """The picture showed it all the time: its past is where it truly was, oldest first."""
    late = Thing(going(60, 200), found=lambda at: at >= 1.0)
    (track,) = confirmed(Scripted([late]), 2.0, rate).values()
    assert track.past
    moments = [at for at, _ in track.past]
    assert moments == sorted(moments)
    assert moments[0] <= 0.5
    assert moments[-1] == pytest.approx(1.0 - 1 / rate)
    for at, place in track.past:
        assert place.x == pytest.approx(60 + 200 * at, abs=12)
        assert place.y == pytest.approx(200, abs=6)


def test_it_is_followed_back_no_further_than_it_was_told() -> None:
    """``retrace_seconds``; the track says that there was more."""
    late = Thing(going(60, 150), found=lambda at: at >= 2.0)
    (track,) = confirmed(Scripted([late]), 3.0, 10.0, config=TrackerConfig(retrace_seconds=0.8)).values()
    assert track.past is not None
    assert 2.0 - track.past[0][0] == pytest.approx(0.8, abs=0.11)
    assert track.past_whole


def test_a_past_that_breaks_off_is_not_whole() -> None:
    """It came out from behind a lorry: only so far could it be followed."""
    pillar = Thing(by_way((0, 200)), size=(120.0, 300.0), label="bench")
    late = Thing(going(120, 200))
    tracks = confirmed(Scripted([late, pillar]), 2.5, 10.0)
    came_out = [track for track in tracks.values() if track.label == "car" and track.box.x1 > 200]
    assert [track.past_whole for track in came_out] in ([], [False])
    at_the_beginning = confirmed(Scripted([Thing(going(100, 200))]), 1.0, 10.0)
    assert [(track.past, track.past_whole) for track in at_the_beginning.values()] == [((), False)]


def test_what_stands_has_no_past_to_look_for() -> None:
    """A parked car is seen for the first time in a better light."""
    late = Thing(going(300, 0), found=lambda at: at >= 1.0)
    (track,) = confirmed(Scripted([late]), 2.0, 10.0).values()
    assert track.past == ()


@pytest.mark.parametrize("off", ["retrace", "optical_flow"])
def test_without_the_mechanism_there_is_no_past(off: str) -> None:
    """Nor without the flow that it lives on."""
    late = Thing(going(60, 200), found=lambda at: at >= 1.0)
    mechanisms = MechanismsConfig.model_validate({off: False})
    (track, *_) = confirmed(Scripted([late]), 2.0, 10.0, mechanisms=mechanisms).values()
    assert track.past == ()


def test_a_part_that_is_seen_late_knows_in_whose_box_it_was() -> None:
    """A trailer that gets a box of its own, after it was within its cab's."""
    lorry = Thing(going(150, 150), size=(260.0, 80.0), label="truck", found=lambda at: at <= 1.0)
    cab = Thing(going(240, 150), size=(80.0, 80.0), found=lambda at: at > 1.0, is_solid=False)
    trailer = Thing(going(110, 150), size=(170.0, 80.0), found=lambda at: at > 1.0, is_solid=False)
    tracks = confirmed(Scripted([lorry, trailer, cab]), 2.2, 10.0)
    first, *others = tracks.values()
    assert first.label == "truck"
    assert others
    assert all(other.part_of == first.track_id for other in others)


def test_vehicles_one_behind_the_other_are_no_parts() -> None:
    """Though the second one is detected late."""
    first = Thing(going(240, 150))
    second = Thing(going(100, 150), found=lambda at: at >= 1.0)
    tracks = confirmed(Scripted([first, second]), 2.2, 10.0)
    assert [track.part_of for track in tracks.values()] == ["", ""]


def test_a_long_gap_is_the_end_of_memory() -> None:
    """What was in the picture before it says nothing of after it."""
    late = Thing(going(60, 40), found=lambda at: at >= 9.0)
    scene = Scripted([late])
    moments = [0.0, 0.1, 0.2, 8.9, 9.0, 9.1, 9.2, 9.3]
    (track,) = [tracks[0] for _, tracks in follow(scene, moments) if tracks][-1:]
    assert track.past is not None
    assert all(at >= 8.9 for at, _ in track.past)
