"""What the field does to cameras, done to real cameras of a real daemon, and what must hold after it.

Each camera is a process that shows a film of traffic whose truth is known. ``support/camera_faults.py`` is the table of
what happens to them. Run the long form with ``-s`` to see its figures.
"""

from __future__ import annotations

import re
import time
from math import inf
from typing import TYPE_CHECKING

import pytest
from support import camera_faults
from support.camera_faults import Fault
from support.field_bench import STEADY, TRAFFIC
from support.field_daemon import frame_gaps, longest_pause
from support.film_cameras import GSTREAMER_PACKAGES, has_gstreamer
from support.films import Truth
from support.judgement import judge
from support.network_namespace import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.field_bench import Bench
    from support.network_namespace import Namespace

KEY_SECONDS = 2.0
# The clocks that are compared differ by this at most.
CLOCKS = 0.1


def needs_gstreamer() -> None:
    """Skip where GStreamer's RTSP server is missing."""
    if not has_gstreamer():
        pytest.skip(f"GStreamer's RTSP server is not installed: apt-get install {GSTREAMER_PACKAGES}")


# The quick form: what happens to each camera, at the same time.
TOGETHER = {
    "changed": ("rtsp", camera_faults.CHANGED),
    "killed": ("gstreamer", camera_faults.KILLED),
    "refusing": ("mjpeg", camera_faults.PASSWORD),
}


def test_cameras_that_fail_at_the_same_time(field_bench: Callable[..., Bench]) -> None:
    """Killed, back as another, and with another password: problems, blind times, boards, and the counting goes on."""
    rows = {name: row for name, row in TOGETHER.items() if row[0] != "gstreamer" or has_gstreamer()}
    # On a busy machine few frames are processed, which would make the cameras blind for another reason.
    kinds = {STEADY: "mjpeg", **{name: kind for name, (kind, _) in rows.items()}}
    bench = field_bench(kinds, fps=3, sections="[picture]\nenabled = false\n")
    daemon, failing = bench.daemon, set(rows)
    before = daemon.resources()
    for name, (_, fault) in rows.items():
        fault.begin(bench.rigs[name])
    began = time.monotonic()
    for name, (_, fault) in rows.items():
        pattern = re.compile(rf"problem=camera\.{name} .*{re.escape(fault.problem)}")
        bench.eventually(lambda pattern=pattern: pattern.search(daemon.log), 60, f"{pattern.pattern} {daemon.log}")
        bench.eventually(lambda name=name: bench.available(name) == b"--", 60, f"-- for {name}")
    # The camera without a fault goes on while the others are away.
    bench.wait_for_frames(time.monotonic(), {STEADY})
    returned = {}
    for name, (_, fault) in rows.items():
        fault.end(bench.rigs[name])
        returned[name] = time.monotonic()
    for name in rows:
        bench.wait_for_event(name, returned[name])
    bench.wait_until_seen(failing | {STEADY})
    blind = daemon.blind()
    for name in rows:
        assert any(
            each.camera == name and each.began < returned[name] and each.ended > began for each in blind
        ), blind  # fmt: skip
        frames = [frame for frame in daemon.frames() if frame.camera == name and frame.taken > returned[name]]
        last = max(each.ended for each in blind if each.camera == name)
        assert last >= frames[0].taken - CLOCKS
    # Readers are replaced and connections closed: nothing is left behind. SQLite keeps up to two closed descriptors.
    bench.eventually(
        lambda: (
            daemon.resources().descriptors < before.descriptors + len(rows)
            and daemon.resources()[1:3] == before[1:3]
        ),
        60,
        f"{before} {daemon.resources()}",
    )  # fmt: skip
    assert daemon.stop() == 0
    assert daemon.verify() == []
    assert "Traceback" not in daemon.log


# The long form. How long each fault lasts, where it is not HOLD_SECONDS.
HOLD_SECONDS = 6.0
CALM_SECONDS = 5.0  # between two faults
HOLDS = {camera_faults.STOPPED.name: 60.0, camera_faults.LATE.name: 17.0}
FAULTS = (
    camera_faults.KILLED,
    camera_faults.CHANGED,
    camera_faults.STOPPED,
    camera_faults.PASSWORD,
    camera_faults.SILENT,
    camera_faults.LATE,
    camera_faults.MUTE,
    camera_faults.RUBBISH,
    camera_faults.JUMPING,
    camera_faults.LOSING,
)
RETURN_SECONDS = 5.0  # the aim, beyond the camera's own key interval
BLIND_ERROR_SECONDS = 2.0
PAUSE_SECONDS = 0.5
ATTEMPTS = 3
SLACK_SECONDS = 3.0  # for a machine on which other programs run


def hold(bench: Bench, seconds: float) -> None:
    """Wait for some seconds, in which the daemon must stay alive."""
    until = time.monotonic() + seconds
    bench.eventually(lambda: time.monotonic() >= until, seconds + 60, every=0.1)
    assert bench.daemon.process is not None
    assert bench.daemon.process.poll() is None, bench.daemon.log


def do_again(bench: Bench, name: str, fault: Fault, usual_pause: float) -> list[str]:
    """Do a fault up to three times: what other programs on the machine have made does not come again."""
    wrong: list[str] = []
    for _ in range(ATTEMPTS):
        wrong = do(bench, name, fault, usual_pause)
        bench.rigs[name].restart()
        bench.wait_for_frames(time.monotonic())
        bench.wait_until_seen({name, STEADY})
        hold(bench, CALM_SECONDS)
        if not wrong:
            break
    return wrong


def do(bench: Bench, name: str, fault: Fault, usual_pause: float) -> list[str]:
    """Do a fault to a camera and wait until it is over; prints a row, and returns what did not hold."""
    daemon, seconds = bench.daemon, HOLDS.get(fault.name, HOLD_SECONDS)
    began = time.monotonic()
    fault.begin(bench.rigs[name])
    if fault.shows_nothing:
        bench.eventually(lambda: bench.available(name) == b"--", 60, f"-- while {fault.name}\n{daemon.log[-3000:]}")
    hold(bench, seconds)
    problem = fault.problem in daemon.log
    ended = time.monotonic()
    fault.end(bench.rigs[name])
    bench.wait_for_frames(ended, {name})
    bench.wait_until_seen({name, STEADY})
    bench.wait_for_event(name, ended)
    first = next(frame for frame in daemon.frames() if frame.camera == name and frame.taken > ended)
    pause = longest_pause(daemon.frames(), STEADY, began, time.monotonic())
    during = [
        each for each in daemon.blind() if each.camera == name and each.ended > began and each.began < first.taken
    ]
    wrong = [] if problem else [f"the log lacks {fault.problem!r}"]
    row = f"{fault.name:42}{first.processed - ended:8.1f}{pause:8.2f}"
    if fault.shows_nothing:
        # Seen up to the fault, and again from the first frame after a gap on. Where a link was down there may be two
        # gaps: pictures that were on their way come late, and those that are too late are dropped.
        ends = [gap.ended for gap in frame_gaps(daemon.frames(), name) if gap.ended > began]
        errors = [abs(each.ended - end) for each in during for end in ends]
        errors = [abs(during[0].began - began), min(errors)] if errors else [inf]
        row += f"{max(errors):8.1f}"
        if max(errors) > BLIND_ERROR_SECONDS:
            wrong.append(f"blind {during}, truly from {began:.1f} to {ends}")
    else:
        row += f"{sum(each.ended - each.began for each in during):8.1f} s blind of {seconds:.0f}"
    print(row, flush=True)
    if first.processed - ended > RETURN_SECONDS + KEY_SECONDS + SLACK_SECONDS:
        wrong.append(f"the first frame came {first.processed - ended:.1f} s after the return")
    if pause > usual_pause + PAUSE_SECONDS:
        wrong.append(f"the other camera paused for {pause:.2f} s, {usual_pause:.2f} s without faults")
    return [f"{fault.name}: {each}" for each in wrong]


def judge_all(bench: Bench, names: tuple[str, ...], first: float, last: float) -> list[str]:
    """What was missed or counted too often outside of blind times, from ``first`` to ``last``."""
    wrong = []
    for name in names:
        aside = [each for each in bench.daemon.blind() if each.camera == name]
        aside += frame_gaps(bench.daemon.frames(), name)  # the machine's
        blind = [(each.began, each.ended) for each in aside]
        judgement = judge(
            Truth.of(TRAFFIC, bench.epoch).between(bench.epoch, last),
            [(event.direction, event.at) for event in bench.daemon.events() if event.camera == name],
            [*blind, (float("-inf"), first), (last, float("inf"))],
        )
        print(f"{name}: {judgement.true} crossings, {judgement.counted} events, {judgement.set_aside} set aside")
        wrong += [f"{name} missed a crossing at {at:.1f}" for at in judgement.missed]
        wrong += [f"{name} has an event too many at {at:.1f}" for at in judgement.extra]
    return wrong


def conclude(bench: Bench, names: tuple[str, ...], first: float, wrong: list[str]) -> None:
    """Stop the daemon, judge its count, and fail with all that was wrong."""
    last = time.monotonic()
    assert bench.daemon.stop() == 0
    wrong += judge_all(bench, names, first, last)
    assert bench.daemon.verify() == []
    assert "Traceback" not in bench.daemon.log
    assert wrong == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["rtsp", "mjpeg", "gstreamer"])
def test_everything_that_happens_to_a_camera(field_bench: Callable[..., Bench], kind: str) -> None:
    """One fault after the other: frames within seconds of the return, blind times, another camera, what is left."""
    if kind == "gstreamer":
        needs_gstreamer()
    bench = field_bench({kind: kind, STEADY: "mjpeg"})
    first = time.monotonic()
    hold(bench, 15.0)
    usual_pause = longest_pause(bench.daemon.frames(), STEADY, first, time.monotonic())
    print(f"\n{kind + ', seconds':42}{'return':>8}{'other':>8}{'error of blind time':>22}")
    wrong: list[str] = []
    before = None
    for fault in FAULTS:
        if kind in fault.kinds:
            wrong += do_again(bench, kind, fault, usual_pause)
            before = before or bench.daemon.resources()
    assert before is not None
    after = bench.daemon.resources()
    # SQLite keeps a descriptor or two of connections that were closed, and uses them again.
    assert after.descriptors <= before.descriptors + 2
    assert (after.threads, after.readers) == (before.threads, before.readers)
    print(f"resident {before.resident:.1f} MB after the first fault, {after.resident:.1f} MB at the end")
    assert after.resident - before.resident < 20.0
    conclude(bench, (kind, STEADY), first, wrong)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_camera_whose_network_fails(field_bench: Callable[..., Bench], namespace: Namespace) -> None:
    """The link goes down for 5 and for 40 s, as when a switch restarts, and no connection is closed."""
    bench = field_bench({"rtsp": "rtsp", STEADY: "mjpeg"}, host=ADDRESS, prefix=namespace.prefix)
    first = time.monotonic()
    hold(bench, 15.0)
    usual_pause = longest_pause(bench.daemon.frames(), STEADY, first, time.monotonic())
    wrong = []
    for seconds in (5.0, 40.0):
        fault = Fault(
            f"link down for {seconds:.0f} s",
            lambda _: namespace.set_link("down"),
            lambda _: namespace.set_link("up"),
        )
        HOLDS[fault.name] = seconds
        wrong += do_again(bench, "rtsp", fault, usual_pause)
    conclude(bench, ("rtsp", STEADY), first, wrong)
