"""How far a connection has come, what is missing, and what the status of a camera makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.capture.live.camera_status import CameraStatus
from edge.capture.live.handover import Handover
from edge.capture.live.stages import StageLimits, waiting
from edge.capture.reader.effort import Effort
from edge.capture.reader.messages import Report
from edge.core.source import SourceStage, SourceState

START = 1000.0
STALE = 10.0
LIMITS = StageLimits()
RUNNING = Report(
    opened_at=START, connected_at=START + 1, answered=True, packet_at=START + 99, key_frame_at=START + 98,
    decoded_at=START + 99, captured=START + 99, pictures=2500, decoded=2500, codec="h264",
)  # fmt: skip


@pytest.mark.parametrize(
    ("report", "wanted_since", "stage", "since", "limit", "words"),
    [
        (None, None, SourceStage.CONNECTING, 0, 30, "its reader has not started"),
        (Report(opened_at=START), None, SourceStage.CONNECTING, 0, 10, "is the camera on"),
        (Report(opened_at=START, connected_at=START + 1), None, SourceStage.CONNECTED, 1, 15, "does not answer"),
        (
            Report(opened_at=START, connected_at=START + 1, answered=True),
            *(None, SourceStage.CONNECTED, 1, 45, "sends no video"),
        ),
        (replace(RUNNING, packet_at=START + 90), None, SourceStage.CONNECTED, 90, 10, "no frame for 10 s"),
        (
            replace(RUNNING, waiting_for_key_since=START + 60),
            *(None, SourceStage.PACKETS, 60, 90, "packets arrive, no key frame for 40 s"),
        ),
        (
            replace(RUNNING, decoded_at=START + 70, key_frame_at=START + 80),
            *(None, SourceStage.KEY_FRAME, 80, 15, "no picture can be decoded for 20 s"),
        ),
        (RUNNING, START + 95, SourceStage.DECODED, 95, 10, "none is handed over for 5 s"),
        (RUNNING, None, SourceStage.DELIVERED, 100, 10, ""),
    ],
)
def test_the_stage_that_is_missing_is_named(report, wanted_since, stage, since, limit, words):
    """With its time and its limit; a stage that was reached before and has ceased counts as missing again."""
    found = waiting(report, START, START + 100, LIMITS, STALE, wanted_since)
    assert (found.stage, found.since, found.limit) == (stage, START + since, limit)
    assert words in found.problem(START + 100)


class Camera:
    """A status with its handover, at a time that the test sets."""

    def __init__(self) -> None:
        self.handover = Handover("cam")
        self.status = CameraStatus(self.handover, LIMITS, STALE, max_lag_seconds=1.0)

    def at(self, seconds: float):
        """The status so many seconds after the start."""
        return self.status.status(START + seconds)


@pytest.fixture
def camera():
    """A camera that begins to connect."""
    made = Camera()
    assert made.at(0).state is SourceState.STARTING
    made.status.begin(START, 42)
    return made


def test_a_camera_that_never_came_is_starting_and_then_down(camera):
    """For stale_seconds nothing is known to be wrong; after that the status says what is missing."""
    assert (camera.at(9).state, camera.at(9).problem, camera.at(9).reader_pid) == (SourceState.STARTING, "", 42)
    camera.status.report(Report(opened_at=START, connected_at=START + 1, answered=True), START + 11)
    status = camera.at(11)
    assert (status.state, status.stage, status.connected_since) == (SourceState.DOWN, SourceStage.CONNECTED, START + 1)
    assert status.problem.startswith("answers, but sends no video for 10 s")


def test_a_frame_brings_a_camera_up_and_silence_takes_it_down(camera):
    """Up with the first frame, down after stale_seconds without, up again with the next, each counted once."""
    assert camera.status.frame(START + 5, START + 5)
    assert not camera.status.frame(START + 6, START + 6)
    camera.status.report(replace(RUNNING, packet_at=START + 6, decoded_at=START + 6), START + 7)
    assert camera.at(15).state is SourceState.UP
    assert camera.at(16.1).state is SourceState.DOWN
    assert camera.at(16.1).problem.startswith("no frame for 10 s")
    assert camera.status.frame(START + 20, START + 20)
    assert (camera.at(20).state, camera.at(20).reconnects) == (SourceState.UP, 1)


def test_counters_never_go_back(camera):
    """While the same reader tries again, and after another took its place, what was counted stays counted."""
    camera.status.report(replace(RUNNING, dropped=7), START + 5)
    camera.status.go_down("broke off", START + 6)
    assert (camera.at(6).dropped, camera.at(6).decoded) == (7, 2500)
    camera.status.begin(START + 7, 42)
    assert (camera.at(7).dropped, camera.at(7).stage) == (7, SourceStage.CONNECTING)
    camera.status.report(replace(RUNNING, dropped=8), START + 8)
    camera.status.reader_ended()
    camera.status.begin(START + 9, 43)
    assert (camera.at(9).dropped, camera.at(9).reader_pid) == (8, 43)


def test_pictures_that_nobody_asks_for_are_a_sign_of_life(camera):
    """A detector that takes 20 s for a frame makes no camera blind."""
    camera.status.frame(START + 5, START + 5)
    camera.status.report(replace(RUNNING, packet_at=START + 25, decoded_at=START + 25), START + 25)
    assert camera.at(30).state is SourceState.UP


def test_a_picture_that_was_wanted_for_long_may_take_its_time_once_it_is_decoded(camera, monkeypatch):
    """The first packet came 17 s late: the time for the handing over begins with the first picture, not before."""
    monkeypatch.setattr(Handover, "wanted_since", START + 1)
    late = replace(RUNNING, packet_at=START + 18, key_frame_at=START + 18, decoded_at=START + 18)
    camera.status.report(late, START + 18.1)
    found = camera.status.waiting(START + 18.1)
    assert (found.stage, found.since) == (SourceStage.DECODED, START + 18)
    for second in range(19, 27):
        at = START + second
        camera.status.report(replace(late, packet_at=at, key_frame_at=at, decoded_at=at), at)
    found = camera.status.waiting(START + 28.5)
    assert (found.stage, found.since) == (SourceStage.DECODED, START + 18)
    monkeypatch.setattr(Handover, "wanted_since", START + 28)
    assert camera.status.waiting(START + 28.5).since == START + 28


def test_a_failure_stays_the_reason_until_the_next_attempt_has_come_further(camera):
    """While a camera that refused is tried again, it is still known for that."""
    camera.status.go_down("refuses connections", START + 1)
    assert (camera.at(1).state, camera.at(1).problem) == (SourceState.DOWN, "refuses connections")
    camera.status.begin(START + 2, 42)
    camera.status.report(Report(opened_at=START + 2), START + 6)
    assert camera.at(6).problem == "refuses connections"
    camera.status.report(Report(opened_at=START + 2, connected_at=START + 6, answered=True), START + 7)
    assert camera.at(7).problem == "refuses connections"
    assert camera.at(9).problem.startswith("answers, but sends no video for 3 s")
    camera.status.frame(START + 10, START + 10)
    assert camera.at(10).problem == ""


def test_late_pictures_are_a_problem_of_a_camera_that_is_up(camera):
    """The status says how late, and what is not decoded for it."""
    camera.status.frame(START + 5, START + 5)
    camera.status.report(replace(RUNNING, lag=0.9), START + 6)
    assert (camera.at(6).problem, camera.at(6).lag_seconds) == ("", 0.9)
    camera.status.report(replace(RUNNING, lag=2.44), START + 7)
    assert (camera.at(7).state, camera.at(7).problem) == (SourceState.UP, "pictures come 2.4 s late")
    camera.status.report(replace(RUNNING, lag=0.1, effort=Effort.KEY_FRAMES.value), START + 8)
    assert camera.at(8).skipped == "all but key frames"
    assert "all but key frames are not decoded: the machine is too slow" in camera.at(8).problem


def test_rates_and_shares_are_those_of_the_last_seconds(camera):
    """Ten seconds later a burst of faults is forgotten; counters go on through readers that are replaced."""
    camera.status.frame(START + 1, START + 1)
    for second in range(1, 31):
        corrupt = min(second, 10) * 5
        report = replace(RUNNING, pictures=second * 25, decoded=second * 25, corrupt=corrupt)
        camera.status.report(report, START + second)
        if second == 10:
            assert camera.at(10).pictures_per_second == pytest.approx(25.0)
            assert camera.at(10).corrupt_share == pytest.approx(0.2)
    assert camera.at(30).corrupt_share == 0.0
    camera.status.reader_ended()
    camera.status.begin(START + 31, 43)
    camera.status.report(Report(opened_at=START + 31, pictures=10, decoded=10, corrupt=1), START + 32)
    assert (camera.at(32).decoded, camera.at(32).corrupt) == (760, 51)


def test_after_the_end_a_camera_stays_ended(camera):
    """Whatever its reader still says."""
    camera.status.frame(START + 5, START + 5)
    camera.status.end()
    camera.status.frame(START + 6, START + 6)
    assert camera.at(6).state is SourceState.ENDED
