"""What each mechanism brings: the labelled clips and the simulated scenes, with one after the other switched off.

``make ablation``. The model runs once, into recordings that are kept, and once more for each mechanism that decides
what it looks at; after that only tracking and counting run. Shown are the errors, missed and extra events together.
``=`` stands where no byte of any event changes, ``~`` where only the numbers of tracks do. Below is for how long
crossings are held back, which depends on ``early_decision``.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import recorded_clips as recorded
from benchmarks.tuned_numbers import Numbers

from edge.config.schema import Config, MechanismsConfig
from edge.host.logs import set_up_logging
from edge.store.writing.latency import percentiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.recorded_clips import RecordedClip

    from edge.core.events import Event

    Counted = tuple[int, list[list[Event]]]  # errors of a set, and the events of each of its clips

# What these decide, recordings hold already: without them there are others.
_BEFORE_DETECTION = ("motion_gating", "region_of_interest")
_SOON_SECONDS = 0.3
_SETS = ("clips-all", "clips-10", "clips-5", "scenes-5")


@dataclass(frozen=True, slots=True)
class Task:
    """A set to count, without one mechanism; an empty text leaves all of them on."""

    mechanism: str
    set_name: str


# Of each set, and of each mechanism before detection that it was recorded without, or an empty text. For the worker
# processes, which are forked from this one.
_sets: dict[tuple[str, str], list[RecordedClip]] = {}


def count_without(task: Task) -> Counted:
    """Count the task's set."""
    off = MechanismsConfig().model_copy(update={task.mechanism: False} if task.mechanism else {})
    numbers = Numbers(config=Config().model_copy(update={"mechanisms": off}))
    clips = _sets[task.set_name, task.mechanism if task.mechanism in _BEFORE_DETECTION else ""]
    events = [recorded.count_observations(clip, numbers)[0] for clip in clips]
    return sum(clip.errors(found) for clip, found in zip(clips, events, strict=True)), events


def sameness(events: list[list[Event]], known: list[list[Event]]) -> str:
    """``=`` for the same events, ``~`` where only the numbers of their tracks differ, else empty."""
    if events == known:
        return "="
    return "~" if list(map(recorded.without_tracks, events)) == list(map(recorded.without_tracks, known)) else ""


def main() -> int:
    """Count and print; 0 when everything could be counted."""
    options = arguments()
    set_up_logging("error")
    mechanisms = ["", *(options.only or MechanismsConfig.model_fields)]
    for name in options.sets:
        labels = recorded.labels_of(name, options.clips)
        if not labels:
            print(f"{options.clips}: no labels for {name}; set SMARTPARK_CLIPS to the clips' folder", file=sys.stderr)
            return 2
        for without in ("", *(key for key in mechanisms if key in _BEFORE_DETECTION)):
            recorded.make_recordings(name, options.recordings, labels, options.jobs, without)
            _sets[name, without] = recorded.read_clips(name, options.recordings, labels, Numbers(), without)
    print(f"{'switched off':20}" + "".join(f"{name:>16}" for name in options.sets), flush=True)
    tasks = [Task(mechanism, name) for mechanism in mechanisms for name in options.sets]
    gc.collect()
    gc.freeze()  # the workers share the recordings: a collection would copy every page that it marks
    before: dict[str, list[list[Event]]] = {}
    counted: dict[Task, list[list[Event]]] = {}
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        for task, (errors, events) in zip(tasks, pool.imap(count_without, tasks), strict=True):
            known = before.setdefault(task.set_name, events)
            counted[task] = events
            crossings = sum(clip.certain_crossings for clip in _sets[task.set_name, ""])
            same = sameness(events, known) if task.mechanism else ""
            start = f"{task.mechanism or '(nothing)':20}" if task.set_name == options.sets[0] else ""
            end = "\n" if task.set_name == options.sets[-1] else ""
            print(f"{start}{f'{errors} of {crossings} {same:1}':>16}", end=end, flush=True)
    for mechanism in ("", "early_decision"):
        if mechanism in mechanisms:
            print_holds(mechanism, [counted[Task(mechanism, name)] for name in options.sets])
    return 0


def print_holds(mechanism: str, sets: Sequence[list[list[Event]]]) -> None:
    """Print how long after their crossing the events of each set were decided."""
    columns = []
    for clips in sets:
        holds = [event.timing.hold for events in clips for event in events if event.timing is not None]
        soon = sum(hold <= _SOON_SECONDS for hold in holds) / max(len(holds), 1)
        p50, p99 = percentiles(holds) if holds else (0.0, 0.0)
        columns.append((f"{p50:.0f} / {p99:.0f}", f"{soon:.0%}"))
    print(f"\n{f'without {mechanism}' if mechanism else 'held back':20}")
    print(f"{'  ms, p50 / p99':20}" + "".join(f"{times:>16}" for times, _ in columns))
    print(f"{'  within 300 ms':20}" + "".join(f"{share:>16}" for _, share in columns), flush=True)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=recorded.CLIPS, help="labelled clips (default: %(default)s)")
    parser.add_argument(
        "--recordings", type=Path, default=recorded.CACHE, metavar="FOLDER",
        help="holds the recordings of each set, which are made if they are missing (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--sets", nargs="+", choices=recorded.SETS, default=_SETS, metavar="SET", help="default: four")
    parser.add_argument("--only", nargs="+", choices=MechanismsConfig.model_fields, metavar="MECHANISM")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
