"""Tests of the soak: a small one runs, and each thing that must hold fails when it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from benchmarks import soak, soak_report
from benchmarks.soak_report import DoneFault, Reading, Soaked, checks, slope_per_hour
from support.field_daemon import BlindTime, CountedEvent, Resources, SeenFrame
from support.shared_fixtures import MOSQUITTO

from edge.core.events import Direction

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 600
CROSSINGS = range(5, SECONDS, 10)


def made_soak() -> Soaked:
    """Ten minutes of a camera that was killed once, in which all holds."""
    fault = DoneFault("cam", "killed", 100.0, 108.0)
    blind = BlindTime("cam", 100.0, 110.0, "the camera gives no frames")
    seen = [second for second in CROSSINGS if not 100 < second < 110]
    return Soaked(
        span=(0.0, SECONDS),
        truth={"cam": [(Direction.ENTRY, second) for second in CROSSINGS]},
        events=[CountedEvent("cam", Direction.ENTRY, second + 0.2, f"event-{second}") for second in seen],
        blind=[blind],
        frames=[SeenFrame("cam", n / 5, n / 5 + 0.1) for n in range(5 * SECONDS) if not 500 <= n < 550],
        faults=[fault],
        readings=[Reading(second, Resources(27, 17, 1, 200.0, 150.0)) for second in range(0, SECONDS, 10)],
        received=[json.dumps({"event_id": f"event-{second}"}).encode() for second in seen],
        broker_restarts=9,
        exit_code=0,
        problems=[],
        fps=5,
    )


def failing(soaked: Soaked) -> list[str]:
    """The names of what does not hold."""
    return [check.name for check in checks(soaked) if not check.holds]


def test_a_soak_in_which_all_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """Crossings in blind times are set aside and their number is shown."""
    soaked = made_soak()
    assert failing(soaked) == []
    assert soaked.judgement("cam").set_aside == 1
    assert soaked.returns() == [pytest.approx(2.1)]
    assert soaked.overload() == 0.0
    soak_report.print_report(soaked, checks(soaked))
    assert "1 faults; first frame after a fault: median 2.1 s" in capsys.readouterr().out


def test_what_does_not_hold_is_found() -> None:
    """A crossing without an event, an event without a crossing, growth, what is not given back, and lost messages."""
    good = made_soak()
    events, readings = list(good.events), list(good.readings)
    assert failing(replace(good, events=events[:-1], received=good.received[:-1])) == ["none missed"]
    ghost = CountedEvent("cam", Direction.EXIT, 300.0, "event-ghost")
    payload = json.dumps({"event_id": "event-ghost"}).encode()
    assert failing(replace(good, events=[*events, ghost], received=[*good.received, payload])) == ["none extra"]
    assert failing(replace(good, received=good.received[1:])) == ["events at the subscriber"]
    assert failing(replace(good, received=[*good.received, payload])) == ["events at the subscriber"]
    assert failing(replace(good, received=[*good.received, *good.received])) == []
    for name, grown in (
        ("memory", lambda at, held: held._replace(resident=held.resident + at / 3000)),
        ("descriptors", lambda at, held: held._replace(descriptors=held.descriptors + round(at / 100))),
        ("threads", lambda at, held: held._replace(threads=held.threads + round(at / 100))),
        ("readers", lambda at, held: held._replace(readers=round(at / 300))),
    ):
        later = [Reading(each.at, grown(each.at, each.held)) for each in readings]
        assert failing(replace(good, readings=later)) == [name]
    assert failing(replace(good, exit_code=1, problems=["floor 1"])) == ["database", "stop"]
    assert "memory" in failing(replace(good, readings=[]))


def test_a_machine_that_is_too_slow_is_no_fault_of_the_count() -> None:
    """What happened without frames is set aside, and with too much of that the soak fails for it alone."""
    good = made_soak()
    for slow, wanted in (((300, 340), []), ((300, 450), ["machine fast enough"])):
        kept = [event for event in good.events if not slow[0] < event.at < slow[1]]
        received = [json.dumps({"event_id": event.event_id}).encode() for event in kept]
        frames = [frame for frame in good.frames if not slow[0] < frame.taken < slow[1]]
        assert failing(replace(good, events=kept, received=received, frames=frames)) == wanted
        overload = BlindTime("cam", *slow, "too few frames are processed")
        assert failing(replace(good, events=kept, received=received, blind=[*good.blind, overload])) == wanted


def test_the_slope_is_that_of_most_readings() -> None:
    """A jump that is over again does not move it, and readers of another codec are compared with their like."""
    values = [(float(at), 100 + at / 3600, "h264") for at in range(0, 3600, 60)]
    values[20] = (values[20][0], 150.0, "h264")
    assert slope_per_hour(values) == pytest.approx(1.0)
    changed = [(at, value + 10 * (at > 1800), "hevc" if at > 1800 else "h264") for at, value, _ in values]
    assert slope_per_hour(changed) == pytest.approx(1.0)
    assert slope_per_hour(values[:1]) is None
    assert slope_per_hour([]) is None


@pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed on this machine")
@pytest.mark.usefixtures("weights")
def test_a_small_soak(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cameras, a fault and a restart of the broker: no event is lost on its way, and the report has its figures."""
    monkeypatch.setenv("SMARTPARK_DETECTOR_MODELS_DIR", str(weights))
    options = soak.SoakOptions(
        seconds=7.0,
        cameras=2,
        fault_every=5.0,
        shortest_fault=2.5,
        longest_fault=3.0,
        broker_every=6.0,
        broker_away=0.5,
        calm=0.5,
        image_size=256,
        vehicles_per_minute=60.0,
        least_events=3,
    )
    soaked = soak.soak(options, tmp_path)
    found = {check.name: check for check in checks(soaked)}
    # What depends on the machine's speed is not held here.
    for name in ("events at the subscriber", "database", "stop"):
        assert found[name].holds, found[name].figures
    assert [fault.name for fault in soaked.faults] == ["killed"]
    assert soaked.broker_restarts == 1
    assert any(interval.camera == "rtsp-0" for interval in soaked.blind)
    soak_report.print_report(soaked, list(found.values()))


def test_what_is_outside_of_many_faults_is_found_soon() -> None:
    """Half an hour has ninety faults; what is left of a blind time between them is counted once."""
    faults = [DoneFault("a", "killed", 20.0 * number, 20.0 * number + 5.0) for number in range(90)]
    blind = BlindTime("a", 0.0, 1800.0, "no frames")
    between = 20.0 - 5.0 - soak_report.RETURN_SECONDS - 1.0
    assert soak_report._outside(blind, faults, (0.0, 1800.0)) == pytest.approx(89 * between + 5.0)
