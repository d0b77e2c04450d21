"""Makes the checks of a picture: which conditions are seen in it, against fixed limits and the learned reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.picture.artefacts import find_artefacts
from edge.picture.frozen import RepeatedPictures
from edge.picture.movement import measure_shift
from edge.picture.states import PictureCode
from edge.picture.structure import lost_share, measure_structure, relative_level, relative_sharpness

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.config.picture import PictureConfig
    from edge.picture.artefacts import Artefacts
    from edge.picture.reference import SceneReference
    from edge.picture.structure import Structure
    from edge.picture.thumbnail import Thumbnail

# To measure a shift costs more than all other checks, and a camera is seldom bumped.
SHIFT_SECONDS = 2.0
# A state that lasts ends only when the value is by this share on the good side of its limit, or it would come and go.
MARGIN = 0.2
# A cell has lost its structure when only this share of it is left, and a covered picture has nowhere more structure
# than so many grey levels: a hand, a cloth, a spider's web out of focus. Before the reference is known only an even
# grey is taken for a cover: an empty yard from above has a structure of 1.1 by day, and of 0.4 in weak light.
_LEFT_OF_STRUCTURE, _MOST_STRUCTURE, _MOST_WITHOUT_REFERENCE = 0.35, 6.0, 0.25
# A stream of a low quality shows its blocks always, and as its quality changes by this share more or less.
_BLOCKS_OF_USUAL = 0.8
# Parts of the picture above those that are usual: green ones, and flat rows.
_GREEN_ABOVE_USUAL, _FLAT_ABOVE_USUAL = 0.05, 0.15


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: whether its condition is seen (None: it cannot be said now), and the measured value."""

    seen: bool | None
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """A picture and what was measured in it."""

    thumbnail: Thumbnail
    structure: Structure
    artefacts: Artefacts


Findings = dict[PictureCode, Finding]
_UNKNOWN = Finding(None)


class PictureChecks:
    """The checks of one camera, and what they remember: the reference and the last picture."""

    def __init__(self, config: PictureConfig, reference: SceneReference, *, frozen: bool) -> None:
        """Without ``frozen`` a picture may be repeated for ever: drawn pictures have no noise."""
        self.reference = reference
        self._config = config
        self._repeated = RepeatedPictures(config.frozen_seconds) if frozen else None
        self._shift_at: float | None = None

    @property
    def repeated_since(self) -> float | None:
        """When the pictures were seen first that are repeated now (seconds, as ``Frame.monotonic``)."""
        return None if self._repeated is None else self._repeated.since

    def restart(self) -> None:
        """Forget the last picture, because the camera was away."""
        if self._repeated is not None:
            self._repeated.restart()

    def look(
        self, thumbnail: Thumbnail, at: float, lasting: Collection[PictureCode], corrupt_share: float
    ) -> tuple[Measured, Findings]:
        """Check the picture of time ``at`` (seconds); ``lasting`` are the codes of the states that last now.

        ``corrupt_share`` is as in ``SourceStatus``.
        """
        measured = Measured(thumbnail, measure_structure(thumbnail), find_artefacts(thumbnail))
        repeated = self._repeated is not None and self._repeated.update(thumbnail.rows, at)
        found = self._find_exposure(thumbnail, lasting)
        # What a check finds hides what the checks after it look at.
        seen = _any_seen(found)
        found[PictureCode.COVERED] = _UNKNOWN if seen else self._find_cover(measured.structure, lasting)
        seen = _any_seen(found)
        since = at if self.repeated_since is None else self.repeated_since
        found[PictureCode.FROZEN] = _UNKNOWN if seen else Finding(repeated, at - since)
        found[PictureCode.CORRUPT] = (
            _UNKNOWN if seen else self._find_corruption(measured.artefacts, lasting, corrupt_share)
        )
        seen = _any_seen(found)
        found[PictureCode.BLURRED] = _UNKNOWN if seen else self._find_blur(measured.structure, lasting)
        if self._shift_at is None or at - self._shift_at >= SHIFT_SECONDS:
            self._shift_at = at
            found |= _NO_SHIFT_KNOWN if seen else self._find_shift(thumbnail, lasting)
        return measured, found

    def learn(self, measured: Measured, seconds: float) -> None:
        """Let the reference learn a picture in which all is well, and that stands for ``seconds``."""
        self.reference.learn(measured.thumbnail.edges, measured.structure, measured.artefacts, seconds)

    def _find_exposure(self, thumbnail: Thumbnail, lasting: Collection[PictureCode]) -> Findings:
        level, white = thumbnail.bright_level, thumbnail.white_share
        dark = level < self._limit(PictureCode.DARK, self._config.dark_level, lasting, above=False)
        washed_out = white > self._limit(PictureCode.WASHED_OUT, self._config.washed_out_share, lasting)
        return {
            PictureCode.DARK: Finding(dark, level),
            PictureCode.WASHED_OUT: Finding(washed_out, white),
        }

    def _find_cover(self, structure: Structure, lasting: Collection[PictureCode]) -> Finding:
        reference = self.reference
        if not reference.known:
            return Finding(structure.strongest < _MOST_WITHOUT_REFERENCE, 1.0)
        lost = lost_share(structure, reference.structure, reference.lasting_cells, _LEFT_OF_STRUCTURE)
        if lost is None:
            return _UNKNOWN
        limit = self._limit(PictureCode.COVERED, self._config.covered_share, lasting)
        most = _MOST_STRUCTURE * relative_level(structure, reference.structure)
        return Finding(lost >= limit and structure.strongest < most, lost)

    def _find_corruption(self, artefacts: Artefacts, lasting: Collection[PictureCode], corrupt_share: float) -> Finding:
        if corrupt_share >= self._limit(PictureCode.CORRUPT, self._config.corrupt_share, lasting):
            return Finding(True, corrupt_share)
        if not self.reference.known:
            return _UNKNOWN  # a low quality shows the codec's blocks too
        blocks, green, flat = self.reference.artefacts
        above_usual = max(self._config.artefact_share, _BLOCKS_OF_USUAL * float(blocks))
        seen = (
            artefacts.blocks - blocks >= self._limit(PictureCode.CORRUPT, above_usual, lasting)
            or artefacts.green - green >= _GREEN_ABOVE_USUAL
            or artefacts.flat - flat >= _FLAT_ABOVE_USUAL
        )
        return Finding(bool(seen), corrupt_share)

    def _find_blur(self, structure: Structure, lasting: Collection[PictureCode]) -> Finding:
        reference = self.reference
        if not reference.known:
            return _UNKNOWN
        sharpness = relative_sharpness(structure, reference.structure, reference.lasting_cells)
        if sharpness is None:
            return _UNKNOWN
        limit = self._limit(PictureCode.BLURRED, self._config.blurred_share, lasting, above=False)
        return Finding(sharpness < limit, sharpness)

    def _find_shift(self, thumbnail: Thumbnail, lasting: Collection[PictureCode]) -> Findings:
        edges = thumbnail.edges
        if not (self.reference.known and self.reference.fits(edges)):
            return _NO_SHIFT_KNOWN
        shift = measure_shift(self.reference.edges, edges)
        if not shift.checkable:
            return _NO_SHIFT_KNOWN
        if shift.share is None:
            return {**_NO_SHIFT_KNOWN, PictureCode.OTHER_SCENE: Finding(True)}
        moved = shift.share >= self._limit(PictureCode.MOVED, self._config.moved_share, lasting)
        turned = shift.share >= self._limit(PictureCode.TURNED_AWAY, self._config.turned_share, lasting)
        return {
            PictureCode.OTHER_SCENE: Finding(False),
            PictureCode.TURNED_AWAY: Finding(turned, shift.share),
            PictureCode.MOVED: Finding(moved and not turned, shift.share),
        }

    def _limit(self, code: PictureCode, limit: float, lasting: Collection[PictureCode], *, above: bool = True) -> float:
        """The limit that begins a state, or if it lasts that ends it."""
        if code not in lasting:
            return limit
        return limit * (1 - MARGIN) if above else limit * (1 + MARGIN)


_NO_SHIFT_KNOWN = dict.fromkeys((PictureCode.OTHER_SCENE, PictureCode.TURNED_AWAY, PictureCode.MOVED), _UNKNOWN)


def _any_seen(found: Findings) -> bool:
    return any(finding.seen for finding in found.values())
