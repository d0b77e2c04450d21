"""``smartpark`` as it is, and a file with the times of the frames that it processed.

Run with the file and the command's arguments. Each line of the file is a frame: its camera, when it was taken and when
it had been processed (monotonic seconds, the clock of all processes).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from edge.cli import main
from edge.daemon.camera_worker import CameraWorker

if __name__ == "__main__":
    note_frame = CameraWorker._note_frame
    frames = Path(sys.argv.pop(1)).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 - open to the end

    def note_and_write(worker: CameraWorker, at: float) -> None:
        """Note the frame, and write its line."""
        note_frame(worker, at)
        frames.write(f"{worker.camera.id} {at:.3f} {time.monotonic():.3f}\n")

    CameraWorker._note_frame = note_and_write  # type: ignore[assignment, method-assign]
    main()
