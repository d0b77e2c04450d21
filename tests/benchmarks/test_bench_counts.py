"""Tests the table of ``make bench-counts``, and how the other contenders' counts become events."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks import bench_counts, contenders

from edge.core.events import Direction
from edge.detection.onnx_runtime import OnnxDetector
from edge.evaluation.accuracy import CountedCrossing, Figures

Column = tuple[str, float | None]

OURS: Column = ("smartpark", 5.0)
THEIRS: Column = ("object_counter", 5.0)


def test_a_count_that_rises_is_as_many_events_at_the_frames_time() -> None:
    """A contender that reports only totals gets an event, at the frame's time, for each that its total rose by."""
    figures: dict[str, Any] = {"entry": 0, "exit": 0, "until": 1.0, "events": []}
    contenders.add_events(figures, 1, 0)
    figures["until"] = 2.5
    contenders.add_events(figures, 3, 1)
    contenders.add_events(figures, 3, 1)
    assert figures["events"] == [("entry", 1.0), ("entry", 2.5), ("entry", 2.5), ("exit", 2.5)]


def test_events_can_be_matched() -> None:
    """An event becomes a counted crossing."""
    assert bench_counts.counted_crossings([("exit", 2.5)]) == [CountedCrossing(Direction.EXIT, 2.5)]


def test_a_row_has_accuracy_missed_and_extra_of_each_contender() -> None:
    """A row has the crossings of the label, and three figures for each contender."""
    found = {OURS: Figures(truth=8), THEIRS: Figures(truth=8, missed=2, extra=4)}
    assert bench_counts.row("road", found).split() == ["road", "8", "100.0", "%", "0", "0", "25.0", "%", "2", "4"]


def test_a_clip_without_crossings_has_no_percentage() -> None:
    """Only the missed and extra events are shown where there is no truth to divide by."""
    assert bench_counts.row("people", {OURS: Figures(extra=3)}).split() == ["people", "0", "-", "0", "3"]


def test_a_contender_that_failed_on_a_clip_has_no_total() -> None:
    """A sum without one of the clips could not be compared, so it is not shown."""
    assert bench_counts.total([Figures(truth=8), None]) is None
    assert bench_counts.total([Figures(truth=8), Figures(truth=2, extra=1)]) == Figures(truth=10, extra=1)
    assert bench_counts.row("total", {OURS: None}).split() == ["total", "failed"]


def test_the_last_lines_have_errors_and_ratios() -> None:
    """Each rate has a line with the errors of all contenders and ours as a share of theirs."""
    totals = {OURS: Figures(truth=8, missed=1), THEIRS: Figures(truth=8, missed=2, extra=2)}
    assert bench_counts.closing(totals) == [
        "errors, 5 a second: SmartPark Edge 1, Ultralytics ObjectCounter 4 (ours / theirs 0.25x)"
    ]


def test_the_heading_is_as_wide_as_the_rows() -> None:
    """The heading's columns lie over those of the rows."""
    for columns in ([OURS, THEIRS], [("smartpark", None), OURS, THEIRS]):
        names, *lines = bench_counts.heading(columns)
        assert {len(line) for line in lines} == {len(bench_counts.row("road", dict.fromkeys(columns)))}
        assert len(names) <= len(lines[0])


def test_rates_are_parsed_and_shown() -> None:
    """A rate is a number of frames a second, or all; 0 is refused."""
    assert [bench_counts.rate_text(bench_counts.rate(text)) for text in ("all", "5", "2.5")] == [
        "all frames",
        "5 a second",
        "2.5 a second",
    ]
    with pytest.raises(ValueError, match="0"):
        bench_counts.rate("0")


def test_the_methods_that_are_timed_exist() -> None:
    """The stages of our own frame are timed by the names of methods, which must be those of the product."""
    for owner, name, _ in contenders.timed_methods(OnnxDetector):
        assert callable(getattr(owner, name))
