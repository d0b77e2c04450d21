"""Tests that the memory of a gate is bounded."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest
from support.scripted_tracks import COUNTING, GATE, MECHANISMS, SIZE, make_track

from edge.core.shapes import Point
from edge.core.tracks import TrackState
from edge.counting.decision.candidate import CrossingCandidate
from edge.counting.gate import Gate


@pytest.mark.parametrize("vehicles", [2_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_memory_is_bounded_by_the_living_tracks(vehicles: int) -> None:
    """Vehicles that pass one after the other leave nothing but the crossings of the last seconds in memory."""
    gate, crossings, most = Gate(GATE, COUNTING, MECHANISMS), 0, 0
    before, beyond = (make_track(x, velocity=Point(500.0, 0.0)) for x in (400.0, 600.0))
    ended = replace(beyond, state=TrackState.ENDED)
    for number in range(vehicles):
        at, track_id = 6.0 * number, f"r-{number}"
        gate.update([replace(before, track_id=track_id)], SIZE, at)
        crossings += len(gate.update([replace(beyond, track_id=track_id)], SIZE, at + 0.4))
        crossings += len(gate.update([replace(ended, track_id=track_id)], SIZE, at + 0.8))
        most = max(most, gate.remembered)
        assert len(gate.verdicts()) == 1
    assert crossings == vehicles
    assert most < 10
    gate.update([], SIZE, 6.0 * vehicles + 10)
    assert gate.remembered == 0


def test_a_queue_that_never_ends_is_forgotten_too() -> None:
    """In an endless row of vehicles none keeps the one in front of it in memory."""
    gate = Gate(GATE, COUNTING, MECHANISMS)
    number = 0
    places: dict[str, float] = {}
    for frame in range(1500):
        places = {track_id: x + 25 for track_id, x in places.items()}
        if frame % 5 == 0:
            number += 1
            places[f"r-{number}"] = 375.0
        tracks = [
            replace(
                make_track(x, track_id=track_id, size=(100.0, 60.0), velocity=Point(250.0, 0.0)),
                state=TrackState.ENDED if x > 650 else TrackState.CONFIRMED,
            )
            for track_id, x in places.items()
        ]
        gate.update(tracks, SIZE, 0.1 * frame)
        places = {track_id: x for track_id, x in places.items() if x <= 650}
    assert number == 300
    gc.collect()
    assert sum(isinstance(kept, CrossingCandidate) for kept in gc.get_objects()) < 40


def test_tracks_that_never_cross_are_forgotten_too() -> None:
    """Parked vehicles, tracks that end unconfirmed, and tracks that are merged leave nothing in memory."""
    gate = Gate(GATE, COUNTING, MECHANISMS)
    parked = make_track(200, track_id="parked")
    for number in range(300):
        at = 0.5 * number
        flash = replace(make_track(300, track_id=f"r-{number}"), state=TrackState.TENTATIVE, past=None)
        gate.update([flash, parked], SIZE, at)
        ended = replace(flash, state=TrackState.ENDED, merged_into="parked" if number % 2 else "")
        gate.update([ended, parked], SIZE, at + 0.1)
        assert gate.remembered <= 2
    gate.update([replace(parked, state=TrackState.ENDED)], SIZE, 151.0)
    assert gate.remembered == 0
