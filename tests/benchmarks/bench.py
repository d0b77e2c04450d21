"""Speed, memory and time to the first result of this pipeline, beside Ultralytics and supervision (``make bench``).

One clip, the same weights, every contender in a fresh process, one after the other. For figures worth
quoting nothing else may run on the machine.
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
QUIET = {
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
    # Once unmeasured, so that nobody's first frame pays for files that the system has not read yet.
    alive = [name for name in runnable if measure({**shared, "contender": name, "size": options.sizes[0], "frames": 2})]
    for size in options.sizes:
        task = {**shared, "size": size, "frames": options.frames}
        measured = [{name: measure({**task, "contender": name}) for name in alive} for _ in range(options.runs)]
        alive = [name for name in alive if all(run[name] for run in measured)]
        print(f"\nimage size {size}")
        show({name: middle([run[name] for run in measured]) for name in alive}, label["truth"])
    return 0 if alive == runnable else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    weights = Path(os.environ.get("SMARTPARK_DETECTOR_MODELS_DIR", PROJECT / "models")) / "yolo11n.onnx"
    clips = Path(os.environ.get("SMARTPARK_CLIPS", PROJECT.parent / "shared" / "clips"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", default="suburb_road", help="name of a labelled clip (default: %(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[640, 320], help="image sizes (default: 640 320)")
    parser.add_argument("--frames", type=int, default=1_000_000, help="only so many frames (default: all)")
    parser.add_argument("--runs", type=int, default=1, help="runs of each, shown is the middle one (default: 1)")
    parser.add_argument("--weights", type=Path, default=weights, help="an ONNX file (default: %(default)s)")
    parser.add_argument("--clips", type=Path, default=clips, help="folder of clips (default: %(default)s)")
    options = parser.parse_args()
    if options.frames < 2 or options.runs < 1:
        parser.error("--frames takes 2 or more, --runs 1 or more")
    return options


def missing(contender: str) -> list[str]:
    """The packages that a contender needs and this environment has not."""
    return [package for package in CONTENDERS[contender][1] if importlib.util.find_spec(package) is None]


def torchvision_fits() -> bool:
    """Whether the installed torchvision can be imported; one built for a GPU cannot where torch was built for none."""
    command = [sys.executable, "-c", "import torchvision"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def measure(task: dict[str, Any]) -> dict[str, Any]:
    """The figures of one contender; none, with the end of what it said, when it failed."""
    name = CONTENDERS[task["contender"]][0]
    if sys.stderr.isatty():
        print(f"  ... {name} at {task['size']}", end="\r", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder:
        result = Path(folder) / "figures.json"
        environment = os.environ | QUIET | {"YOLO_CONFIG_DIR": folder}
        task = task | {"result": str(result), "started": time.monotonic()}
        command = [sys.executable, str(Path(__file__).parent / "contenders.py"), json.dumps(task)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            figures: dict[str, Any] = json.loads(result.read_text())
            return figures
    print(f"{name} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
    return {}


def middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of every figure; what is no figure comes from the last run."""
    figures = dict(runs[-1])
    for key in ("milliseconds", "cpu", "peak", "resident", "first"):
        figures[key] = statistics.median(run[key] for run in runs)
    figures["fps"] = 1000 / figures["milliseconds"]
    # The stages of one run, so that they add up: of the one nearest to the middle.
    nearest = min(runs, key=lambda run: abs(run["milliseconds"] - figures["milliseconds"]))
    return figures | {"stages": nearest["stages"], "stages_of": nearest["milliseconds"]}


def show(rows: dict[str, dict[str, Any]], truth: dict[str, list[float]]) -> None:
    """The table, the ratios to the yardstick, and where the time of our own frames goes."""
    if not rows:
        return
    print(f"{'':26}" + "".join(f"{title:>10}" for _, title, _ in COLUMNS) + f"{'in':>5}{'out':>5}")
    for name, row in rows.items():
        cells = "".join(f"{row[key]:10.{digits}f}" for key, _, digits in COLUMNS)
        print(f"{CONTENDERS[name][0]:26}{cells}{row['entry']:5}{row['exit']:5}")
    until = min(row["until"] for row in rows.values())
    seen = {way: sum(at <= until for at in truth[way]) for way in ("entries", "exits", "uncertain")}
    doubtful = f" (and {seen['uncertain']} that may count or not)" if seen["uncertain"] else ""
    heading = f"label, first {until:.1f} s"
    print(f"{heading:26}{'':{10 * len(COLUMNS)}}{seen['entries']:5}{seen['exits']:5}{doubtful}")
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
