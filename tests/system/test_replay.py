"""Recorded clips through the real model, the tracker, the gate and the database."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

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


# Every clip at every rate is `make accuracy`'s; here one has all of its frames, and the others what a Pi has time for.
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("clip", "fps"), [("intel_topdown", None), ("hangzhou_parked", 5)])
def test_a_replay_counts_exactly_and_a_second_one_changes_nothing(
    counting: Any, clips: Path, clip: str, fps: float | None
) -> None:
    """The counts are those made by hand; the same clip again adds no event and moves no count."""
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
    counting("replay", clip, "--camera", "cam", "--start", "yesterday", code=2)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("clip", "fps"), [("neg_people_walkway", None), ("neg_indoor_person", 3)])
def test_people_are_never_counted(counting: Any, clips: Path, clip: str, fps: float | None) -> None:
    """A clip of people only makes no event."""
    counting.config(at_most(fps, CAMERA.format(**label(clips, clip)["gate"])))
    done = counting.json("replay", str(clips / f"{clip}.mp4"), "--camera", "cam")
    assert done["frames"] > 300
    assert done["events"] == 0


def test_a_clip_or_camera_that_is_not_there_is_told(counting: Any, tmp_path: Path) -> None:
    """Wrong usage is 2; what is refused is 1; both in one sentence without a traceback."""
    counting.config(CAMERA.format(line="[[0.5, 0], [0.5, 1]]", inside="[0.9, 0.5]"))
    (tmp_path / "text.mp4").write_text("this is no video")
    missing = counting("replay", str(tmp_path / "none.mp4"), "--camera", "cam", code=2)
    unknown = counting("replay", str(tmp_path / "text.mp4"), "--camera", "gate 9", code=1)
    broken = counting("replay", str(tmp_path / "text.mp4"), "--camera", "cam", code=1)
    assert "there is no camera 'gate 9'; the configuration has cam" in unknown.stderr
    assert str(tmp_path / "text.mp4") in broken.stderr
    assert "Traceback" not in missing.stderr + unknown.stderr + broken.stderr
