"""``smartpark evaluate`` as its users run it, on recordings made by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.made_recordings import DRIVES, labelled

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = ("clip", "truth", "counted", "missed", "extra", "wrong_direction", "accuracy", "net_bias", "f1")


@pytest.fixture
def labels(tmp_path: Path) -> list[str]:
    """Two labels; their recordings lie beside them."""
    return [str(labelled(tmp_path, "monday")), str(labelled(tmp_path, "tuesday", DRIVES[:1], (3.0,), uncertain=(8.0,)))]


def test_the_document_holds_everything(smartpark: Any, labels: list[str], tmp_path: Path) -> None:
    """One JSON document: figures, errors, events, tracks; the same one with two clips at a time."""
    command = ["evaluate", *labels, "--detections", str(tmp_path), "--trace", "--json"]
    text = smartpark(*command).stdout
    assert smartpark(*command, "--jobs", "2").stdout == text
    document = json.loads(text)
    monday, tuesday = document["clips"]
    assert [monday[key] for key in FIGURES] == ["monday", 2, 3, 1, 2, 1, -0.5, -0.5, 0.4]
    assert [tuesday[key] for key in FIGURES] == ["tuesday", 1, 1, 0, 0, 0, 1.0, 0.0, 1.0]
    assert [document["total"][key] for key in FIGURES[1:]] == [3, 4, 1, 2, 1, 0.0, -0.333333, 0.571429]
    assert [(error["kind"], error["direction"], round(error["at"], 1)) for error in monday["errors"]] == [
        ("extra", "exit", 6.0),
        ("missed", "entry", 6.2),
        ("wrong_direction", "entry", 6.2),
        ("extra", "entry", 12.0),
    ]
    assert [event["direction"] for event in monday["events"]] == ["entry", "exit", "entry"]
    assert {entry["reason"] for entry in monday["trace"]} >= {"crossed", "passed beside the line's ends"}
    assert [entry["at"] for entry in monday["trace"]] == sorted(entry["at"] for entry in monday["trace"])


def test_the_table_is_for_people(smartpark: Any, labels: list[str], tmp_path: Path) -> None:
    """Figures, the total, a line for each error - one for a vehicle that went the other way -, a warning, a verdict."""
    baseline = tmp_path / "baseline.toml"
    baseline.write_text("[all]\nmonday = { accuracy = 0.9 }\n")
    command = ["evaluate", *labels, "--detections", str(tmp_path), "--baseline", str(baseline)]
    done = smartpark.here(*command, "--trace", code=1)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "monday 2 3 1 2 1 -50.0 % -50.0 % 0.400" in lines
    assert "total 3 4 1 2 1 0.0 % -33.3 % 0.571" in lines
    assert [line.rpartition(" ")[0] for line in lines if line.startswith("monday") and "track" in line][-2:] == [
        "monday 6.20 wrong direction of an entry counted as an exit at 6.00 s: crossed",
        "monday 12.00 extra entry crossed",
    ]
    assert any(line.startswith("monday 3.00 s track-") and line.endswith("counted entry crossed") for line in lines)
    assert lines[-1] == "300 frames of 29.8 s, all frames"
    warning, error = done.stderr.splitlines()
    assert warning.startswith("warning: monday: 1 vehicle passed beside the line's ends, at 9.1 s; if that was through")
    assert error == "error: below the baseline: monday at all frames: accuracy -0.5000, must be 0.9 or more"


def test_every_error_is_one_line(smartpark: Any, labels: list[str], tmp_path: Path) -> None:
    """Wrong labels are 78, all of them; an unknown mechanism is 2, with the list; missing weights are 78."""
    (tmp_path / "bad.toml").write_text('clip = "none.mp4"')
    message = smartpark.here(
        "evaluate", *labels, str(tmp_path / "bad.toml"), str(tmp_path / "none.toml"), code=78
    ).stderr
    assert len(message.splitlines()) == 4
    assert "Traceback" not in message
    message = smartpark.here("evaluate", *labels, "--without", "luck", code=2).stderr
    assert "optical_flow" in message
    smartpark.environ["SMARTPARK_DETECTOR_MODELS_DIR"] = str(tmp_path)
    message = smartpark.here("evaluate", *labels, "--jobs", "2", code=78).stderr
    assert message.startswith("error: ")
    assert message.endswith("fetch it with `smartpark models pull yolo11n`\n")
