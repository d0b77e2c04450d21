"""Keeps a camera's reference in a file, so that a bump is seen although the daemon was restarted meanwhile.

The file belongs to one address and one set of gates: a technician who draws the gates anew has accepted the picture,
and a reference of before is not read any more. Removing the file (``smartpark cameras accept``) accepts it too.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from edge.picture.reference import SceneReference
from edge.picture.structure import CELLS, Structure

if TYPE_CHECKING:
    from pathlib import Path

    from edge.config.schema import CameraConfig

log = logging.getLogger(__name__)

# The reference changes slowly; after a loss of power the file of so many seconds ago is as good.
_WRITE_SECONDS = 3600.0
# How often the file is looked for.
_LOOK_SECONDS = 5.0


class ReferenceFile:
    """The file of one camera's reference. A file that cannot be read or written is a warning, never an error."""

    def __init__(self, path: Path, camera: CameraConfig) -> None:
        self._path = path
        self._owner = _digest(camera)
        self._written_at: float | None = None
        self._looked_at: float | None = None
        self._there = False  # whether the file was read or written by this process

    def read(self) -> SceneReference | None:
        """The kept reference; None when there is none of this address and these gates."""
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                if str(kept["owner"]) != self._owner:
                    log.info("picture's reference is not used: source or gates have changed file=%s", self._path)
                    return None
                reference = _from_arrays({name: kept[name] for name in kept.files})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            log.warning("picture's reference cannot be read, it is learned anew file=%s error=%s", self._path, error)
            return None
        self._there = True
        return reference

    def write(self, reference: SceneReference) -> None:
        """Replace the file; not after it was removed, which ``removed`` has yet to report.

        It is not synchronised: a slow disk must not hold up the camera, and a damaged file is only learned anew.
        """
        if self._there and not self._path.exists():
            return
        beside = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                np.savez(file, allow_pickle=False, owner=np.array(self._owner), **_to_arrays(reference))
            beside.replace(self._path)
        except OSError as error:
            log.warning("picture's reference cannot be written file=%s error=%s", self._path, error.strerror)
            return
        self._there = True

    def write_now_and_then(self, reference: SceneReference, at: float) -> None:
        """Write the reference if it was not written for long; ``at`` is the time of the frames (seconds)."""
        if self._written_at is None or at - self._written_at >= _WRITE_SECONDS:
            self._written_at = at
            self.write(reference)

    def removed(self, at: float) -> bool:
        """Whether the file has been removed since it was read or written. Says so once."""
        if not self._there or (self._looked_at is not None and at - self._looked_at < _LOOK_SECONDS):
            return False
        self._looked_at = at
        if self._path.exists():
            return False
        self._there, self._written_at = False, None
        return True


def _digest(camera: CameraConfig) -> str:
    """Names the address and the gates of a camera, without its secrets."""
    text = repr((camera.public_source, [(gate.id, gate.line, gate.inside) for gate in camera.gates]))
    return hashlib.sha256(text.encode()).hexdigest()


def _to_arrays(reference: SceneReference) -> dict[str, np.ndarray]:
    return {
        "edges": reference.edges.astype(np.float16),
        "coarse": reference.structure.coarse,
        "fine": reference.structure.fine,
        "level": np.array(reference.structure.level),
        "present": reference.present,
        "artefacts": reference.artefacts,
        "seconds": np.array(reference.seconds),
    }


def _from_arrays(kept: dict[str, np.ndarray]) -> SceneReference:
    """Raises ``ValueError`` for arrays of another shape, ``KeyError`` for a missing array."""
    columns, rows = CELLS
    coarse, fine, present = (kept[name].astype(np.float32) for name in ("coarse", "fine", "present"))
    edges, artefacts = kept["edges"].astype(np.float32), kept["artefacts"].astype(np.float64)
    whole = np.concatenate(
        [each.ravel() for each in (edges, coarse, fine, present, artefacts, kept["level"], kept["seconds"])]
    )
    cells_fit = all(cells.shape == (rows, columns) for cells in (coarse, fine, present))
    if edges.ndim != 2 or artefacts.shape != (3,) or not cells_fit:
        raise ValueError("its arrays have other shapes")
    if not np.isfinite(whole).all():
        raise ValueError("its numbers are not finite")
    return SceneReference(
        edges, Structure(coarse, fine, float(kept["level"])), present, artefacts, float(kept["seconds"])
    )
