"""Tests that new tracks are traced back to where they came from."""

from __future__ import annotations

import pytest
from support.scripted import SceneObject, ScriptedScene, frame_times, run_tracker, stop_to_stop, straight

from edge.config.schema import MechanismsConfig, TrackerConfig
from edge.core.tracks import Track, TrackState


def confirmed_tracks(scene: ScriptedScene, seconds: float, rate: float, **settings: object) -> dict[str, Track]:
    """Each track of a scene as it was in the frame that confirmed it."""
    found: dict[str, Track] = {}
    for _, tracks in run_tracker(scene, frame_times(seconds, rate), **settings):  # type: ignore[arg-type]
        for track in tracks:
            if track.past is not None and track.state is not TrackState.ENDED:
                found.setdefault(track.track_id, track)
    return found


@pytest.mark.parametrize("rate", [5.0, 10.0, 30.0])
def test_a_vehicle_that_is_detected_late_is_traced_back(rate: float) -> None:
    """Its past is where it was in the pictures before, the oldest place first."""
    late = SceneObject(straight(60, 200), is_detected=lambda at: at >= 1.0)
    (track,) = confirmed_tracks(ScriptedScene([late]), 2.0, rate).values()
    assert track.past
    times = [at for at, _ in track.past]
    assert times == sorted(times)
    assert times[0] <= 0.5
    assert times[-1] == pytest.approx(1.0 - 1 / rate)
    for at, place in track.past:
        assert place.x == pytest.approx(60 + 200 * at, abs=12)
        assert place.y == pytest.approx(200, abs=6)


def test_a_track_is_traced_back_no_further_than_retrace_seconds() -> None:
    """Its past is then complete."""
    late = SceneObject(straight(60, 150), is_detected=lambda at: at >= 2.0)
    (track,) = confirmed_tracks(ScriptedScene([late]), 3.0, 10.0, config=TrackerConfig(retrace_seconds=0.8)).values()
    assert track.past is not None
    assert 2.0 - track.past[0][0] == pytest.approx(0.8, abs=0.11)
    assert track.past_complete


def test_a_past_that_breaks_off_is_not_complete() -> None:
    """A vehicle that came out from behind something, and one that was in the first frame."""
    pillar = SceneObject(stop_to_stop((0, 200)), size=(120.0, 300.0), label="bench")
    late = SceneObject(straight(120, 200))
    tracks = confirmed_tracks(ScriptedScene([late, pillar]), 2.5, 10.0)
    after = [track for track in tracks.values() if track.label == "car" and track.box.x1 > 200]
    assert [track.past_complete for track in after] in ([], [False])
    first = confirmed_tracks(ScriptedScene([SceneObject(straight(100, 200))]), 1.0, 10.0)
    assert [(track.past, track.past_complete) for track in first.values()] == [((), False)]


def test_a_standing_vehicle_has_no_past() -> None:
    """A parked car that is detected late."""
    late = SceneObject(straight(300, 0), is_detected=lambda at: at >= 1.0)
    (track,) = confirmed_tracks(ScriptedScene([late]), 2.0, 10.0).values()
    assert track.past == ()


@pytest.mark.parametrize("off", ["retrace", "optical_flow"])
def test_without_the_mechanism_there_is_no_past(off: str) -> None:
    """Tracing back needs its own mechanism, and optical flow."""
    late = SceneObject(straight(60, 200), is_detected=lambda at: at >= 1.0)
    mechanisms = MechanismsConfig.model_validate({off: False})
    (track, *_) = confirmed_tracks(ScriptedScene([late]), 2.0, 10.0, mechanisms=mechanisms).values()
    assert track.past == ()


def test_a_part_that_is_detected_late_names_the_track_that_contained_it() -> None:
    """A trailer gets a box of its own after it was inside the box of the whole lorry."""
    lorry = SceneObject(straight(150, 150), size=(260.0, 80.0), label="truck", is_detected=lambda at: at <= 1.0)
    cab = SceneObject(straight(240, 150), size=(80.0, 80.0), is_detected=lambda at: at > 1.0, is_solid=False)
    trailer = SceneObject(straight(110, 150), size=(170.0, 80.0), is_detected=lambda at: at > 1.0, is_solid=False)
    tracks = confirmed_tracks(ScriptedScene([lorry, trailer, cab]), 2.2, 10.0)
    first, *others = tracks.values()
    assert first.label == "truck"
    assert others
    assert all(other.part_of == first.track_id for other in others)


def test_vehicles_one_behind_the_other_are_no_parts() -> None:
    """Although the second vehicle is detected late."""
    first = SceneObject(straight(240, 150))
    second = SceneObject(straight(100, 150), is_detected=lambda at: at >= 1.0)
    tracks = confirmed_tracks(ScriptedScene([first, second]), 2.2, 10.0)
    assert [track.part_of for track in tracks.values()] == ["", ""]


def test_a_track_is_not_traced_back_over_a_long_gap() -> None:
    """Its past begins after the gap."""
    late = SceneObject(straight(60, 40), is_detected=lambda at: at >= 9.0)
    scene = ScriptedScene([late])
    times = [0.0, 0.1, 0.2, 8.9, 9.0, 9.1, 9.2, 9.3]
    (track,) = [tracks[0] for _, tracks in run_tracker(scene, times) if tracks][-1:]
    assert track.past is not None
    assert all(at >= 8.9 for at, _ in track.past)
