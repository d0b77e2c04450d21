"""Tracks over hand-made detections: identities, states and life times."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.config import TrackerConfig
from edge.records import Box, Detection, Track, TrackState
from edge.vision.tracker import Tracker, one_box_a_vehicle

TENTATIVE, CONFIRMED, LOST, ENDED = TrackState


def car(x: float, *, y: float = 200, confidence: float = 0.8, label: str = "car") -> Detection:
    """A car of 100 x 60 pixels about (x, y)."""
    return Detection(Box(x - 50, y - 30, x + 50, y + 30), label, confidence)


def states(tracks: list[Track]) -> dict[str, TrackState]:
    """Track ids and their states."""
    return {track.track_id: track.state for track in tracks}


def test_a_track_lives_from_tentative_to_ended() -> None:
    """Seen once: tentative; again: confirmed; unseen: lost with its last box; after the time-out: ended, once."""
    tracker = Tracker(TrackerConfig(lost_seconds=1.0), "run")
    assert states(tracker.update([car(100)], 10.0)) == {"run-1": TENTATIVE}
    assert states(tracker.update([car(105)], 10.1)) == {"run-1": CONFIRMED}
    (lost,) = tracker.update([], 10.5)
    assert (lost.state, lost.box, lost.at) == (LOST, car(105).box, 10.1)
    assert states(tracker.update([], 11.6)) == {"run-1": ENDED}
    assert tracker.update([], 11.7) == []


@pytest.mark.parametrize("rate", [3.0, 5.0, 10.0, 30.0])
def test_a_lost_track_ends_after_seconds_not_frames(rate: float) -> None:
    """The time-out is the same at every frame rate."""
    tracker = Tracker(TrackerConfig(lost_seconds=2.0), "run")
    at = 0.0
    for _ in range(4):
        tracker.update([car(100)], at)
        at += 1 / rate
    seen = at - 1 / rate
    while any(track.state is not ENDED for track in tracker.update([], at)):
        at += 1 / rate
    assert 2.0 <= at - seen <= 2.0 + 2 / rate


def test_a_flash_of_one_frame_is_never_confirmed() -> None:
    """A false detection that does not last ends without having been a vehicle."""
    tracker = Tracker(TrackerConfig(), "run")
    tracker.update([car(100)], 0.0)
    assert states(tracker.update([], 0.1)) == {"run-1": ENDED}


def test_more_frames_may_be_asked_for_before_a_track_counts() -> None:
    """confirm_frames is the number of frames with a box, whatever the library's own rule."""
    tracker = Tracker(TrackerConfig(confirm_frames=4), "run")
    seen = [states(tracker.update([car(100 + n)], n / 10))["run-1"] for n in range(5)]
    assert seen == [TENTATIVE, TENTATIVE, TENTATIVE, CONFIRMED, CONFIRMED]
    tracker = Tracker(TrackerConfig(confirm_frames=1), "run")
    assert states(tracker.update([car(100)], 0.0)) == {"run-1": CONFIRMED}


def test_each_track_carries_the_box_that_it_was_matched_with() -> None:
    """Two vehicles, also while both are new, are never mixed up."""
    tracker = Tracker(TrackerConfig(confirm_frames=3), "run")
    first: dict[str, float] = {}
    for step in range(6):
        left, right = car(100 + 4 * step), car(400 - 4 * step, y=300)
        tracks = tracker.update([right, left] if step % 2 else [left, right], step / 10)
        assert {track.track_id: track.box for track in tracks} in (
            {"run-1": left.box, "run-2": right.box},
            {"run-2": left.box, "run-1": right.box},
        )
        if step:
            assert {track.track_id: track.box.y1 for track in tracks} == first
        first = {track.track_id: track.box.y1 for track in tracks}


def test_two_cameras_count_their_own_tracks() -> None:
    """The library's counter is its own business: each camera begins at 1."""
    one, two = Tracker(TrackerConfig(), "a"), Tracker(TrackerConfig(), "b")
    for step in range(3):
        first = one.update([car(100), car(300)], step / 10)
        second = two.update([car(100)], step / 10)
    assert set(states(first)) == {"a-1", "a-2"}
    assert set(states(second)) == {"b-1"}


def test_a_weak_box_keeps_a_track_but_begins_none() -> None:
    """ByteTrack's second look: low confidence is good enough to go on with."""
    tracker = Tracker(TrackerConfig(activation_confidence=0.3, high_confidence=0.3), "run")
    assert tracker.update([car(100, confidence=0.15)], 0.0) == []
    for step in range(3):
        tracker.update([car(100 + 5 * step)], 0.1 + step / 10)
    (kept,) = tracker.update([car(118, confidence=0.15)], 0.4)
    assert (kept.state, kept.confidence) == (CONFIRMED, 0.15)


def test_a_van_that_is_also_a_truck_is_one_vehicle() -> None:
    """Boxes of several classes on one place become the surest one; neighbours stay."""
    van, same, neighbour = car(100, confidence=0.6), car(104, confidence=0.5, label="truck"), car(190)
    assert one_box_a_vehicle([same, van, neighbour], 0.5) == [neighbour, van]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.floats(50, 600), st.floats(50, 300), st.floats(0.05, 1)), max_size=5), max_size=30)
)
def test_every_track_ends_once_and_never_comes_back(frames: list[list[tuple[float, float, float]]]) -> None:
    """Whatever is detected: ids are unique, an ended one is told once, and after a quiet time none is left."""
    tracker = Tracker(TrackerConfig(lost_seconds=1.0), "run")
    ended: set[str] = set()
    known: set[str] = set()
    at = 0.0
    for boxes in [*frames, *([[]] * 15)]:
        at += 0.1
        tracks = tracker.update([car(x, y=y, confidence=c) for x, y, c in boxes], at)
        names = [track.track_id for track in tracks]
        assert len(names) == len(set(names))
        assert not ended & set(names)
        known |= set(names)
        ended |= {track.track_id for track in tracks if track.state is ENDED}
        fresh = [track for track in tracks if track.state in (TENTATIVE, CONFIRMED)]
        assert all(track.at == at for track in fresh)
        assert len({track.box for track in fresh}) == len(fresh) or len({tuple(b) for b in boxes}) < len(boxes)
    assert ended == known
