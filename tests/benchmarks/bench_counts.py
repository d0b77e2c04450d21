"""Compares how accurate this pipeline, Ultralytics and supervision count labelled clips (``make bench-counts``).

All of them get the same weights and the same frames, at each of some rates; every contender runs in a process of its
own, one after the other. Events are compared with the labels as by ``smartpark evaluate``: an event is right if it has
the true direction and is no more than 1.5 s off, and one that matches an uncertain crossing neither helps nor harms.
This pipeline's events have the time of the crossing, those of the others the time of the frame at which their count
rose.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench import CONTENDERS, OURS, PROJECT, measure, missing, torchvision_fits

from edge.config.schema import Config
from edge.core.errors import ConfigError
from edge.core.events import Direction
from edge.evaluation.accuracy import CountedCrossing, Figures, match_crossings
from edge.evaluation.expected_crossings import expected_crossings
from edge.evaluation.label_file import read_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.evaluation.label_file import Label

    Column = tuple[str, float | None]  # a contender, and the most frames a second; None: all

FIRST, TRUTH = 20, 7  # widths: the clip, the crossings of its label
# Title and width of each column under a contender and a rate.
CELL = (("right", 10), ("miss", 6), ("extra", 6))
WIDTH = sum(width for _, width in CELL)


def main() -> int:
    """Count, compare with the labels, and print; 0 when every contender that is installed ran to its end."""
    options = arguments()
    if not options.weights.exists():
        print(f"{options.weights}: no such file; run `smartpark models pull yolo11n`", file=sys.stderr)
        return 2
    files = [options.clips / f"{name}.toml" for name in options.only] or sorted(options.clips.glob("*.toml"))
    if not files:
        print(f"{options.clips}: no labels; set SMARTPARK_CLIPS to the folder of the labelled clips", file=sys.stderr)
        return 2
    try:
        labels = read_labels(files)
    except ConfigError as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return 2
    runnable = [name for name in options.contenders if not missing(name)]
    print_setup(options, labels, runnable)
    labels = [label for label in labels if not label.simulated]
    columns = [(name, fps) for name in runnable for fps in options.fps]
    if not columns or not labels:
        print("nothing to compare", file=sys.stderr)
        return 2
    torchvision = runnable == [OURS] or torchvision_fits()
    if not torchvision:
        print("torchvision does not fit this torch: Ultralytics runs without it, with its own NMS")
    shared = {"weights": str(options.weights), "size": options.size, "torchvision": torchvision}
    print("", *heading(columns), sep="\n", flush=True)
    clips = []
    for label in labels:
        clips.append(count(label, columns, shared))
        print(row(label.name, clips[-1]), flush=True)
    totals = {column: total([clip[column] for clip in clips]) for column in columns}
    print(row("total", totals), "", *closing(totals), sep="\n")
    return 0 if all(totals.values()) else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    weights = Path(os.environ.get("SMARTPARK_DETECTOR_MODELS_DIR", PROJECT / "models")) / "yolo11n.onnx"
    clips = Path(os.environ.get("SMARTPARK_CLIPS", PROJECT.parent / "shared" / "clips"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="CLIP", help="names of labels (default: all)")
    parser.add_argument(
        "--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME", help="default: all"
    )
    parser.add_argument(
        "--fps", type=rate, nargs="+", default=[None, 5.0], help="frames a second, or all (default: all 5)"
    )
    parser.add_argument("--size", type=int, default=640, help="image size (default: %(default)s)")
    parser.add_argument("--weights", type=Path, default=weights, help="an ONNX file (default: %(default)s)")
    parser.add_argument("--clips", type=Path, default=clips, help="folder of clips (default: %(default)s)")
    options = parser.parse_args()
    for name in ("only", "contenders", "fps"):
        setattr(options, name, list(dict.fromkeys(getattr(options, name))))
    return options


def rate(text: str) -> float | None:
    """A rate of the command line: None for ``all``. Raises ``ValueError``."""
    if text == "all":
        return None
    fps = float(text)
    if not 0.1 <= fps <= 240:
        raise ValueError(text)
    return fps


def print_setup(options: argparse.Namespace, labels: Sequence[Label], runnable: Sequence[str]) -> None:
    """Print what is compared, and which contenders and clips are left out and why."""
    packages = sorted({package for name in runnable for package in CONTENDERS[name][1]})
    print(f"{options.weights.name} at image size {options.size}")
    print(", ".join(f"{package} {version(package)}" for package in packages))
    for name in options.contenders:
        if missing(name):
            print(f"{CONTENDERS[name][0]} is left out: {', '.join(missing(name))} not installed (`make bench` does it)")
    for label in labels:
        if label.simulated:
            print(f"{label.name} is left out: the others read no simulated clips")


def count(label: Label, columns: Sequence[Column], shared: Mapping[str, Any]) -> dict[Column, Figures | None]:
    """The figures of each contender on one clip at each rate; None for a contender that failed."""
    assert label.gate is not None
    expected = expected_crossings(label, Config())
    gate = {"line": label.gate.line, "inside": label.gate.inside}
    task = {**shared, **gate, "clip": label.source, "frames": sys.maxsize}
    found: dict[Column, Figures | None] = {}
    frames: dict[float | None, int] = {}
    for name, fps in columns:
        measured = measure({**task, "contender": name, "fps": fps})
        found[name, fps] = (
            match_crossings(expected, counted_crossings(measured["events"])).figures if measured else None
        )
        if measured and frames.setdefault(fps, measured["frames"]) != measured["frames"]:
            print(f"{CONTENDERS[name][0]} got {measured['frames']} frames, not {frames[fps]}", file=sys.stderr)
    return found


def counted_crossings(events: Sequence[tuple[str, float]]) -> list[CountedCrossing]:
    """A contender's events in the form that ``match_crossings`` takes."""
    return [CountedCrossing(Direction(direction), at) for direction, at in events]


def total(clips: Sequence[Figures | None]) -> Figures | None:
    """The figures of all clips together; None when a clip failed, because the sum could not be compared."""
    known = [figures for figures in clips if figures is not None]
    return sum(known, Figures()) if len(known) == len(clips) else None


def heading(columns: Sequence[Column]) -> list[str]:
    """The lines above the table: the contenders, the rates, and the titles of the columns."""
    over = ""
    for name, of_contender in groupby(columns, key=itemgetter(0)):
        span = WIDTH * len(list(of_contender))
        title = CONTENDERS[name][0]
        # Over a single rate there is room for the name without its maker.
        over += f"{'':4}{title if len(title) <= span - 4 else title.split()[-1]:{span - 4}}"
    rates = "".join(f"{rate_text(fps):>{WIDTH}}" for _, fps in columns)
    under = "".join(f"{title:>{width}}" for title, width in CELL) * len(columns)
    blank = " " * (FIRST + TRUTH)
    return [(blank + over).rstrip(), blank + rates, f"{'':{FIRST}}{'label':>{TRUTH}}{under}"]


def rate_text(fps: float | None) -> str:
    """A rate in words."""
    return "all frames" if fps is None else f"{fps:g} a second"


def row(name: str, found: Mapping[Column, Figures | None]) -> str:
    """One line of the table. For a clip without crossings it has no percentage, only the extra events."""
    truth = next((str(figures.truth) for figures in found.values() if figures), "")
    return f"{name:{FIRST}}{truth:>{TRUTH}}" + "".join(cell(figures) for figures in found.values())


def cell(figures: Figures | None) -> str:
    """Accuracy, missed and extra."""
    if figures is None:
        return f"{'failed':>{WIDTH}}"
    accuracy = f"{100 * figures.accuracy:.1f} %" if figures.truth else "-"
    texts = (accuracy, str(figures.missed), str(figures.extra))
    return "".join(f"{text:>{width}}" for text, (_, width) in zip(texts, CELL, strict=True))


def closing(totals: Mapping[Column, Figures | None]) -> list[str]:
    """For each rate a line with the errors of all contenders, and ours as a share of theirs."""
    lines = []
    for fps in dict.fromkeys(fps for _, fps in totals):
        ours = totals.get((OURS, fps))
        texts = []
        for (name, of), figures in totals.items():
            if of != fps or figures is None:
                continue
            errors = figures.missed + figures.extra
            text = f"{CONTENDERS[name][0]} {errors}"
            if name != OURS and ours is not None and errors:
                text += f" (ours / theirs {(ours.missed + ours.extra) / errors:.2f}x)"
            texts.append(text)
        lines.append(f"errors, {rate_text(fps)}: {', '.join(texts) or 'none ran to the end'}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
