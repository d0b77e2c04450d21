"""Runs the daemon for long with cameras that fail and a broker that restarts, and holds what it counted to the truth.

``make soak`` (``SOAK_MINUTES=30``). Four cameras, each a process, show films of simulated traffic whose truth is known;
every 20 s one of them gets a fault, every minute the broker is restarted. At the end nothing may be missed or extra
outside of the times at which a camera was blind, no event may be lost on its way to a subscriber, and the daemon must
not have grown.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.soak_report import DoneFault, Reading, Soaked, checks, print_report
from support.camera_faults import SOAK, Fault, Rig
from support.field_daemon import FieldDaemon
from support.film_cameras import FilmCamera
from support.films import Truth, make_film
from support.shared_fixtures import MOSQUITTO, Listener, Mosquitto, eventually

from edge.simulator.scene import SceneParameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = ("rtsp", "mjpeg", "rtsp", "mjpeg")
FPS, SIZE = 5, (320, 180)
OTHER_FPS, OTHER_SIZE = 6, (256, 144)
TRAFFIC = SceneParameters(width=SIZE[0], height=SIZE[1], fps=FPS, seconds=60)
_MOST_END_SECONDS = 30.0
EVENT_TOPICS = "smartpark/garage/event/#"


@dataclass(frozen=True, slots=True)
class SoakOptions:
    """How long and how often; all in seconds. ``calm`` is how long after a fault nothing is read of the daemon.

    It goes on beyond ``seconds`` until there are ``least_events``.
    """

    seconds: float
    cameras: int = 4
    fault_every: float = 20.0
    shortest_fault: float = 3.0
    longest_fault: float = 11.0
    broker_every: float = 60.0
    broker_away: float = 2.0
    calm: float = 6.0
    image_size: int = 320
    seed: int = 1
    vehicles_per_minute: float = 14.0
    least_events: int = 0


def main() -> int:
    """Run and report; 1 when something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default: 30)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults and their lengths (default: 1)")
    parser.add_argument("--keep", type=Path, help="a folder that keeps database and log")
    options = parser.parse_args()
    if MOSQUITTO is None:
        print("the soak needs a broker: apt-get install mosquitto", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="smartpark-soak-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            print(f"{folder} is not empty: name a new folder", file=sys.stderr)
            return 1
        print(f"soak of {options.minutes:g} minutes; database and log are in {folder}", flush=True)
        soaked = soak(
            SoakOptions(60 * options.minutes, seed=options.seed), folder, lambda text: print(text, flush=True)
        )
        (folder / "readings.txt").write_text("\n".join(map(str, soaked.readings)), encoding="utf-8")
    found = checks(soaked)
    print_report(soaked, found)
    return int(not all(check.holds for check in found))


@dataclass
class Machines:
    """What a soak runs: the daemon with its cameras, the broker, and a subscriber with a session that persists."""

    daemon: FieldDaemon
    rigs: dict[str, Rig]
    broker: Mosquitto
    subscriber: Listener
    readings: list[Reading] = field(default_factory=list)
    faults: list[DoneFault] = field(default_factory=list)
    restarts: int = 0


def soak(options: SoakOptions, folder: Path, show: Callable[[str], None] = lambda _: None) -> Soaked:
    """Run for ``options.seconds``; everything is stopped at the end, and what was recorded is returned."""
    epoch = time.monotonic()
    broker = Mosquitto(folder)
    broker.persistent = True
    broker.start()
    subscriber = Listener(broker.port, EVENT_TOPICS, client_id="soak")
    names = [f"{kind}-{number}" for number, kind in enumerate(KINDS[: options.cameras])]
    cameras = {name: FilmCamera(name.partition("-")[0], epoch) for name in names}
    machines = Machines(FieldDaemon(folder, cameras, broker.port, options.image_size), {}, broker, subscriber)
    traffics = {}
    try:
        for number, (name, camera) in enumerate(cameras.items()):
            traffics[name] = replace(TRAFFIC, seed=number + 1, vehicles_per_minute=options.vehicles_per_minute)
            machines.rigs[name] = _rig(camera, traffics[name], folder / name)
        machines.daemon.configure()
        machines.daemon.start()
        _until_all_give_frames(machines, epoch)
        began = time.monotonic()
        _run(options, machines, began, show)
        ended = time.monotonic()
        code = machines.daemon.stop()
        events = machines.daemon.events()
        _until_received(machines, {event.event_id for event in events})
        return Soaked(
            span=(began, ended),
            truth={name: Truth.of(traffics[name], epoch).between(epoch, ended) for name in names},
            events=events,
            blind=machines.daemon.blind(),
            frames=machines.daemon.frames(),
            faults=machines.faults,
            readings=machines.readings,
            received=[payload for _, payload, _ in subscriber.messages],
            broker_restarts=machines.restarts,
            exit_code=code,
            problems=machines.daemon.verify(),
            fps=FPS,
        )
    finally:
        machines.daemon.close()
        subscriber.close()
        broker.stop()


def _rig(camera: FilmCamera, traffic: SceneParameters, stem: Path) -> Rig:
    """The camera, started, with its two films."""
    codecs = ("mjpeg", "mjpeg") if camera.kind == "mjpeg" else ("h264", "hevc")
    usual = make_film(traffic, codecs[0]).save(stem.with_suffix(".film"))
    other = make_film(traffic, codecs[1], OTHER_SIZE, OTHER_FPS).save(stem.with_suffix(".other"))
    camera.start(usual)
    return Rig(camera, usual, other)


def _until_all_give_frames(machines: Machines, since: float) -> None:
    """Wait until a frame of each camera was processed that was taken after ``since``."""

    def done() -> bool:
        assert machines.daemon.process is not None
        assert machines.daemon.process.poll() is None, machines.daemon.log
        return {frame.camera for frame in machines.daemon.frames() if frame.taken > since} >= set(machines.rigs)

    eventually(done, 120, "frames of all cameras", every=0.2)


def _until_received(machines: Machines, wanted: set[str]) -> None:
    """Wait until the subscriber has all events, or no more come for half a minute."""
    count, since = -1, time.monotonic()
    while time.monotonic() - since < 30.0:
        messages = list(machines.subscriber.messages)
        if wanted <= {json.loads(payload)["event_id"] for _, payload, _ in messages}:
            return
        if len(messages) != count:
            count, since = len(messages), time.monotonic()
        time.sleep(0.2)


def _run(options: SoakOptions, machines: Machines, began: float, show: Callable[[str], None]) -> None:
    """Do the faults, restart the broker and read the daemon until the time is over and all cameras are back."""
    steps = sorted((*_faults(options, machines, show), *_broker_restarts(options, machines)), key=lambda step: step[0])
    busy_until = 0.0
    while (seconds := time.monotonic() - began) < options.seconds or len(
        machines.daemon.events()
    ) < options.least_events:
        assert machines.daemon.process is not None
        if machines.daemon.process.poll() is not None:
            raise SystemExit(f"the daemon has ended: {machines.daemon.log[-3000:]}")
        while steps and steps[0][0] <= seconds:
            steps.pop(0)[1]()
            busy_until = time.monotonic() + options.calm
        if time.monotonic() >= busy_until and all(done.ended for done in machines.faults):
            films = tuple(camera.film for camera in machines.daemon.cameras.values())
            machines.readings.append(Reading(time.monotonic() - began, machines.daemon.resources(), films))
        time.sleep(min(1.0, max(steps[0][0] - seconds, 0.01)) if steps else 1.0)
    for _, step in steps:
        step()
    _until_all_give_frames(machines, time.monotonic())
    # A blind time ends when the camera was usable for some seconds; on a machine that is too slow it may never be.
    give_up = time.monotonic() + _MOST_END_SECONDS
    while any(interval.ended == float("inf") for interval in machines.daemon.blind()) and time.monotonic() < give_up:
        time.sleep(0.2)


def _faults(
    options: SoakOptions, machines: Machines, show: Callable[[str], None]
) -> Iterator[tuple[float, Callable[[], None]]]:
    """Every camera gets every fault; each has a beginning and an end within the time."""
    chance = random.Random(options.seed)
    names = list(machines.rigs)
    at, number = options.fault_every / 2, 0
    while (length := chance.uniform(options.shortest_fault, options.longest_fault)) + at < options.seconds:
        name = names[number % len(names)]
        fault = SOAK[(number // len(names) + number) % len(SOAK)]
        yield at, lambda name=name, fault=fault: _begin(machines, name, fault, show)  # type: ignore[misc]
        yield at + length, lambda name=name, fault=fault: _end(machines, name, fault)  # type: ignore[misc]
        at, number = at + options.fault_every, number + 1


def _begin(machines: Machines, name: str, fault: Fault, show: Callable[[str], None]) -> None:
    show(f"{time.strftime('%H:%M:%S')}  {name}: {fault.name}")
    fault.begin(machines.rigs[name])
    machines.faults.append(DoneFault(name, fault.name, time.monotonic(), 0.0))


def _end(machines: Machines, name: str, fault: Fault) -> None:
    fault.end(machines.rigs[name])
    machines.faults[-1] = machines.faults[-1]._replace(ended=time.monotonic())


def _broker_restarts(options: SoakOptions, machines: Machines) -> Iterator[tuple[float, Callable[[], None]]]:
    at = options.broker_every / 2
    while at + options.broker_away < options.seconds:
        yield at, machines.broker.stop
        yield at + options.broker_away, lambda: _start_broker(machines)
        at += options.broker_every


def _start_broker(machines: Machines) -> None:
    machines.broker.start()
    machines.restarts += 1


if __name__ == "__main__":
    sys.exit(main())
