"""The pipeline over labelled clips: errors and their reasons, pictures, recordings, and that runs repeat."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import cv2
import pytest
from support.made_recordings import DRIVES, Drive, labelled, record

from edge.config.schema import Config, DetectorConfig
from edge.detection.detector import make_detector
from edge.evaluation.evaluate_clip import Result, Wish, evaluate, true_crossings
from edge.evaluation.label_file import read_label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def replayed(folder: Path, drives: Sequence[Drive], config: Config | None = None, **truth: Sequence[float]) -> Result:
    """What comes of such drives."""
    config = config or Config()
    label = read_label(labelled(folder, "clip", drives, **truth))
    return evaluate(label, Wish(config, replay=folder / "clip.jsonl.gz"), make_detector(config.detector))


def test_an_error_has_its_time_track_and_reason(tmp_path: Path) -> None:
    """A miss is told by what became of the track that was at the line; an extra by why it counted."""
    extra, missed, wrong, unlabelled = replayed(tmp_path, DRIVES).errors
    assert (missed.title, missed.at, missed.reason) == ("missed entry", 6.2, "its track counted at 6.00 s as an exit")
    assert (extra.title, unlabelled.title, unlabelled.reason) == ("extra exit", "extra entry", "crossed")
    assert (wrong.title, wrong.reason) == (
        "wrong direction of an entry",
        "counted as an exit at 6.00 s: crossed",
    )
    assert extra.track_id == missed.track_id == wrong.track_id != ""


def test_a_miss_tells_of_what_was_refused_or_that_nobody_was_there(tmp_path: Path) -> None:
    """A bicycle is no vehicle unless the configuration says so; where no track was the detector saw nothing."""
    bicycle = [Drive(4.0, label="bicycle")]
    refused, nobody = replayed(tmp_path, bicycle, entries=(4.0, 11.0)).errors
    assert (refused.reason, nobody.reason, nobody.track_id) == ("bicycle", "no track was there", "")
    counting = Config().counting.model_copy(update={"bicycles": True})
    figures = replayed(tmp_path, bicycle, Config(counting=counting), entries=(4.0,)).figures
    assert (figures.missed, figures.extra) == (0, 0)


def test_vehicles_beside_the_line_are_noticed(tmp_path: Path) -> None:
    """When they passed; not people, who pass by lines all day."""
    result = replayed(tmp_path, [Drive(4.0, y=60), Drive(9.0, y=60, label="person")], entries=())
    assert [round(at, 1) for at in result.beside] == [pytest.approx(4.0, abs=0.11)]


def test_both_floors_of_a_gate_are_one_vehicle(tmp_path: Path) -> None:
    """A gate between two floors makes two events of a crossing; one is held against the truth."""
    file = labelled(tmp_path, "clip", [Drive(3.0)], (3.0,))
    file.write_text(file.read_text().replace("[truth]", 'floor = "up"\noutside_floor = "down"\n[truth]'))
    config = Config()
    wish = Wish(config, replay=tmp_path / "clip.jsonl.gz")
    result = evaluate(read_label(file), wish, make_detector(config.detector))
    assert (result.figures.counted, result.figures.accuracy) == (1, 1.0)


def test_each_error_has_its_picture(tmp_path: Path) -> None:
    """The frame of the moment, enlarged, with the text below; the clip's frames are read again for it."""
    file = tmp_path / "empty.toml"
    file.write_text('clip = "sim:ramp?recorded=1&seconds=8&fps=10&vehicles_per_minute=0"')
    record(tmp_path / "empty.jsonl", "empty, all frames", DRIVES[:2], 8.0)
    config = Config()
    wish = Wish(config, replay=tmp_path / "empty.jsonl", pictures=tmp_path / "errors")
    result = evaluate(read_label(file), wish, make_detector(config.detector))
    assert (result.figures.truth, result.figures.extra, result.figures.accuracy) == (0, 2, 0.0)
    names = sorted(path.name for path in (tmp_path / "errors").iterdir())
    assert names == ["empty-003.00s-extra-entry.png", "empty-006.00s-extra-exit.png"]
    image = cv2.imread(str(tmp_path / "errors" / names[0]))
    assert image is not None
    assert image.shape[1] == 960
    assert image.shape[0] > 540
    # The box of the track that it is about is red.
    assert (image[:540].astype(int) @ [-1, -1, 2] > 250).sum() > 500


def test_a_vehicle_that_stops_on_the_simulated_line_is_there_for_seconds(tmp_path: Path) -> None:
    """Its truth is a span of time about the moment at which its middle passes; that of the others is short."""
    file = tmp_path / "scene.toml"
    address = "sim:ramp?seed=104&recorded=1&seconds=60&vehicles_per_minute=26&bicycle_share=0.2"
    file.write_text(f'clip = "{address}&stop_on_line=1"')
    spans = [true.until - true.at for true in true_crossings(read_label(file), Config())]
    assert len(spans) > 5
    assert sum(span > 1.0 for span in spans) > len(spans) / 2
    file.write_text(f'clip = "{address}"')
    config = Config()
    passing = true_crossings(read_label(file), config)
    assert max(true.until - true.at for true in passing) < 1.0
    with_bicycles = config.counting.model_copy(update={"bicycles": True})
    assert len(true_crossings(read_label(file), Config(counting=with_bicycles))) > len(passing)


def unpacked(file: Path) -> bytes:
    """What is in a compressed recording; the file itself holds the time at which it was made."""
    with gzip.open(file) as content:
        return content.read()


@pytest.mark.timeout(300)
def test_a_clip_gives_the_same_events_each_time(clips: Path, weights: Path, tmp_path: Path) -> None:
    """With one or two threads of inference, and from the recording."""
    label = read_label(clips / "tfl_dense_day.toml")
    results, kept = [], [tmp_path / f"{threads}.jsonl.gz" for threads in (1, 2)]
    for threads, file in zip((1, 2), kept, strict=True):
        config = Config(detector=DetectorConfig(models_dir=weights, threads=threads))
        detector = make_detector(config.detector)
        detector.start()
        results.append(evaluate(label, Wish(config, fps=5, record=file), detector))
        detector.close()
    one, two = results
    assert one.figures.truth == 21
    assert one.figures.accuracy > 0.6
    assert unpacked(kept[0]) == unpacked(kept[1])
    again = evaluate(label, Wish(Config(), replay=kept[0]), make_detector(DetectorConfig()))
    assert (one.events, one.verdicts, one.errors) == (two.events, two.verdicts, two.errors)
    assert (one.events, one.verdicts, one.errors, one.fps) == (again.events, again.verdicts, again.errors, again.fps)
    assert not list(tmp_path.glob("*.partial"))


def test_a_simulated_scene_brings_its_gate_and_truth(weights: Path, tmp_path: Path) -> None:
    """A small one is counted right, through the model, at fewer frames a second than it has."""
    file = tmp_path / "scene.toml"
    file.write_text('clip = "sim:ramp?seed=5&recorded=1&seconds=16&fps=10&vehicles_per_minute=20&min_speed=0.3"')
    config = Config(detector=DetectorConfig(models_dir=weights, threads=1, image_size=320))
    detector = make_detector(config.detector)
    detector.start()
    seconds: list[float] = []
    result = evaluate(read_label(file), Wish(config, fps=5), detector, seconds.append)
    detector.close()
    assert (result.frames, result.figures.truth > 1, result.figures.accuracy) == (80, True, 1.0)
    assert seconds == sorted(seconds)
    assert len(seconds) == 80
