"""What each mechanism brings: the labelled clips and the simulated scenes, with one after the other switched off.

``make ablation``. The model looks once, into recordings; after that only tracking and counting run. Errors are missed
and extra events together.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from edge.config.schema import MechanismsConfig

PROJECT = Path(__file__).parent.parent.parent
SCENES = PROJECT / "tests" / "evaluation" / "scenes"


def main() -> int:
    """Measure and print; 0 when every evaluation ran to its end."""
    clips = Path(os.environ.get("SMARTPARK_CLIPS", PROJECT.parent / "shared" / "clips"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=clips, help="folder of labelled clips (default: %(default)s)")
    parser.add_argument("--recordings", type=Path, help="a folder to keep the recordings in, or to take them from")
    options = parser.parse_args()
    labels = sorted(options.clips.glob("*.toml"))
    if not labels:
        print(f"{options.clips}: no labelled clips; set SMARTPARK_CLIPS to their folder", file=sys.stderr)
        return 2
    # By the name of the recordings' folder: labels and rate.
    runs = {
        "clips-all": (labels, None),
        "clips-10": (labels, 10),
        "clips-5": (labels, 5),
        "scenes-5": (sorted(SCENES.glob("*.toml")), 5),
    }
    with tempfile.TemporaryDirectory(prefix="smartpark-ablation-") as temporary:
        folder = options.recordings or Path(temporary)
        shown = [f"{'switched off':20}", *(f"{name:>14}" for name in runs)]
        print("".join(shown))
        for mechanism in ("", *MechanismsConfig.model_fields):
            row = f"{mechanism or '(nothing)':20}"
            for name, (files, rate) in runs.items():
                row += f"{errors(files, rate, folder / name, mechanism):>14}"
                print(f"\r{row}", end="", flush=True)
            print(flush=True)
    return 0


def errors(labels: list[Path], rate: int | None, recordings: Path, mechanism: str) -> str:
    """Errors of crossings, as ``3 of 85``."""
    known = all((recordings / f"{label.stem}.jsonl.gz").exists() for label in labels)
    command = [sys.executable, "-m", "edge", "evaluate", *map(str, labels), "--json", "--jobs", "2"]
    command += ["--detections" if known else "--record", str(recordings)]
    command += ["--fps", str(rate)] if rate is not None else []
    command += ["--without", mechanism] if mechanism else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    total = json.loads(done.stdout)["total"]
    return f"{total['missed'] + total['extra']} of {total['truth']}"


if __name__ == "__main__":
    sys.exit(main())
