"""Learns what a camera usually shows while all is well, so that its pictures can be compared with it.

The reference follows slow changes of light and weather: it is a mean in which a look weighs less the older it is. It
is updated only while the camera is in no state and none is pending, so a bump, a hand or a blur never becomes a part of
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.picture.structure import CELLS, Structure

if TYPE_CHECKING:
    from edge.picture.artefacts import Artefacts
    from edge.picture.thumbnail import Map

# A reference is used after so many seconds of learning: traffic that passes has become weak in the mean by then.
LEARN_SECONDS = 10.0
# A look of so many seconds ago weighs about a third of a new one. Dusk takes longer, and a parked vehicle belongs to
# the scene after about as long.
MEMORY_SECONDS = 600.0
# A reference that is younger may have been learned while a lorry stood in front of the camera. A scene that it does not
# show is learned anew instead of being reported.
YOUNG_SECONDS = 120.0
# A cell has structure of its own, not that of traffic, when it had it for this share of the time.
_LASTING_SHARE = 0.8


@dataclass(slots=True)
class SceneReference:
    """The means over what a camera showed: of the edges, the structure, and the traces that look like artefacts.

    ``seconds`` is for how long it was learned; ``edges`` is empty before the first look.
    """

    edges: Map
    structure: Structure
    present: Map
    artefacts: np.ndarray
    seconds: float = 0.0

    @classmethod
    def empty(cls) -> SceneReference:
        """A reference of nothing."""
        columns, rows = CELLS
        coarse, fine, present = np.zeros((3, rows, columns), np.float32)
        return cls(np.zeros((0, 0), np.float32), Structure(coarse, fine, 0.0), present, np.zeros(3))

    @property
    def known(self) -> bool:
        """Whether it was learned for long enough to be compared with."""
        return self.seconds >= LEARN_SECONDS

    @property
    def young(self) -> bool:
        """Whether what it shows may still be something that stood in front of the camera."""
        return self.seconds < YOUNG_SECONDS

    @property
    def lasting_cells(self) -> Map:
        """1 for each cell whose structure is the scene's own, else 0."""
        return (self.present >= _LASTING_SHARE).astype(np.float32)

    def fits(self, edges: Map) -> bool:
        """Whether a picture of this size can be compared with it."""
        return self.edges.shape == edges.shape

    def learn(self, edges: Map, structure: Structure, artefacts: Artefacts, seconds: float) -> None:
        """Add a picture that stands for ``seconds``. A picture of another shape begins the reference anew."""
        if not self.fits(edges):
            self.edges, self.seconds = np.zeros_like(edges), 0.0
        self.seconds += seconds
        weight = 1.0 if self.seconds <= seconds else seconds / min(self.seconds, MEMORY_SECONDS)
        found = np.array([artefacts.blocks, artefacts.green, artefacts.flat])
        self.edges = _mean(self.edges, edges, weight)
        usual = self.structure
        self.structure = Structure(
            _mean(usual.coarse, structure.coarse, weight),
            _mean(usual.fine, structure.fine, weight),
            usual.level + weight * (structure.level - usual.level),
        )
        self.present = _mean(self.present, structure.present, weight)
        self.artefacts = self.artefacts + weight * (found - self.artefacts)


def _mean(mean: Map, value: Map, weight: float) -> Map:
    cv2.accumulateWeighted(value, mean, weight)
    return mean
