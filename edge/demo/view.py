"""Shows the demo: a live picture in a terminal, lines elsewhere, and the report at the end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edge.pipeline import LEAST_FRAMES_PER_SECOND, STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from edge.core.events import StoredEvent
    from edge.demo.demo import DemoSnapshot
    from edge.demo.score import DemoReport

_LINE_SECONDS = 5.0
_NEEDED = f"at least {LEAST_FRAMES_PER_SECOND:g} are needed"


class DemoView:
    """A context manager; ``show`` draws a snapshot, ``print_report`` prints the report."""

    def __init__(self, *, plain: bool = False) -> None:
        self._console = Console(highlight=False)
        self._live = None if plain or not sys.stdout.isatty() else Live(console=self._console, auto_refresh=False)
        self._printed_at = -_LINE_SECONDS
        self._phase = ""
        self._printed_events: set[object] = set()

    def __enter__(self) -> DemoView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, snapshot: DemoSnapshot) -> None:
        """Draw the picture anew; without a terminal print new events, and a line every few seconds."""
        if self._live is not None:
            self._live.update(_picture(snapshot), refresh=True)
            return
        for event in snapshot.events:
            if event.event_id not in self._printed_events:
                self._printed_events.add(event.event_id)
                self._print(f"{snapshot.elapsed:6.1f} s  {_event_line(event)}")
        if snapshot.elapsed - self._printed_at >= _LINE_SECONDS or snapshot.phase != self._phase:
            self._printed_at, self._phase = snapshot.elapsed, snapshot.phase
            self._print(f"{snapshot.elapsed:6.1f} s  {' | '.join(_line_parts(snapshot))}")

    def print_report(self, report: DemoReport) -> None:
        """Print how the demo went, and what to do where the machine was too slow."""
        self._print("")
        self._print(f"broker    {report.broker}; the board received {report.messages} messages")
        self._print(f"written   {report.folder}")
        for camera in report.cameras:
            self._print(
                f"camera    {camera.camera_id}: {camera.true} crossings truly made, {camera.counted} events counted, "
                f"{camera.missed} missed, {camera.extra} extra"
            )
        for floor in report.floors:
            shown = "--" if floor.shown is None else floor.shown
            self._print(
                f"floor     {floor.name}: truth {floor.true}, board {shown}: {'right' if floor.right else 'WRONG'}"
            )
        for camera in report.cameras:
            if camera.too_slow is not None:
                self._print(
                    f"too slow  {camera.camera_id}: down to {camera.too_slow:.1f} frames a second were processed, "
                    f"{_NEEDED} for a reliable count"
                )
        if report.too_slow:
            self._print("          use a smaller --image-size, or --every-frame, which waits for the machine")
        result = "the board shows the truth" if report.right else "THE BOARD IS WRONG"
        if report.too_slow and not report.right:
            result += ": this machine was too slow to count in real time"
        self._print(f"result    {result}")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def _picture(snapshot: DemoSnapshot) -> Panel:
    floors = Table(box=box.SIMPLE, expand=True)
    for name in ("floor", "true vehicles", "board vehicles", "free on the board", ""):
        floors.add_column(name, justify="left" if name == "floor" else "right")
    rows = {row.name: row for row in snapshot.board.rows}
    for name, true, total in snapshot.floors:
        row = rows.get(name)
        vehicles, available = (row.vehicles, row.available) if row is not None else (None, None)
        same = vehicles == true
        state = "same" if same else "not known" if vehicles is None else "on its way"
        floors.add_row(
            name,
            f"{true} of {total}",
            "--" if vehicles is None else str(vehicles),
            "--" if available is None else str(available),
            Text(state, style="green" if same else "yellow"),
        )
    cameras = Table(box=box.SIMPLE, expand=True)
    for name in ("camera", "frames", "dropped", "frames/s", *(f"{stage} ms" for stage in STAGES)):
        cameras.add_column(name, justify="left" if name == "camera" else "right")
    for worker in snapshot.workers:
        statistics = worker.pipeline.statistics
        rate = f"{statistics.frames_per_second:.1f}"
        cameras.add_row(
            worker.camera.id,
            str(statistics.frames),
            str(worker.source.status.dropped),
            Text(f"{rate}: too slow, {_NEEDED}", style="bold red") if statistics.too_slow else rate,
            *(f"{statistics.milliseconds[stage]:.1f}" for stage in STAGES),
        )
    events = Text("\n".join(_event_line(event) for event in snapshot.events) or "no event yet")
    return Panel(
        Group(floors, cameras, Panel(events, title="last events", border_style="dim")),
        title=f"SmartPark Edge demo - {snapshot.elapsed:.0f} s - {snapshot.phase}",
        subtitle=Text(f"{snapshot.broker} - {snapshot.folder}", style="dim"),
    )


def _line_parts(snapshot: DemoSnapshot) -> Iterator[str]:
    yield snapshot.phase
    shown = {row.name: row.vehicles for row in snapshot.board.rows}
    for name, true, _ in snapshot.floors:
        vehicles = shown.get(name)
        yield f"{name}: true {true} board {'--' if vehicles is None else vehicles}"
    for worker in snapshot.workers:
        statistics = worker.pipeline.statistics
        slow = f" (too slow: {_NEEDED})" if statistics.too_slow else ""
        stages = " ".join(f"{stage} {statistics.milliseconds[stage]:.1f}" for stage in STAGES)
        yield f"{worker.camera.id}: {statistics.frames_per_second:.1f} frames/s{slow}, ms: {stages}"


def _event_line(event: StoredEvent) -> str:
    return (
        f"{event.timestamp:%H:%M:%S}  {event.direction:5}  {event.floor:12}  {event.vehicle_type:10}  "
        f"{event.confidence:.2f}  {event.camera_id}  {event.track_id}"
    )
