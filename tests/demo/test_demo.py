"""The demo in this process: it counts simulated time, and its report says what was right, wrong or too slow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.daemon.signals import Signals
from edge.demo.configuration import DemoOptions
from edge.demo.demo import Demo, DemoPhase
from edge.demo.score import CameraScore, DemoReport, FloorScore
from edge.demo.view import DemoView
from edge.simulator.source import SimulatedSource

RIGHT = DemoReport(
    cameras=(CameraScore("entrance", 5, 5, 0, 0, None),),
    floors=(FloorScore("Ground Floor", 61, 61),),
    messages=12,
    broker="the broker on localhost:1883",
    folder=Path("/tmp/demo"),
)


@pytest.fixture
def options(broker, weights, tmp_path, monkeypatch):
    """A short demo that counts every frame of a small picture."""
    monkeypatch.setenv("SMARTPARK_DETECTOR_MODELS_DIR", str(weights))
    monkeypatch.setenv("SMARTPARK_DETECTOR_THREADS", "1")
    return DemoOptions(
        folder=tmp_path,
        seconds=14,
        seed=2,
        fps=5,
        vehicles_per_minute=20,
        image_size=320,
        broker=("127.0.0.1", broker.port),
        every_frame=True,
    )


def test_every_frame_is_counted_and_the_board_shows_the_truth(options, listen, eventually):
    """Nothing missed, nothing extra, no frame dropped; the broker keeps no retained message of the demo."""
    snapshots = []
    report = Demo(options, Signals(), snapshots.append).run()
    assert [camera.camera_id for camera in report.cameras] == ["entrance", "upper-ramp"]
    assert [(camera.missed, camera.extra, camera.too_slow) for camera in report.cameras] == [(0, 0, None)] * 2
    assert sum(camera.true for camera in report.cameras) > 5
    assert report.right
    assert report.messages > 10
    assert [worker.source.status.frames for worker in snapshots[-1].workers] == [70, 70]
    assert (snapshots[0].phase, snapshots[-1].phase) == (DemoPhase.COUNTING, DemoPhase.DONE)
    late = listen(options.broker[1])
    sender = listen(options.broker[1], "other/#")
    sender._client.publish("smartpark/after-the-demo", b"", 1)
    eventually(lambda: late.messages)
    assert [topic for topic, _, _ in late.messages] == ["smartpark/after-the-demo"]


def test_too_few_frames_a_second_are_reported(options):
    """Two frames a second are too few, whatever the machine."""
    report = Demo(replace(options, fps=2, seconds=10, vehicles_per_minute=0), Signals(), lambda snapshot: None).run()
    assert [camera.too_slow for camera in report.cameras] == [pytest.approx(2.0)] * 2
    assert report.too_slow
    assert report.right


def test_a_demo_in_real_time_ends_by_itself(options):
    """Without traffic the board is right at any speed of the machine."""
    quiet = replace(options, seconds=1, vehicles_per_minute=0, every_frame=False)
    report = Demo(quiet, Signals(), lambda snapshot: None).run()
    assert report.right
    assert [camera.true for camera in report.cameras] == [0, 0]


def test_a_second_stop_ends_the_demo_at_once(options, monkeypatch):
    """The first one lets the ramps run empty, which takes an hour here; the second does not wait for that."""
    monkeypatch.setattr(SimulatedSource, "stop_traffic", lambda source: 3600.0)
    signals = Signals()
    phases = []

    def show(snapshot):
        phases.append(snapshot.phase)
        signals.stop = True

    Demo(replace(options, seconds=3600, every_frame=False), signals, show).run()
    assert phases == [DemoPhase.COUNTING, DemoPhase.EMPTYING]


def printed(report, capsys):
    """What the view prints of a report."""
    DemoView(plain=True).print_report(report)
    return capsys.readouterr().out


def test_the_report_says_that_the_board_is_right(capsys):
    """With the numbers of each camera and floor, and nothing about speed."""
    text = printed(RIGHT, capsys)
    assert "camera    entrance: 5 crossings truly made, 5 events counted, 0 missed, 0 extra" in text
    assert "floor     Ground Floor: truth 61, board 61: right" in text
    assert text.endswith("result    the board shows the truth\n")
    assert "slow" not in text


def test_the_report_of_a_slow_machine_says_so_and_what_to_do(capsys):
    """The rate, the rate that is needed, and the options that help, whether or not the count is right."""
    slow = replace(RIGHT, cameras=(CameraScore("entrance", 5, 3, 2, 0, 1.8),))
    text = printed(slow, capsys)
    assert "too slow  entrance: down to 1.8 frames a second were processed, at least 3 are needed" in text
    assert "--every-frame" in text
    assert text.endswith("result    the board shows the truth\n")
    wrong = replace(slow, floors=(FloorScore("Ground Floor", 61, 59),))
    assert printed(wrong, capsys).endswith(
        "result    THE BOARD IS WRONG: this machine was too slow to count in real time\n"
    )


def test_the_report_of_an_unknown_floor_is_wrong(capsys):
    """A board without a number shows no truth."""
    unknown = replace(RIGHT, floors=(FloorScore("Ground Floor", 61, None),))
    assert not unknown.right
    text = printed(unknown, capsys)
    assert "floor     Ground Floor: truth 61, board --: WRONG" in text
    assert text.endswith("result    THE BOARD IS WRONG\n")
