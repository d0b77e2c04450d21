"""What the checks of pictures find on the labelled clips, how soon, and what they cost.

``make bench-pictures``. First the cost of a frame of 1920 x 1080 at 10 a second. Then a row for each clip: the false
alarms in all of its frames and under rain, dusk and others (none is right), and how many seconds after its beginning
each fault was noticed; ``-`` where it was not.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from support.faulty_pictures import (
    EXPECTED,
    NUISANCES,
    START,
    Faults,
    Nuisances,
    begun,
    clip_pictures,
    damaged_clip,
    new_watch,
    repeated,
    watch_pictures,
)

from edge.core.frames import Frame
from edge.host.logs import set_up_logging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.frames import Image

# The fault begins after the reference was learned for so many seconds.
BEGINS = 40.0
FOLLOWED = 40.0
DAMAGED = ((0.1, "drop"), (0.3, "drop"), (0.1, "flip"), (0.3, "flip"))


def delay(pictures: Sequence[tuple[float, Image]], fault: str) -> float | None:
    """How long after its beginning a fault begins its state; None if it never does."""
    damaged = repeated(pictures, BEGINS + FOLLOWED, getattr(Faults(), fault), begins=BEGINS)
    for change in watch_pictures(damaged):
        if change.begins and change.code == EXPECTED[fault]:
            return change.noticed - BEGINS
    return None


def corruption_delay(path: Path, pictures: Sequence[tuple[float, Image]], share: float, kind: str) -> float | None:
    """How long after the first damaged packet the pictures alone show that they are corrupt."""
    before = list(repeated(pictures, BEGINS))
    after = [(BEGINS + at, image) for at, image in damaged_clip(path, share, kind, FOLLOWED)]
    found = [change for change in watch_pictures(before + after) if change.begins and change.code == "corrupt"]
    return found[0].noticed - BEGINS if found else None


def false_alarms(path: Path, pictures: Sequence[tuple[float, Image]]) -> list[str]:
    """The states that begin in all frames of the clip, and under each nuisance, where none should."""
    found = [f"clip: {code}" for code in begun(watch_pictures(clip_pictures(path, every=0.0)))]
    for nuisance in NUISANCES:
        changed = repeated(pictures, 150.0, getattr(Nuisances(), nuisance), begins=30.0)
        found += [f"{nuisance}: {code}" for code in begun(watch_pictures(changed))]
    return found


def milliseconds(image: Image, rate: float, frames: int = 300) -> float:
    """CPU time of the checks for each frame, with the noise of a sensor in each."""
    large = cv2.resize(image, (1920, 1080), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    noise = np.random.default_rng(1).integers(-4, 5, (1200, 2000, 3), dtype=np.int16)
    images = [
        np.clip(large + noise[n : n + 1080, 3 * n : 3 * n + 1920], 0, 255).astype(np.uint8) for n in range(0, 20, 2)
    ]
    watch = new_watch()
    given = [
        Frame(images[number % len(images)], START + timedelta(seconds=number / rate), number / rate, number)
        for number in range(frames)
    ]
    started = time.process_time()
    for frame in given:
        watch.add(frame)
    return 1000 * (time.process_time() - started) / frames


def main() -> int:
    """Measure and print; 1 when there was a false alarm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("SMARTPARK_CLIPS", "../shared/clips"))
    parser.add_argument("--clips", type=Path, default=default, help="labelled clips (default: %(default)s)")
    options = parser.parse_args()
    paths = sorted(options.clips.glob("*.mp4"))
    if not paths:
        print(f"{options.clips}: no clips; set SMARTPARK_CLIPS to their folder", file=sys.stderr)
        return 2
    set_up_logging("error")  # the states that are provoked are no news
    cv2.setNumThreads(1)
    first = clip_pictures(paths[0], seconds=5)[-1][1]
    for rate in (10.0, 25.0):
        print(f"{milliseconds(first, rate):.2f} ms of CPU a frame of 1920 x 1080 at {rate:g} a second")
    columns = [*EXPECTED, *(f"{kind} {share:.0%}" for share, kind in DAMAGED)]
    print("\n" + f"{'seconds until noticed':22}" + "".join(f"{column:>12}" for column in columns) + "  false alarms")
    alarms = 0
    for path in paths:
        pictures = clip_pictures(path, seconds=30)
        delays = [delay(pictures, fault) for fault in EXPECTED]
        delays += [corruption_delay(path, pictures, share, kind) for share, kind in DAMAGED]
        found = false_alarms(path, pictures)
        alarms += len(found)
        cells = "".join(f"{'-' if each is None else f'{each:.1f}':>12}" for each in delays)
        print(f"{path.stem:22}{cells}  {', '.join(found) or 'none'}", flush=True)
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
