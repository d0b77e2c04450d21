"""How much the count depends on each tuned number: every one by -20 % and +20 %, and all together at random.

``make sensitivity``. Errors are missed and extra events together; beside them stands how many events are not the same
to the byte. A number that acts on tracks or observations is changed on recordings, one of optical flow on the frames of
the clips with the recorded detections (the scenes are left out), and one of the detector only with ``--with-model``.
The table is in Markdown, the most sensitive number first.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import recorded_clips as recorded
from benchmarks.sensitivity_table import DRAW, SIDES, SPREAD, Outcome, Task, document, summary, table
from benchmarks.tuned_numbers import Acts, Numbers, TunedNumber, tuned_numbers, with_random_values, with_value

from edge.detection.detector import make_detector
from edge.host.logs import set_up_logging

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.recorded_clips import RecordedClip

    from edge.core.events import Event
    from edge.core.tracks import Track


@dataclass(slots=True)
class Bench:
    """The sets in memory, and what the default numbers make of them. Read by forked workers, which change nothing."""

    sets: dict[str, list[RecordedClip]]
    frame_sets: tuple[str, ...] = ()
    tracks: dict[str, list[list[Sequence[Track]]]] = field(default_factory=dict)
    events: dict[str, list[list[Event]]] = field(default_factory=dict)
    of_frames: dict[str, list[list[Event]]] = field(default_factory=dict)
    of_model: dict[str, list[list[Event]]] = field(default_factory=dict)

    def count_defaults(self) -> Outcome:
        """Count every set with the default numbers; the result is what the others are compared with."""
        for name, clips in self.sets.items():
            counted = [recorded.count_observations(clip, Numbers()) for clip in clips]
            self.events[name] = [events for events, _ in counted]
            self.tracks[name] = [tracks for _, tracks in counted]
        return self._outcome(self.events, self.events)

    def count(self, task: Task) -> Outcome:
        """Count the sets that show the effect of the task's numbers."""
        if task.acts is Acts.ON_TRACKS:
            found = {
                name: [
                    recorded.count_tracks(clip, tracks, task.numbers)
                    for clip, tracks in zip(clips, self.tracks[name], strict=True)
                ]
                for name, clips in self.sets.items()
            }
            return self._outcome(found, self.events)
        if task.acts is Acts.ON_RECORDINGS:
            found = {
                name: [recorded.count_observations(clip, task.numbers)[0] for clip in clips]
                for name, clips in self.sets.items()
            }
            return self._outcome(found, self.events)
        before = self.of_frames if task.acts is Acts.ON_FRAMES else self.of_model
        if not before:
            # Counted here and not before the fork: OpenCV's and the network's threads do not survive one.
            before.update(self._count_frames(Numbers(), task.acts))
        return self._outcome(self._count_frames(task.numbers, task.acts), before)

    def _count_frames(self, numbers: Numbers, acts: Acts) -> dict[str, list[list[Event]]]:
        import cv2

        cv2.setNumThreads(1)
        detector = None
        if acts is Acts.IN_THE_DETECTOR:
            config = numbers.config.detector.model_copy(update={"threads": 1})
            detector = make_detector(config, numbers.detection)
            detector.start()
        try:
            return {
                name: [recorded.count_frames(clip, numbers, detector) for clip in self.sets[name]]
                for name in self.frame_sets
            }
        finally:
            if detector is not None:
                detector.close()

    def _outcome(self, found: dict[str, list[list[Event]]], before: dict[str, list[list[Event]]]) -> Outcome:
        outcome = Outcome()
        for name, of_clips in found.items():
            clips = self.sets[name]
            outcome.errors[name] = sum(clip.errors(events) for clip, events in zip(clips, of_clips, strict=True))
            outcome.identical[name] = of_clips == before[name]
            outcome.changed[name] = sum(
                max((now - was).total(), (was - now).total())
                for now, was in zip(
                    map(recorded.without_tracks, of_clips), map(recorded.without_tracks, before[name]), strict=True
                )
            )
        return outcome


_bench: Bench | None = None  # of the worker processes, which are forked from this one


def _count(task: Task) -> tuple[Task, Outcome]:
    assert _bench is not None
    return task, _bench.count(task)


def counted(bench: Bench, tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, Outcome]]:
    """Each task with its outcome, as they are done; ``jobs`` at the same time, in forked processes if more than 1."""
    global _bench
    _bench = bench
    if jobs == 1:
        yield from map(_count, tasks)
        return
    gc.collect()
    gc.freeze()  # the workers share the recordings: a collection would copy every page that it marks
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(_count, tasks)


def tasks_of(numbers: Iterable[TunedNumber], draws: int, seed: int) -> list[Task]:
    """The tasks of every number and side, and of the random draws; those that take longest first."""
    numbers = list(numbers)
    tasks = [
        Task(number.name, side, value, number.acts, with_value(Numbers(), number.name, value))
        for number in numbers
        for side, factor in SIDES.items()
        if (value := number.scaled(factor)) != number.value
    ]
    drawn = [number for number in numbers if number.acts in (Acts.ON_TRACKS, Acts.ON_RECORDINGS)]
    tasks += [
        Task(DRAW, str(draw), draw, Acts.ON_RECORDINGS, with_random_values(drawn, draw, SPREAD))
        for draw in range(seed, seed + draws)
    ]
    order = list(Acts)
    return sorted(tasks, key=lambda task: order.index(task.acts), reverse=True)


def main() -> int:
    """Count, print the table, and return 0."""
    options = arguments()
    set_up_logging("error")
    labels = {name: recorded.labels_of(name, options.clips) for name in options.sets}
    for name, files in labels.items():
        if not files:
            print(
                f"{options.clips}: no labelled clips for {name}; set SMARTPARK_CLIPS to their folder", file=sys.stderr
            )
            return 2
        recorded.make_recordings(name, options.recordings, files, options.jobs)
    numbers = [number for number in tuned_numbers() if number.name.startswith(tuple(options.only))]
    left_out = [] if options.with_model else [number for number in numbers if number.acts is Acts.IN_THE_DETECTOR]
    if options.without_frames or not options.frame_sets:
        left_out += [number for number in numbers if number.acts is Acts.ON_FRAMES]
    numbers = [number for number in numbers if number not in left_out]
    clips = {name: recorded.read_clips(name, options.recordings, files, Numbers()) for name, files in labels.items()}
    bench = Bench(clips, tuple(name for name in options.frame_sets if name in clips))
    before = bench.count_defaults()
    tasks = tasks_of(numbers, options.draws, options.seed)
    if options.draws_only:
        tasks = [task for task in tasks if task.name == DRAW]
    results, began = [], time.monotonic()
    for done, result in enumerate(counted(bench, tasks, options.jobs), start=1):
        results.append(result)
        if sys.stderr.isatty() or not done % 20:
            minutes = (time.monotonic() - began) / done * (len(tasks) - done) / 60
            print(f"{done} of {len(tasks)}, about {minutes:.0f} minutes more", file=sys.stderr, flush=True)
            found = document(before, numbers, results, [number.name for number in left_out])
            if options.json:
                options.json.write_text(json.dumps(found, indent=1))
    found = document(before, numbers, results, [number.name for number in left_out])
    print(table(found, options.top), "", summary(found), sep="\n")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sets", nargs="+", choices=recorded.SETS, default=["clips-5", "scenes-5"], metavar="SET",
        help=f"of {', '.join(recorded.SETS)} (default: clips-5 scenes-5)",
    )  # fmt: skip
    parser.add_argument(
        "--frame-sets", nargs="*", default=["clips-5"], metavar="SET",
        help="sets of clips on whose frames optical flow is computed anew (default: clips-5)",
    )  # fmt: skip
    parser.add_argument("--without-frames", action="store_true", help="leave the numbers of optical flow out")
    parser.add_argument("--with-model", action="store_true", help="run the model for the numbers of the detector")
    parser.add_argument("--only", nargs="+", default=[""], metavar="PREFIX", help="numbers whose name begins so")
    parser.add_argument("--draws-only", action="store_true", help="change no number alone")
    parser.add_argument("--draws", type=int, default=30, help="random draws of all numbers (default: 30)")
    parser.add_argument("--seed", type=int, default=1, help="of the first draw (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--top", type=int, help="rows of the table (default: all)")
    parser.add_argument(
        "--recordings", type=Path, default=recorded.CACHE, metavar="FOLDER",
        help="holds the recordings of each set, which are made if they are missing (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--clips", type=Path, default=recorded.CLIPS, help="labelled clips (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
