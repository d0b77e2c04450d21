"""What a gate remembers, and what it says of every track."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest
from support.ways import COUNTING, ENTRY, GATE, MECHANISMS, SIZE, Vehicle, count, standing, straight, track

from edge.core.shapes import Point
from edge.core.tracks import Reason, TrackState
from edge.counting.candidate import CrossingCandidate
from edge.counting.gate import Gate

IN = straight(300, 700, 20)


def gate() -> Gate:
    """A gate with the defaults."""
    return Gate(GATE, COUNTING, MECHANISMS)


def test_memory_is_bounded_by_the_living_tracks() -> None:
    """A hundred thousand vehicles, one after the other, leave nothing but the passes of the last seconds."""
    one, crossings, most = gate(), 0, 0
    before, beyond = (track(x, velocity=Point(500.0, 0.0)) for x in (400.0, 600.0))
    ended = replace(beyond, state=TrackState.ENDED)
    for number in range(100_000):
        at, name = 6.0 * number, f"r-{number}"
        one.update([replace(before, track_id=name)], SIZE, at)
        one.update([replace(beyond, track_id=name)], SIZE, at + 0.4)
        crossings += len(one.update([replace(ended, track_id=name)], SIZE, at + 0.8))
        most = max(most, one.remembered)
        assert len(one.verdicts()) == 1
    assert crossings == 100_000
    assert most < 10
    one.update([], SIZE, 600_010.0)
    assert one.remembered == 0


def test_a_queue_that_never_ends_is_forgotten_too() -> None:
    """Vehicle behind vehicle, all day: none keeps the one in front of it in memory."""
    one = gate()
    number, places = 0, {}
    for frame in range(1500):
        places = {name: x + 25 for name, x in places.items()}
        if frame % 5 == 0:
            number += 1
            places[f"r-{number}"] = 375.0
        ended = [name for name, x in places.items() if x > 650]
        tracks = [track(x, name=name, size=(100.0, 60.0), velocity=Point(250.0, 0.0)) for name, x in places.items()]
        one.update(
            [replace(shown, state=TrackState.ENDED) if shown.track_id in ended else shown for shown in tracks],
            *(SIZE, 0.1 * frame),
        )
        places = {name: x for name, x in places.items() if name not in ended}
    assert number == 300
    gc.collect()
    assert sum(isinstance(thing, CrossingCandidate) for thing in gc.get_objects()) < 40


def test_tracks_that_never_cross_are_forgotten_too() -> None:
    """Parked vehicles, flashes, and what is merged into another track."""
    one = gate()
    for number in range(300):
        at, name = 0.5 * number, f"r-{number}"
        flash = replace(track(300, name=name), state=TrackState.TENTATIVE, past=None)
        one.update([flash, track(200, name="parked")], SIZE, at)
        merged = replace(flash, state=TrackState.ENDED, merged_into="parked" if number % 2 else "")
        one.update([merged, track(200, name="parked")], SIZE, at + 0.1)
        assert one.remembered <= 2
    one.update([replace(track(200, name="parked"), state=TrackState.ENDED)], SIZE, 151.0)
    assert one.remembered == 0


@pytest.mark.parametrize(
    ("vehicle", "reason"),
    [
        pytest.param(Vehicle(IN), Reason.CROSSED, id="crossed"),
        pytest.param(Vehicle(straight(540, 1000, 12), first=10), Reason.CAME_ACROSS, id="came across"),
        pytest.param(Vehicle(IN, label="person"), Reason.PERSON, id="person"),
        pytest.param(Vehicle(IN, label="bicycle"), Reason.BICYCLE, id="bicycle"),
        pytest.param(Vehicle(IN, confidence=0.004), Reason.NO_EVIDENCE, id="no evidence"),
        pytest.param(Vehicle(IN, y=450), Reason.BESIDE, id="beside the ends"),
        pytest.param(Vehicle([400.0, 460.0, 496.0, 504.0, 460.0, 400.0]), Reason.TURNED_BACK, id="turned back"),
        pytest.param(Vehicle([400.0, 460.0, *standing(502, 20)]), Reason.STAYED, id="stayed"),
        pytest.param(Vehicle([300.0, 320.0]), Reason.NOT_CONFIRMED, id="never confirmed"),
        pytest.param(Vehicle(straight(200, 400, 20)), Reason.NOT_ACROSS, id="did not come across"),
    ],
)
def test_every_track_that_ends_has_a_reason(vehicle: Vehicle, reason: Reason) -> None:
    """One verdict each, and only a crossing that counted says that it did."""
    found = count(vehicle)
    (verdict,) = found.verdicts
    assert (verdict.track_id, verdict.gate_id, verdict.reason) == ("r-1", "g", reason)
    assert verdict.counted is bool(found.crossings)
    if verdict.counted:
        assert verdict.crossing == found.crossings[0]


def test_each_pass_of_a_track_has_a_verdict() -> None:
    """In and out again: two; the track's end adds none."""
    found = count(Vehicle([*IN, *IN[::-1]]))
    assert found.reasons == {"r-1": [Reason.CROSSED, Reason.CROSSED]}


def test_verdicts_are_told_once() -> None:
    """Those since the last call."""
    one = gate()
    one.update([track(300)], SIZE, 0.0)
    one.update([replace(track(300), state=TrackState.ENDED)], SIZE, 0.1)
    assert [verdict.reason for verdict in one.verdicts()] == [Reason.NOT_ACROSS]
    assert one.verdicts() == []


def test_a_track_that_was_another_one_gives_it_its_way() -> None:
    """``merged_into``: lost before the line, found behind it under a new name that turned out to be the same."""
    one = gate()
    found = []
    for number, x in enumerate((300.0, 350.0, 400.0, 450.0)):
        found += one.update([track(x)], SIZE, 0.1 * number)
    new = track(560, name="r-2")
    lost = replace(track(450), state=TrackState.LOST, followed=False)
    found += one.update([lost, replace(new, state=TrackState.TENTATIVE, past=None)], SIZE, 0.6)
    merged = replace(new, state=TrackState.ENDED, merged_into="r-1", past=())
    found += one.update([merged, track(600)], SIZE, 0.7)
    found += one.finish()
    assert [(crossing.track_id, crossing.direction) for crossing in found] == [("r-1", ENTRY)]
    assert 0.3 < found[0].at < 0.6
    assert [(verdict.track_id, verdict.reason) for verdict in one.verdicts()] == [("r-1", Reason.CROSSED)]


def test_after_a_long_gap_nothing_is_known_of_before() -> None:
    """A minute without frames: whoever stands on the other side now did not cross, and what waited is decided."""
    one = gate()
    one.update([track(300)], SIZE, 0.0)
    assert one.update([track(700)], SIZE, 60.0) == []
    assert one.finish() == []
    one = gate()
    for number, x in enumerate((300.0, 400.0, 600.0)):
        assert one.update([track(x)], SIZE, 0.1 * number) == []
    ended = replace(track(600), state=TrackState.ENDED)
    assert [crossing.direction for crossing in one.update([ended], SIZE, 60.0)] == [ENTRY]


def test_a_track_that_ends_with_a_long_gap_was_confirmed_all_the_same() -> None:
    """Its way is forgotten, but its verdict does not call it a flash."""
    one = gate()
    one.update([track(300)], SIZE, 0.0)
    one.update([replace(track(300), state=TrackState.ENDED)], SIZE, 60.0)
    assert [verdict.reason for verdict in one.verdicts()] == [Reason.NOT_ACROSS]


def test_frames_of_another_size_begin_anew() -> None:
    """Pixels of one size mean nothing in another."""
    one = gate()
    one.update([track(300)], SIZE, 0.0)
    assert one.update([track(300, 125)], (500, 250), 0.1) == []
    assert one.update([track(350, 125)], (500, 250), 0.2) == []
    assert one.finish() == []


def test_nothing_is_decided_twice() -> None:
    """What finish told is not told again by frames that come after all."""
    one = gate()
    for number, x in enumerate((300.0, 400.0, 600.0)):
        assert one.update([track(x)], SIZE, 0.1 * number) == []
    assert len(one.finish()) == 1
    assert one.finish() == []
    later = [one.update([track(620)], SIZE, 0.3 + 0.1 * step) for step in range(20)]
    assert later == [[]] * 20
