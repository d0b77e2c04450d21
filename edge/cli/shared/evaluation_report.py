"""Prints the results of an evaluation as tables, or puts them into one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edge.cli.shared.options import print_table
from edge.evaluation.evaluate_clip import event_second, total_figures
from edge.evaluation.recording import rate_text
from edge.evaluation.run_history import verdict_time
from edge.store import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.events import Event
    from edge.core.tracks import Verdict
    from edge.evaluation.accuracy import Figures
    from edge.evaluation.error_pictures import CountingError
    from edge.evaluation.evaluate_clip import ClipResult

_FIGURES = ("truth", "counted", "missed", "extra")
_COLUMNS = (*_FIGURES, "wrong direction", "accuracy", "net bias", "F1")


def evaluation_document(results: Sequence[ClipResult], *, trace: bool) -> dict[str, Any]:
    """One JSON document: the clips in the order of their labels, and the total; with ``trace``, every verdict."""
    return {
        "clips": [
            {
                "clip": result.name,
                **_fields(result.figures),
                "errors": [_error_fields(error) for error in result.errors],
                "fps": result.fps,
                "frames": result.frames,
                "seconds": round(result.seconds, 3),
                "events": [_event_fields(event) for event in result.events],
                "beside_the_line": [round(at, 3) for at in result.beside_line],
                **({"trace": [_verdict_fields(verdict) for verdict in result.verdicts]} if trace else {}),
            }
            for result in results
        ],
        "total": _fields(total_figures(results)),
    }


def print_evaluation(results: Sequence[ClipResult], *, trace: bool) -> None:
    """Print a table of the figures and one of the errors; with ``trace``, before them a line for each track."""
    if trace:
        for result in results:
            for verdict in result.verdicts:
                click.echo(f"{result.name}  {_trace_line(verdict)}")
            click.echo()
    rows = [[result.name, *_row(result.figures)] for result in results]
    if len(results) > 1:
        rows.append(["total", *_row(total_figures(results))])
    print_table(["clip", *_COLUMNS], rows, right=_COLUMNS)
    errors = [(result.name, error) for result in results for error in result.errors]
    # A missed and an extra crossing that are one vehicle are shown once, as a wrong direction.
    turned = [(name, error) for name, error in errors if error.kind == "wrong_direction"]
    turned_missed = {(name, error.at, error.direction) for name, error in turned}
    turned_extra = {(name, error.track_id, error.direction.opposite) for name, error in turned}
    shown = [
        (name, error)
        for name, error in errors
        if error.kind == "wrong_direction"
        or (error.kind == "missed" and (name, error.at, error.direction) not in turned_missed)
        or (error.kind == "extra" and (name, error.track_id, error.direction) not in turned_extra)
    ]
    if shown:
        click.echo()
        print_table(
            ["clip", "second", "error", "reason", "track"],
            [[name, f"{error.at:.2f}", error.title, error.reason, error.track_id or "-"] for name, error in shown],
            right=["second"],
        )
    frames, seconds = sum(result.frames for result in results), sum(result.seconds for result in results)
    click.echo(f"\n{frames} frames looked at of {seconds:.1f} s, {rate_text(results[0].fps)}")


def _fields(figures: Figures) -> dict[str, Any]:
    return {
        **{name: getattr(figures, name) for name in _FIGURES},
        "wrong_direction": figures.wrong_direction,
        "accuracy": round(figures.accuracy, 6),
        "net_bias": round(figures.net_bias, 6),
        "f1": round(figures.f1, 6),
    }


def _row(figures: Figures) -> list[str]:
    return [
        *(str(getattr(figures, name)) for name in _FIGURES),
        str(figures.wrong_direction),
        f"{100 * figures.accuracy:.1f} %",
        f"{100 * figures.net_bias:+.1f} %" if figures.truth else f"{figures.net_bias:+.0f}",
        f"{figures.f1:.3f}",
    ]


def _error_fields(error: CountingError) -> dict[str, Any]:
    return {
        "kind": error.kind,
        "direction": error.direction.value,
        "at": round(error.at, 3),
        "track_id": error.track_id or None,
        "reason": error.reason,
    }


def _event_fields(event: Event) -> dict[str, Any]:
    return {
        "event_id": str(event.event_id),
        "direction": event.direction.value,
        "at": event_second(event),
        "timestamp": iso(event.timestamp),
        "track_id": event.track_id,
        "vehicle_type": event.vehicle_type.value,
        "confidence": event.confidence,
    }


def _verdict_fields(verdict: Verdict) -> dict[str, Any]:
    return {
        "track_id": verdict.track_id,
        "at": round(verdict_time(verdict), 3),
        "counted": verdict.counted,
        "direction": verdict.crossing.direction.value if verdict.crossing else None,
        "reason": verdict.reason.value,
        "other": verdict.other_id or None,
    }


def _trace_line(verdict: Verdict) -> str:
    what = "not counted"
    if verdict.crossing is not None:
        what = f"{'counted' if verdict.counted else 'not counted'} {verdict.crossing.direction}"
    other = f" ({verdict.other_id})" if verdict.other_id else ""
    return f"{verdict_time(verdict):7.2f} s  {verdict.track_id:10}  {what:17}  {verdict.reason.value}{other}"
