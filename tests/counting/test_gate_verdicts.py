"""Tests the verdicts of a gate, and what it does when tracks are merged or frames are missing for long."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.scripted_tracks import (
    COUNTING,
    ENTRY,
    GATE,
    SIZE,
    WITHOUT_EARLY,
    Vehicle,
    make_track,
    run_gate,
    standing,
    steady,
)

from edge.core.tracks import Reason, TrackState
from edge.counting.gate import Gate

IN = steady(300, 700, 20)


def make_gate() -> Gate:
    """A gate that holds every crossing back."""
    return Gate(GATE, COUNTING, WITHOUT_EARLY)


@pytest.mark.parametrize(
    ("vehicle", "reason"),
    [
        pytest.param(Vehicle(IN), Reason.CROSSED, id="crossed"),
        pytest.param(Vehicle(steady(540, 1000, 12), first_frame=10), Reason.CROSSED_UNSEEN, id="crossed unseen"),
        pytest.param(Vehicle(IN, label="person"), Reason.PERSON, id="person"),
        pytest.param(Vehicle(IN, label="bicycle"), Reason.BICYCLE, id="bicycle"),
        pytest.param(Vehicle(IN, confidence=0.004), Reason.NO_EVIDENCE, id="no evidence"),
        pytest.param(Vehicle(IN, y=450), Reason.BESIDE_LINE, id="beside the ends"),
        pytest.param(Vehicle([400.0, 460.0, 496.0, 504.0, 460.0, 400.0]), Reason.TURNED_BACK, id="turned back"),
        pytest.param(Vehicle([400.0, 460.0, *standing(502, 20)]), Reason.STAYED_IN_BAND, id="stayed"),
        pytest.param(Vehicle([300.0, 320.0]), Reason.NOT_CONFIRMED, id="never confirmed"),
        pytest.param(Vehicle(steady(200, 400, 20)), Reason.NOT_CROSSED, id="did not come across"),
    ],
)
def test_every_track_that_ends_has_a_reason(vehicle: Vehicle, reason: Reason) -> None:
    """Each has one verdict, and only that of a crossing that counted says so."""
    result = run_gate(vehicle)
    (verdict,) = result.verdicts
    assert (verdict.track_id, verdict.gate_id, verdict.reason) == ("r-1", "g", reason)
    assert verdict.counted is bool(result.crossings)
    if verdict.counted:
        assert verdict.crossing == result.crossings[0]


def test_each_crossing_of_a_track_has_a_verdict() -> None:
    """In and out again are two; the track's end adds none."""
    result = run_gate(Vehicle([*IN, *IN[::-1]]))
    assert result.reasons == {"r-1": [Reason.CROSSED, Reason.CROSSED]}


def test_a_verdict_is_returned_once() -> None:
    """The verdicts are those since the last call."""
    gate = make_gate()
    gate.update([make_track(300)], SIZE, 0.0)
    gate.update([replace(make_track(300), state=TrackState.ENDED)], SIZE, 0.1)
    assert [verdict.reason for verdict in gate.verdicts()] == [Reason.NOT_CROSSED]
    assert gate.verdicts() == []


def test_a_merged_track_gives_its_path_to_the_lost_one() -> None:
    """A vehicle that is lost before the line and found behind it under a new id crosses with its first id."""
    gate = make_gate()
    crossings = []
    for number, x in enumerate((300.0, 350.0, 400.0, 450.0)):
        crossings += gate.update([make_track(x)], SIZE, 0.1 * number)
    new = make_track(560, track_id="r-2")
    lost = replace(make_track(450), state=TrackState.LOST, followed=False)
    crossings += gate.update([lost, replace(new, state=TrackState.TENTATIVE, past=None)], SIZE, 0.6)
    merged = replace(new, state=TrackState.ENDED, merged_into="r-1", past=())
    crossings += gate.update([merged, make_track(600)], SIZE, 0.7)
    crossings += gate.finish()
    assert [(crossing.track_id, crossing.direction) for crossing in crossings] == [("r-1", ENTRY)]
    assert 0.3 < crossings[0].at < 0.6
    assert [(verdict.track_id, verdict.reason) for verdict in gate.verdicts()] == [("r-1", Reason.CROSSED)]


def test_after_a_long_gap_all_paths_begin_anew() -> None:
    """A vehicle on the other side after a minute without frames did not cross; what waited is decided."""
    gate = make_gate()
    gate.update([make_track(300)], SIZE, 0.0)
    assert gate.update([make_track(700)], SIZE, 60.0) == []
    assert gate.finish() == []
    gate = make_gate()
    for number, x in enumerate((300.0, 400.0, 600.0)):
        assert gate.update([make_track(x)], SIZE, 0.1 * number) == []
    ended = replace(make_track(600), state=TrackState.ENDED)
    assert [crossing.direction for crossing in gate.update([ended], SIZE, 60.0)] == [ENTRY]


def test_a_track_that_ends_with_a_long_gap_was_confirmed_all_the_same() -> None:
    """Its path is forgotten, but its verdict does not say that it was never confirmed."""
    gate = make_gate()
    gate.update([make_track(300)], SIZE, 0.0)
    gate.update([replace(make_track(300), state=TrackState.ENDED)], SIZE, 60.0)
    assert [verdict.reason for verdict in gate.verdicts()] == [Reason.NOT_CROSSED]


def test_with_another_frame_size_all_paths_begin_anew() -> None:
    """Pixels of one size mean nothing in another."""
    gate = make_gate()
    gate.update([make_track(300)], SIZE, 0.0)
    assert gate.update([make_track(300, 125)], (500, 250), 0.1) == []
    assert gate.update([make_track(350, 125)], (500, 250), 0.2) == []
    assert gate.finish() == []


def test_nothing_is_decided_twice() -> None:
    """A crossing that ``finish`` returned is not returned again when frames come after all."""
    gate = make_gate()
    for number, x in enumerate((300.0, 400.0, 600.0)):
        assert gate.update([make_track(x)], SIZE, 0.1 * number) == []
    assert len(gate.finish()) == 1
    assert gate.finish() == []
    later = [gate.update([make_track(620)], SIZE, 0.3 + 0.1 * step) for step in range(20)]
    assert later == [[]] * 20
