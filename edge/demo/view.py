"""What the demo looks like: a live picture in a terminal, plain lines elsewhere, and the summary of both."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edge.pipeline import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from edge.core.events import Event
    from edge.demo.garage import Moment, Summary

PLAIN_SECONDS = 5.0


class DemoView:
    """A context manager; ``show`` draws a moment, ``tell`` prints the summary."""

    def __init__(self, *, plain: bool = False) -> None:
        self._console = Console(highlight=False)
        self._live = None if plain or not sys.stdout.isatty() else Live(console=self._console, auto_refresh=False)
        self._said = -PLAIN_SECONDS
        self._phase = ""
        self._events_told: set[object] = set()

    def __enter__(self) -> DemoView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, moment: Moment) -> None:
        """Draw what is true at this moment."""
        if self._live is not None:
            self._live.update(_picture(moment), refresh=True)
            return
        for event in moment.events:
            if event.event_id not in self._events_told:
                self._events_told.add(event.event_id)
                self._line(f"{moment.elapsed:6.1f} s  {_event_line(event)}")
        if moment.elapsed - self._said >= PLAIN_SECONDS or moment.phase != self._phase:
            self._said, self._phase = moment.elapsed, moment.phase
            self._line(f"{moment.elapsed:6.1f} s  {' | '.join(_plain_parts(moment))}")

    def tell(self, summary: Summary) -> None:
        """Print how it went."""
        self._line("")
        self._line(f"broker    {summary.broker}; the board received {summary.messages} messages")
        self._line(f"written   {summary.folder}")
        for camera in summary.cameras:
            self._line(
                f"camera    {camera.camera_id}: {camera.true} crossings truly made, {camera.counted} events counted, "
                f"{camera.missed} missed, {camera.extra} extra"
            )
        for name, true, shown in summary.floors:
            verdict = "right" if true == shown else "WRONG"
            self._line(f"floor     {name}: truth {true}, board {'--' if shown is None else shown}: {verdict}")
        self._line(f"result    {'the board shows the truth' if summary.right else 'THE BOARD IS WRONG'}")

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def _picture(moment: Moment) -> Panel:
    floors = Table(box=box.SIMPLE, expand=True)
    for name in ("floor", "true vehicles", "board vehicles", "free on the board", ""):
        floors.add_column(name, justify="left" if name == "floor" else "right")
    shown = {row.name: row for row in moment.board.rows}
    for name, true, total in moment.floors:
        row = shown.get(name)
        known = row is not None and row.vehicles is not None
        same = known and row is not None and row.vehicles == true
        floors.add_row(
            name,
            f"{true} of {total}",
            str(row.vehicles) if known and row else "--",
            str(row.available) if known and row else "--",
            Text("same" if same else "on its way", style="green" if same else "yellow"),
        )
    cameras = Table(box=box.SIMPLE, expand=True)
    for name in ("camera", "frames", "dropped", "frames/s", *(f"{stage} ms" for stage in STAGES)):
        cameras.add_column(name, justify="left" if name == "camera" else "right")
    for worker in moment.daemon.workers:
        statistics = worker.pipeline.statistics
        cameras.add_row(
            worker.camera.id,
            str(statistics.frames),
            str(worker.source.status.dropped),
            f"{statistics.frames_per_second:.1f}",
            *(f"{statistics.milliseconds[stage]:.1f}" for stage in STAGES),
        )
    events = Text("\n".join(_event_line(event) for event in moment.events) or "no event yet")
    return Panel(
        Group(floors, cameras, Panel(events, title="last events", border_style="dim")),
        title=f"SmartPark Edge demo - {moment.elapsed:.0f} s - {moment.phase}",
        subtitle=Text(f"{moment.broker} - {moment.folder}", style="dim"),
    )


def _plain_parts(moment: Moment) -> Iterator[str]:
    yield moment.phase
    shown = {row.name: row.vehicles for row in moment.board.rows}
    for name, true, _ in moment.floors:
        board = shown.get(name)
        yield f"{name}: true {true} board {'--' if board is None else board}"
    for worker in moment.daemon.workers:
        statistics = worker.pipeline.statistics
        stages = " ".join(f"{stage} {statistics.milliseconds[stage]:.1f}" for stage in STAGES)
        yield f"{worker.camera.id}: {statistics.frames_per_second:.1f} frames/s, ms: {stages}"


def _event_line(event: Event) -> str:
    return (
        f"{event.timestamp:%H:%M:%S}  {event.direction:5}  {event.floor:12}  {event.vehicle_type:10}  "
        f"{event.confidence:.2f}  {event.camera_id}  {event.track_id}"
    )
