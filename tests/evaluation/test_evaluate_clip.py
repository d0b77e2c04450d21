"""Tests the evaluation of a clip: errors and their reasons, pictures of them, recordings, and that runs repeat."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import cv2
import pytest
from support.made_recordings import DRIVES, Drive, write_label, write_recording

from edge.config.schema import Config, DetectorConfig
from edge.core.tracks import Reason
from edge.detection.detector import make_detector
from edge.evaluation.evaluate_clip import ClipOptions, ClipResult, evaluate_clip
from edge.evaluation.label_file import read_label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def evaluate_drives(
    folder: Path, drives: Sequence[Drive], config: Config | None = None, **truth: Sequence[float]
) -> ClipResult:
    """The result of a recording of these drives."""
    config = config or Config()
    label = read_label(write_label(folder, "clip", drives, **truth))
    options = ClipOptions(config, replay=folder / "clip.jsonl.gz")
    return evaluate_clip(label, options, make_detector(config.detector))


def test_an_error_has_its_time_track_and_reason(tmp_path: Path) -> None:
    """A missed crossing has the reason what became of the track at the line, an extra event why it counted."""
    extra, missed, wrong, unlabelled = evaluate_drives(tmp_path, DRIVES).errors
    assert (missed.title, missed.at, missed.reason) == ("missed entry", 6.2, "its track counted at 6.00 s as an exit")
    assert (extra.title, unlabelled.title, unlabelled.reason) == ("extra exit", "extra entry", Reason.CROSSED)
    assert (wrong.title, wrong.reason) == (
        "wrong direction of an entry",
        "counted as an exit at 6.00 s: crossed",
    )
    assert extra.track_id == missed.track_id == wrong.track_id != ""


def test_a_missed_crossing_names_the_refusal_or_that_no_track_was_there(tmp_path: Path) -> None:
    """A bicycle is no vehicle unless the configuration says so; without a track the detector found nothing."""
    bicycle = [Drive(4.0, label="bicycle")]
    refused, without_track = evaluate_drives(tmp_path, bicycle, entries=(4.0, 11.0)).errors
    assert (refused.reason, without_track.reason, without_track.track_id) == ("bicycle", "no track was there", "")
    counting = Config().counting.model_copy(update={"bicycles": True})
    figures = evaluate_drives(tmp_path, bicycle, Config(counting=counting), entries=(4.0,)).figures
    assert (figures.missed, figures.extra) == (0, 0)


def test_vehicles_beside_the_line_are_reported(tmp_path: Path) -> None:
    """The result has the seconds at which vehicles passed beside the line, but not those of people."""
    result = evaluate_drives(tmp_path, [Drive(4.0, y=60), Drive(9.0, y=60, label="person")], entries=())
    assert [round(at, 1) for at in result.beside_line] == [pytest.approx(4.0, abs=0.11)]


def test_a_gate_between_two_floors_counts_a_vehicle_once(tmp_path: Path) -> None:
    """Such a gate makes two events of a crossing; only that of the gate's own floor is compared with the label."""
    file = write_label(tmp_path, "clip", [Drive(3.0)], (3.0,))
    file.write_text(file.read_text().replace("[truth]", 'floor = "up"\noutside_floor = "down"\n[truth]'))
    options = ClipOptions(Config(), replay=tmp_path / "clip.jsonl.gz")
    result = evaluate_clip(read_label(file), options, make_detector(DetectorConfig()))
    assert (result.figures.counted, result.figures.accuracy) == (1, 1.0)


def test_each_error_has_its_picture(tmp_path: Path) -> None:
    """A picture is the enlarged frame of the error with text below; the clip's frames are read again for it."""
    file = tmp_path / "empty.toml"
    file.write_text('clip = "sim:ramp?recorded=1&seconds=8&fps=10&vehicles_per_minute=0"')
    write_recording(tmp_path / "empty.jsonl", "empty, all frames", DRIVES[:2], 8.0)
    options = ClipOptions(Config(), replay=tmp_path / "empty.jsonl", pictures=tmp_path / "errors")
    result = evaluate_clip(read_label(file), options, make_detector(DetectorConfig()))
    assert (result.figures.truth, result.figures.extra, result.figures.accuracy) == (0, 2, 0.0)
    names = sorted(path.name for path in (tmp_path / "errors").iterdir())
    assert names == ["empty-003.00s-extra-entry.png", "empty-006.00s-extra-exit.png"]
    image = cv2.imread(str(tmp_path / "errors" / names[0]))
    assert image is not None
    assert image.shape[1] == 960
    assert image.shape[0] > 540
    red = image[:540].astype(int) @ [-1, -1, 2] > 250
    assert red.sum() > 500, "the box of the error's track is not red"


def uncompressed(file: Path) -> bytes:
    """The content of a compressed recording; the file itself holds the time at which it was written."""
    with gzip.open(file) as content:
        return content.read()


def test_a_clip_gives_the_same_events_each_time(clips: Path, weights: Path, tmp_path: Path) -> None:
    """Events, verdicts and recordings are the same with one and with two threads of inference, and in a replay."""
    label = read_label(clips / "tfl_dense_day.toml")
    results, recordings = [], [tmp_path / f"{threads}.jsonl.gz" for threads in (1, 2)]
    for threads, recording in zip((1, 2), recordings, strict=True):
        config = Config(detector=DetectorConfig(models_dir=weights, threads=threads, image_size=320))
        detector = make_detector(config.detector)
        detector.start()
        results.append(evaluate_clip(label, ClipOptions(config, fps=5, record=recording), detector))
        detector.close()
    first, second = results
    assert first.figures.truth == 21
    assert first.figures.accuracy > 0.6
    assert uncompressed(recordings[0]) == uncompressed(recordings[1])
    replayed = evaluate_clip(label, ClipOptions(Config(), replay=recordings[0]), make_detector(DetectorConfig()))
    for result in (second, replayed):
        assert (result.events, result.verdicts, result.errors) == (first.events, first.verdicts, first.errors)
    assert replayed.fps == first.fps
    assert not list(tmp_path.glob("*.partial"))


def test_a_simulated_scene_has_its_own_gate_and_truth(weights: Path, tmp_path: Path) -> None:
    """A short scene is counted correctly through the model, at fewer frames a second than it has."""
    file = tmp_path / "scene.toml"
    file.write_text('clip = "sim:ramp?seed=5&recorded=1&seconds=16&fps=10&vehicles_per_minute=20&min_speed=0.3"')
    config = Config(detector=DetectorConfig(models_dir=weights, threads=1, image_size=320))
    detector = make_detector(config.detector)
    detector.start()
    seconds: list[float] = []
    result = evaluate_clip(read_label(file), ClipOptions(config, fps=5), detector, seconds.append)
    detector.close()
    assert (result.figures.truth > 1, result.figures.accuracy) == (True, 1.0)
    assert seconds == sorted(seconds)
    assert len(seconds) == result.frames <= 80
