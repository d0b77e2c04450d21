"""How right the counts of this pipeline, Ultralytics and supervision are, on labelled clips (``make bench-counts``).

The same weights and the same frames for all, at each of some rates; every contender in a fresh process, one after the
other. Events are held against the labels as ``smartpark evaluate`` does it: right is an event of the true direction no
more than 1.5 s off, and what stands for an uncertain crossing neither helps nor hurts. This pipeline's events have the
time of the crossing, those of the others the time of the frame at which their count rose.
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

from bench import CONTENDERS, OURS, PROJECT, measure, missing, torchvision_fits

from edge.config.schema import Config
from edge.core.errors import ConfigError
from edge.core.events import Direction
from edge.evaluation.accuracy import Count, Figures, score
from edge.evaluation.evaluate_clip import true_crossings
from edge.evaluation.label_file import read_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.evaluation.label_file import Label

    Column = tuple[str, float | None]  # a contender, and the most frames a second; None: all

FIRST, TRUTH = 20, 7  # widths: the clip, the crossings of its label
# Title and width of what there is under each contender and rate.
CELL = (("right", 10), ("miss", 6), ("extra", 6))
WIDTH = sum(width for _, width in CELL)


def main() -> int:
    """Count, hold against the labels, and print; 0 when every contender that is installed ran to its end."""
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
    tell_circumstances(options, labels, runnable)
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


def tell_circumstances(options: argparse.Namespace, labels: Sequence[Label], runnable: Sequence[str]) -> None:
    """What is compared with what, and what is left out and why."""
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
    """How right each contender is on one clip at each rate; None for one that failed."""
    assert label.gate is not None
    truth = true_crossings(label, Config())
    gate = {"line": label.gate.line, "inside": label.gate.inside}
    task = {**shared, **gate, "clip": label.source, "frames": sys.maxsize}
    found: dict[Column, Figures | None] = {}
    frames: dict[float | None, int] = {}
    for name, fps in columns:
        told = measure({**task, "contender": name, "fps": fps})
        found[name, fps] = score(truth, counts(told["events"])).figures if told else None
        if told and frames.setdefault(fps, told["frames"]) != told["frames"]:
            print(f"{CONTENDERS[name][0]} saw {told['frames']} frames, not {frames[fps]}", file=sys.stderr)
    return found


def counts(events: Sequence[tuple[str, float]]) -> list[Count]:
    """A contender's events as what can be scored."""
    return [Count(Direction(way), at) for way, at in events]


def total(clips: Sequence[Figures | None]) -> Figures | None:
    """All clips together; None when one of them is missing, because then the sum compares with nothing."""
    known = [one for one in clips if one is not None]
    return sum(known, Figures()) if len(known) == len(clips) else None


def heading(columns: Sequence[Column]) -> list[str]:
    """The lines above the table: contenders, rates, and what the figures are."""
    over = ""
    for name, of_one in groupby(columns, key=itemgetter(0)):
        span = WIDTH * len(list(of_one))
        title = CONTENDERS[name][0]
        # Over a single rate there is room for what it is called without its maker.
        over += f"{'':4}{title if len(title) <= span - 4 else title.split()[-1]:{span - 4}}"
    rates = "".join(f"{rate_text(fps):>{WIDTH}}" for _, fps in columns)
    under = "".join(f"{title:>{width}}" for title, width in CELL) * len(columns)
    blank = " " * (FIRST + TRUTH)
    return [(blank + over).rstrip(), blank + rates, f"{'':{FIRST}}{'label':>{TRUTH}}{under}"]


def rate_text(fps: float | None) -> str:
    """A rate, as people say it."""
    return "all frames" if fps is None else f"{fps:g} a second"


def row(name: str, found: Mapping[Column, Figures | None]) -> str:
    """One line of the table. Where nothing crosses there is no percentage, only what was counted all the same."""
    truth = next((str(one.truth) for one in found.values() if one), "")
    return f"{name:{FIRST}}{truth:>{TRUTH}}" + "".join(cell(one) for one in found.values())


def cell(figures: Figures | None) -> str:
    """Accuracy, missed and extra."""
    if figures is None:
        return f"{'failed':>{WIDTH}}"
    accuracy = f"{100 * figures.accuracy:.1f} %" if figures.truth else "-"
    texts = (accuracy, str(figures.missed), str(figures.extra))
    return "".join(f"{text:>{width}}" for text, (_, width) in zip(texts, CELL, strict=True))


def closing(totals: Mapping[Column, Figures | None]) -> list[str]:
    """For each rate the errors of all, and ours as a share of theirs."""
    lines = []
    for fps in dict.fromkeys(fps for _, fps in totals):
        ours = totals.get((OURS, fps))
        told = []
        for (name, of), figures in totals.items():
            if of != fps or figures is None:
                continue
            errors = figures.missed + figures.extra
            text = f"{CONTENDERS[name][0]} {errors}"
            if name != OURS and ours is not None and errors:
                text += f" (ours / theirs {(ours.missed + ours.extra) / errors:.2f}x)"
            told.append(text)
        lines.append(f"errors, {rate_text(fps)}: {', '.join(told) or 'none ran to the end'}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
