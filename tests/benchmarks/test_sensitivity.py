"""Tests how the tuned numbers are found and changed, and the table of what that does to the count."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from benchmarks import recorded_clips, sensitivity
from benchmarks import tuned_numbers as module
from benchmarks.tuned_numbers import Numbers, tuned_numbers, with_random_values, with_value
from support.made_recordings import Drive, NumberedFrameDetector, write_label, write_numbered_clip

from edge.config.schema import Config, MechanismsConfig
from edge.evaluation.evaluate_clip import ClipOptions, evaluate_clip
from edge.evaluation.label_file import read_label

if TYPE_CHECKING:
    from pathlib import Path


def test_every_number_that_counting_depends_on_is_listed() -> None:
    """The list has the parameters of three rooms and the configuration's, each with what must be done anew for it."""
    acts = {number.name: number.acts for number in tuned_numbers()}
    assert len(acts) > 200
    assert acts["counting.same_vehicle.near"] == acts["config.counting.decide_seconds"] == "counting of the tracks"
    assert acts["tracking.life.known_sightings"] == "tracking and counting of recordings"
    assert acts["tracking.flow.cell"] == acts["config.tracker.flow_width"] == "optical flow of the frames"
    assert acts["detection.padding_grey"] == acts["config.detector.iou"] == "detection"
    assert "detection.pip_seconds" not in acts


def test_the_names_that_are_treated_apart_exist() -> None:
    """A renamed number does not fall out of the groups that act before the recording, or out of the limits."""
    names = [number.name for number in tuned_numbers()]
    for prefix in (*module._BEFORE_THE_RECORDING, *module._IN_THE_DETECTOR, *module._ODD, *module._LARGEST):
        assert any(name.startswith(prefix) for name in names), prefix
    for name in module._NOT_OF_COUNTING:
        assert module.with_value(Numbers(), name, 1.0) != Numbers()


def test_a_changed_number_is_valid_and_the_only_one_that_changed() -> None:
    """Every number takes its value 20 % up and down, within the limits of the configuration; integers by 1 at least."""
    for number in tuned_numbers():
        for factor in (0.8, 1.2):
            value = number.scaled(factor)
            assert type(value) is type(number.value)
            assert (value >= number.value) == (factor > 1) or value == number.value
            changed = with_value(Numbers(), number.name, value)
            Config.model_validate(changed.config.model_dump())
            back = with_value(changed, number.name, number.value)
            assert back == Numbers()


def test_limits_and_integers() -> None:
    """A share stays a share, a kernel odd, and an integer changes by one where a fifth of it is less."""
    scaled = {number.name: number.scaled for number in tuned_numbers()}
    assert (scaled["tracking.shift.box_share"](1.2), scaled["counting.long_vehicle.passing_share"](1.2)) == (1.0, 1.2)
    assert (scaled["tracking.flow.blur"](0.8), scaled["tracking.flow.blur"](1.2)) == (1, 5)
    assert (scaled["tracking.life.known_sightings"](0.8), scaled["tracking.life.known_sightings"](1.2)) == (2, 4)
    with pytest.raises(AttributeError):
        with_value(Numbers(), "config.tracker.luck", 1.0)


def test_a_draw_repeats_for_its_seed() -> None:
    """The same seed gives the same numbers, another one others, none further off than the spread."""
    numbers = tuned_numbers()
    first, again, other = (with_random_values(numbers, seed, 0.1) for seed in (1, 1, 2))
    assert first == again != other
    source = random.Random(3)
    for number in numbers:
        assert abs(number.drawn(source, 0.1) - number.value) <= 0.1 * number.value + 0.5


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A set of one clip: a car that is seen well, and one that is seen just well enough to be counted."""
    (tmp_path / "clips-5").mkdir()
    write_label(tmp_path / "clips-5", "monday", (Drive(3.0), Drive(9.0, confidence=0.019)), (3.0, 9.0))
    return tmp_path


def test_the_table_shows_what_a_number_does(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fifth more evidence is too much for a faint vehicle; the numbers that do nothing are named, and the draws."""
    monkeypatch.setattr(sensitivity, "set_up_logging", lambda _: None)
    monkeypatch.setattr(
        "sys.argv",
        [
            *("sensitivity.py", "--recordings", str(recordings), "--clips", str(recordings / "clips-5")),
            *("--sets", "clips-5", "--only", "config.counting", "detection.", "--draws", "2", "--jobs", "1"),
            *("--json", str(recordings / "found.json")),
        ],
    )
    assert sensitivity.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| number | value | -20 % | +20 % | clips-5: 0 errors | events changed |"
    assert lines[2] == "| `config.counting.least_evidence` | 0.02 | 0.016 | 0.024 | 0 / 1 | 0 / 1 |"
    assert "2 numbers: 1 change an error, 1 not a byte, 1 change no event:" in lines
    assert "`config.counting.decide_seconds`" in lines
    assert any(line.startswith("not in recordings: `detection.padding_grey`") for line in lines)
    assert any(line.startswith("2 draws within +-10%, clips-5: 0 errors before, after 0 to ") for line in lines)
    found = json.loads((recordings / "found.json").read_text())
    assert [row["name"] for row in found["numbers"]] == [
        "config.counting.least_evidence",
        "config.counting.decide_seconds",
    ]
    assert [draw["seed"] for draw in found["draws"]] == [1, 2]


def test_counting_known_tracks_is_counting_the_recording(recordings: Path) -> None:
    """What acts after tracking is counted from tracks that are kept; the events are those of the whole pipeline."""
    numbers = Numbers()
    labels = recorded_clips.labels_of("clips-5", recordings / "clips-5")
    (clip,) = recorded_clips.read_clips("clips-5", recordings, labels, numbers)
    events, tracks = recorded_clips.count_observations(clip, numbers)
    assert len(events) == 2
    assert recorded_clips.count_tracks(clip, tracks, numbers) == events


def test_numbers_of_optical_flow_are_counted_on_the_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames with the recorded detections give the recording's events, and take other numbers of optical flow."""
    monkeypatch.setattr("cv2.setNumThreads", lambda _: None)
    folder = tmp_path / "clips-all"
    folder.mkdir()
    file = write_label(folder, "monday", entries=(2.0,))
    file.write_text(file.read_text().replace("monday.mp4", "monday.avi"))
    write_numbered_clip(folder / "monday.avi", 4)
    # The detector needs the corner of every frame, in which its number is.
    config = Config(mechanisms=MechanismsConfig(motion_gating=False, region_of_interest=False))
    options = ClipOptions(config, record=folder / "monday.jsonl.gz")
    evaluate_clip(read_label(file), options, NumberedFrameDetector([Drive(2.0)]))
    clips = recorded_clips.read_clips("clips-all", tmp_path, [file], Numbers(config=config))
    events, _ = recorded_clips.count_observations(clips[0], Numbers(config=config))
    assert len(events) == 1
    assert recorded_clips.count_frames(clips[0], Numbers(config=config)) == events
    bench = sensitivity.Bench({"clips-all": clips}, ("clips-all",))
    assert bench.count_defaults().errors == {"clips-all": 0}
    (cell,) = (number for number in tuned_numbers() if number.name == "tracking.flow.cell")
    for task in sensitivity.tasks_of([cell], draws=0, seed=1):
        assert bench.count(task).errors == {"clips-all": 0}
