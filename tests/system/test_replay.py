"""Recorded clips through the real model, the tracker, the gate and the database."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FEWEST_FRAMES = 50
CAMERA = """
[mqtt]
enabled = false

[[floors]]
name = "Ground Floor"
total_slots = 100
opening_vehicles = 50

[[cameras]]
id = "cam"
source = "not used by a replay"

[[cameras.gates]]
id = "gate"
line = {line}
inside = {inside}
floor = "Ground Floor"
"""


def label(clips: Path, name: str) -> dict[str, Any]:
    """What stands beside a clip."""
    return tomllib.loads((clips / f"{name}.toml").read_text())


def at_most(fps: float | None, text: str) -> str:
    """The configuration with a camera of at most so many frames a second; all of them with None."""
    return text if fps is None else text.replace('id = "cam"', f'id = "cam"\nfps = {fps}')


# `make accuracy` counts every clip at every rate; here one clip has all of its frames, and the others a Pi's rate.
COUNTED = [("intel_topdown", None), ("hangzhou_parked", 5)]
COUNTED_IN_FULL = [("hangzhou_parked", None), ("suburb_road", None), ("window_street", None), ("suburb_road", 5)]
PEOPLE = [("neg_people_walkway", 5), ("neg_indoor_person", 3)]
PEOPLE_IN_FULL = [("neg_people_walkway", None), ("neg_indoor_person", None)]


def with_full(cases: list[Any], full: list[Any]) -> list[Any]:
    """The cases, and those that only the long run has."""
    return [*cases, *(pytest.param(*case, marks=pytest.mark.long) for case in full)]


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("remembered_detections")
@pytest.mark.parametrize(("clip", "fps"), with_full(COUNTED, COUNTED_IN_FULL))
def test_a_replay_counts_exactly_and_a_second_replay_changes_nothing(
    counting: Any, clips: Path, clip: str, fps: float | None
) -> None:
    """The counts are those of the label; the same clip again adds no event and changes no count."""
    truth = label(clips, clip)
    counting.config(at_most(fps, CAMERA.format(**truth["gate"])))
    entries, exits = len(truth["truth"]["entries"]), len(truth["truth"]["exits"])

    first = counting.json("replay", str(clips / f"{clip}.mp4"), "--camera", "cam")
    assert first["floors"] == [{"name": "Ground Floor", "entries": entries, "exits": exits}]
    assert (first["added"], first["already_there"]) == (entries + exits, 0)
    after = counting.json("floors"), counting.json("events")
    assert after[0][0]["current_vehicles"] == 50 + entries - exits

    second = counting.json("replay", str(clips / f"{clip}.mp4"), "--camera", "cam")
    assert (second["added"], second["already_there"]) == (0, entries + exits)
    assert (counting.json("floors"), counting.json("events")) == after


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("remembered_detections")
def test_a_replay_of_another_start_is_another_recording(counting: Any, clips: Path) -> None:
    """Events carry the time that the clip is said to begin at, to the microsecond."""
    truth = label(clips, "suburb_road")
    counting.config(at_most(4, CAMERA.format(**truth["gate"])))
    clip = str(clips / "suburb_road.mp4")
    for start in ("2026-05-04T12:00:00Z", "2026-05-05T12:00:00+02:00"):
        done = counting.json("replay", clip, "--camera", "cam", "--start", start)
        assert done["already_there"] == 0
        assert done["added"] == len(truth["truth"]["entries"])
    times = sorted(event["timestamp"] for event in counting.json("events"))
    assert times[0].startswith("2026-05-04T12:00:0")
    assert times[-1].startswith("2026-05-05T10:00:2")
    counting.here("replay", clip, "--camera", "cam", "--start", "yesterday", code=2)


@pytest.mark.timeout(600)
def test_a_replay_is_a_command_of_its_own(counting: Any, clips: Path) -> None:
    """As a process a replay prints what it counted, logs each crossing and ends with 0."""
    counting.config(at_most(4, CAMERA.format(**label(clips, "intel_topdown")["gate"])))
    done = counting("replay", str(clips / "intel_topdown.mp4"), "--camera", "cam")
    counted = re.search(r"(\d+) events: (\d+) added, 0 already there", done.stdout)
    assert counted is not None
    assert int(counted[1]) == int(counted[2]) == done.stderr.count(" crossing event=") > 0
    assert "stopped events_committed=all" in done.stderr


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("clip", "fps"), with_full(PEOPLE, PEOPLE_IN_FULL))
def test_people_are_never_counted(counting: Any, clips: Path, clip: str, fps: float | None) -> None:
    """A clip of people only makes no event."""
    counting.config(at_most(fps, CAMERA.format(**label(clips, clip)["gate"])))
    done = counting.json("replay", str(clips / f"{clip}.mp4"), "--camera", "cam")
    assert done["frames"] > FEWEST_FRAMES
    assert done["events"] == 0


def test_a_missing_clip_or_camera_is_an_error(counting: Any, tmp_path: Path) -> None:
    """Wrong usage is 2; what is refused is 1; both in one sentence without a traceback."""
    counting.config(CAMERA.format(line="[[0.5, 0], [0.5, 1]]", inside="[0.9, 0.5]"))
    (tmp_path / "text.mp4").write_text("this is no video")
    missing = counting("replay", str(tmp_path / "none.mp4"), "--camera", "cam", code=2)
    unknown = counting("replay", str(tmp_path / "text.mp4"), "--camera", "gate 9", code=1)
    broken = counting("replay", str(tmp_path / "text.mp4"), "--camera", "cam", code=1)
    assert "there is no camera 'gate 9'; the configuration has cam" in unknown.stderr
    assert str(tmp_path / "text.mp4") in broken.stderr
    assert "Traceback" not in missing.stderr + unknown.stderr + broken.stderr


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("remembered_detections")
@pytest.mark.parametrize("fps", [None, 8])
@pytest.mark.parametrize("clip", ["interlaced_h264.mp4", "first_frames_without_times.mkv", "still_picture_first.mkv"])
def test_clips_of_the_field_are_counted(counting: Any, cases: Path, clip: str, fps: float | None) -> None:
    """Interlaced video, first frames without times and a still picture as the first stream: all of the three cars."""
    counting.config(at_most(fps, CAMERA.format(line="[[0.3359, 0.5682], [0.8438, 0.5682]]", inside="[0.6, 0.95]")))
    done = counting.json("replay", str(cases / clip), "--camera", "cam")
    assert done["floors"] == [{"name": "Ground Floor", "entries": 3, "exits": 0}]
