"""What an evaluation found, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edge.cli.shared.options import print_table
from edge.evaluation.evaluate_clip import second_of, summary
from edge.evaluation.recording_names import rate_text
from edge.evaluation.witness import moment_of
from edge.store.reports.export import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.events import Event
    from edge.core.tracks import Verdict
    from edge.evaluation.accuracy import Figures
    from edge.evaluation.error_pictures import Error
    from edge.evaluation.evaluate_clip import Result

FIGURES = ("truth", "counted", "missed", "extra")
COLUMNS = (*FIGURES, "wrong direction", "accuracy", "net bias", "F1")


def as_document(results: Sequence[Result], *, trace: bool) -> dict[str, Any]:
    """One JSON document: the clips in the order of their labels, and the total."""
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
                "beside_the_line": [round(at, 3) for at in result.beside],
                **({"trace": [_verdict_fields(verdict) for verdict in result.verdicts]} if trace else {}),
            }
            for result in results
        ],
        "total": _fields(summary(results)),
    }


def show(results: Sequence[Result], *, trace: bool) -> None:
    """Tables: the figures, then each error; with ``trace`` before them each track."""
    if trace:
        for result in results:
            for verdict in result.verdicts:
                click.echo(f"{result.name}  {_traced(verdict)}")
            click.echo()
    rows = [[result.name, *_row(result.figures)] for result in results]
    if len(results) > 1:
        rows.append(["total", *_row(summary(results))])
    print_table(["clip", *COLUMNS], rows, right=COLUMNS)
    found = [(result.name, error) for result in results for error in result.errors]
    # A pair that is one vehicle is told of once.
    pairs = {(name, one.at, one.direction) for name, one in found if one.kind == "wrong_direction"}
    extras = {(name, one.track_id, one.direction) for name, one in found if one.kind == "wrong_direction"}
    shown = [
        (name, one)
        for name, one in found
        if one.kind == "wrong_direction"
        or (one.kind == "missed" and (name, one.at, one.direction) not in pairs)
        or (one.kind == "extra" and (name, one.track_id, one.direction.opposite) not in extras)
    ]
    if shown:
        click.echo()
        print_table(
            ["clip", "second", "what", "reason", "track"],
            [[name, f"{one.at:.2f}", one.title, one.reason, one.track_id or "-"] for name, one in shown],
            right=["second"],
        )
    frames, seconds = sum(result.frames for result in results), sum(result.seconds for result in results)
    click.echo(f"\n{frames} frames of {seconds:.1f} s, {rate_text(results[0].fps)}")


def _fields(figures: Figures) -> dict[str, Any]:
    return {
        **{name: getattr(figures, name) for name in FIGURES},
        "wrong_direction": figures.wrong_direction,
        "accuracy": round(figures.accuracy, 6),
        "net_bias": round(figures.net_bias, 6),
        "f1": round(figures.f1, 6),
    }


def _row(figures: Figures) -> list[str]:
    return [
        *(str(getattr(figures, name)) for name in FIGURES),
        str(figures.wrong_direction),
        f"{100 * figures.accuracy:.1f} %",
        f"{100 * figures.net_bias:+.1f} %" if figures.truth else f"{figures.net_bias:+.0f}",
        f"{figures.f1:.3f}",
    ]


def _error_fields(error: Error) -> dict[str, Any]:
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
        "at": second_of(event),
        "timestamp": iso(event.timestamp),
        "track_id": event.track_id,
        "vehicle_type": event.vehicle_type.value,
        "confidence": event.confidence,
    }


def _verdict_fields(verdict: Verdict) -> dict[str, Any]:
    return {
        "track_id": verdict.track_id,
        "at": round(moment_of(verdict), 3),
        "counted": verdict.counted,
        "direction": verdict.crossing.direction.value if verdict.crossing else None,
        "reason": verdict.reason.value,
        "other": verdict.other or None,
    }


def _traced(verdict: Verdict) -> str:
    what = "not counted"
    if verdict.crossing is not None:
        what = f"{'counted' if verdict.counted else 'not counted'} {verdict.crossing.direction}"
    other = f" ({verdict.other})" if verdict.other else ""
    return f"{moment_of(verdict):7.2f} s  {verdict.track_id:10}  {what:17}  {verdict.reason.value}{other}"
