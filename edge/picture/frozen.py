"""Says since when a camera's picture has not changed by a single pixel, and whether that means that it is frozen.

Nothing moves in an empty car park, but a sensor has noise: two of its pictures differ, unless the camera's encoder
leaves the noise out and repeats blocks of the last picture. Even so its next key frame is coded anew, and differs.
Equality over more time than there is between two key frames is therefore a fault of camera, encoder or decoder. A
camera of which large parts stay exactly equal while something else moves has shown that its pictures have no noise; for
it the time is ten times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.frames import Image

_TIMES_FOR_NO_NOISE = 10
# A camera has no noise when this share of its rows stays equal while others change, in the mean over the last looks.
_EQUAL_SHARE = 0.5
_LOOKS = 20


class UnchangedPicture:
    """Compares each picture with the one before."""

    def __init__(self, seconds: float) -> None:
        """``seconds`` is how long a picture may be repeated."""
        self._seconds = seconds
        self._last: Image | None = None
        self._equal_share = 0.0  # of the rows, while others change
        self.since: float | None = None  # when the picture was seen first that is repeated

    def update(self, rows: Image, at: float) -> bool:
        """Look at rows of the picture of time ``at`` (seconds); returns whether it is frozen, since ``since``."""
        last, self._last = self._last, rows
        if last is None or last.shape != rows.shape:
            self.since = at
            return False
        equal = (last == rows).all(axis=1)
        if not equal.all():
            self._equal_share += (float(equal.mean()) - self._equal_share) / _LOOKS
            self.since = at
            return False
        if self.since is None:
            self.since = at
        return at - self.since >= self.limit

    def restart(self) -> None:
        """Forget the last picture, because the camera was away."""
        self._last, self.since = None, None

    @property
    def limit(self) -> float:
        """For how many seconds this camera may repeat a picture."""
        return self._seconds * (_TIMES_FOR_NO_NOISE if self._equal_share >= _EQUAL_SHARE else 1)
