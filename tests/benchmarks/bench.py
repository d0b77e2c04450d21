"""Measures speed, memory and time to the first result, beside Ultralytics and supervision (``make bench``).

All contenders get one clip and the same weights, each in a process of its own, one after the other. Figures are worth
quoting only if nothing else ran on the machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent.parent
CONTENDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "smartpark": ("SmartPark Edge", ("onnxruntime", "lap")),
    "object_counter": ("Ultralytics ObjectCounter", ("onnxruntime", "ultralytics", "torch", "shapely", "lap")),
    "line_zone": ("supervision LineZone", ("onnxruntime", "ultralytics", "torch", "supervision", "trackers")),
}
OURS, YARDSTICK = "smartpark", "object_counter"
# No contender installs packages, sends figures or keeps settings while it is measured.
ENVIRONMENT = {
    "YOLO_AUTOINSTALL": "false",
    "YOLO_OFFLINE": "true",
    "YOLO_VERBOSE": "false",
    "ORT_DISABLE_TELEMETRY": "1",
    "PYTHONPATH": str(PROJECT),
}
# Figure, title, digits.
COLUMNS = (
    ("fps", "frames/s", 1),
    ("milliseconds", "ms/frame", 1),
    ("cpu", "CPU ms", 1),
    ("peak", "peak MB", 0),
    ("resident", "end MB", 0),
    ("first", "first s", 2),
)


def main() -> int:
    """Measure and print; 0 when every contender that is installed ran to its end."""
    options = arguments()
    clip = options.clips / f"{options.clip}.mp4"
    if not clip.exists():
        print(f"{clip}: no such clip; set SMARTPARK_CLIPS to the folder of the labelled clips", file=sys.stderr)
        return 2
    if not options.weights.exists():
        print(f"{options.weights}: no such file; run `smartpark models pull yolo11n`", file=sys.stderr)
        return 2
    label = tomllib.loads(clip.with_suffix(".toml").read_text())
    runnable = [name for name in CONTENDERS if not missing(name)]
    packages = sorted({package for name in runnable for package in CONTENDERS[name][1]})
    print(f"{clip.name}, {options.weights.name}, {os.cpu_count()} cores")
    print(", ".join(f"{package} {version(package)}" for package in packages))
    for name in CONTENDERS:
        if missing(name):
            print(f"{CONTENDERS[name][0]} is left out: {', '.join(missing(name))} not installed (`make bench` does it)")
    torchvision = "torch" not in packages or torchvision_fits()
    if not torchvision:
        print("torchvision does not fit this torch: Ultralytics runs without it, with its own NMS (and less memory)")
    shared = {"clip": str(clip), "weights": str(options.weights), "torchvision": torchvision, **label["gate"]}
    # Once unmeasured, so that no contender's first frame waits for files that the system has not read yet.
    working = [
        name for name in runnable if measure({**shared, "contender": name, "size": options.sizes[0], "frames": 2})
    ]
    for size in options.sizes:
        task = {**shared, "size": size, "frames": options.frames}
        measured = [{name: measure({**task, "contender": name}) for name in working} for _ in range(options.runs)]
        working = [name for name in working if all(run[name] for run in measured)]
        print(f"\nimage size {size}")
        print_table({name: median_run([run[name] for run in measured]) for name in working}, label["truth"])
    return 0 if working == runnable else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    weights = Path(os.environ.get("SMARTPARK_DETECTOR_MODELS_DIR", PROJECT / "models")) / "yolo11n.onnx"
    clips = Path(os.environ.get("SMARTPARK_CLIPS", PROJECT.parent / "shared" / "clips"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", default="suburb_road", help="name of a labelled clip (default: %(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[640, 320], help="image sizes (default: 640 320)")
    parser.add_argument("--frames", type=int, default=1_000_000, help="only so many frames (default: all)")
    parser.add_argument("--runs", type=int, default=1, help="runs of each, shown is the median (default: 1)")
    parser.add_argument("--weights", type=Path, default=weights, help="an ONNX file (default: %(default)s)")
    parser.add_argument("--clips", type=Path, default=clips, help="folder of clips (default: %(default)s)")
    options = parser.parse_args()
    if options.frames < 2 or options.runs < 1:
        parser.error("--frames takes 2 or more, --runs 1 or more")
    return options


def missing(contender: str) -> list[str]:
    """The packages that a contender needs and that are not installed."""
    return [package for package in CONTENDERS[contender][1] if importlib.util.find_spec(package) is None]


def torchvision_fits() -> bool:
    """Whether torchvision can be imported; a build for GPUs cannot beside a torch that was built without them."""
    command = [sys.executable, "-c", "import torchvision"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def measure(task: dict[str, Any]) -> dict[str, Any]:
    """The figures of one contender; empty, with the end of its output on stderr, when it failed."""
    name = CONTENDERS[task["contender"]][0]
    if sys.stderr.isatty():
        print(f"  ... {name} at {task['size']}", end="\r", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder:
        result = Path(folder) / "figures.json"
        environment = os.environ | ENVIRONMENT | {"YOLO_CONFIG_DIR": folder}
        task = task | {"result": str(result), "started": time.monotonic()}
        command = [sys.executable, str(Path(__file__).parent / "contenders.py"), json.dumps(task)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            figures: dict[str, Any] = json.loads(result.read_text())
            return figures
    print(f"{name} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
    return {}


def median_run(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of every figure over the runs; all else is that of the last run."""
    figures = dict(runs[-1])
    for key in ("milliseconds", "cpu", "peak", "resident", "first"):
        figures[key] = statistics.median(run[key] for run in runs)
    figures["fps"] = 1000 / figures["milliseconds"]
    # The stages are those of the run nearest to the median, so that they add up.
    nearest = min(runs, key=lambda run: abs(run["milliseconds"] - figures["milliseconds"]))
    return figures | {"stages": nearest["stages"], "stages_of": nearest["milliseconds"]}


def print_table(rows: dict[str, dict[str, Any]], truth: dict[str, list[float]]) -> None:
    """Print the table, the ratios to ObjectCounter, and the stages of our own frames."""
    if not rows:
        return
    print(f"{'':26}" + "".join(f"{title:>10}" for _, title, _ in COLUMNS) + f"{'in':>5}{'out':>5}")
    for name, row in rows.items():
        cells = "".join(f"{row[key]:10.{digits}f}" for key, _, digits in COLUMNS)
        print(f"{CONTENDERS[name][0]:26}{cells}{row['entry']:5}{row['exit']:5}")
    until = min(row["until"] for row in rows.values())
    expected = {key: sum(at <= until for at in truth[key]) for key in ("entries", "exits", "uncertain")}
    uncertain = f" (and {expected['uncertain']} that may count or not)" if expected["uncertain"] else ""
    heading = f"label, first {until:.1f} s"
    print(f"{heading:26}{'':{10 * len(COLUMNS)}}{expected['entries']:5}{expected['exits']:5}{uncertain}")
    if OURS not in rows:
        return
    ours = rows[OURS]
    if YARDSTICK in rows:
        ratios = "".join(f"{f'{ours[key] / rows[YARDSTICK][key]:.2f}x':>10}" for key, _, _ in COLUMNS)
        print(f"{'ours / ObjectCounter':26}{ratios}")
    stages = dict(ours["stages"])
    stages["pre/post"] = stages.pop("detect") - stages["inference"]
    stages["rest"] = ours["stages_of"] - sum(stages.values())
    shares = (f"{stage} {spent:.2f} ({spent / ours['stages_of']:.1%})" for stage, spent in stages.items())
    print(f"ms of our frame: {', '.join(shares)}")
    print(f"everything but inference: {1 - stages['inference'] / ours['stages_of']:.1%}")


if __name__ == "__main__":
    sys.exit(main())
