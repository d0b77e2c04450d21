"""Watches a camera's frames and says in which states the camera is, each with its beginning."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.picture.checks import MARGIN, Finding, PictureChecks
from edge.picture.delivery import Delivery
from edge.picture.hysteresis import LONGEST_STEP_SECONDS, Hysteresis
from edge.picture.reference import SceneReference
from edge.picture.states import PictureCode, PictureState, state_text
from edge.picture.thumbnail import make_thumbnail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from edge.config.picture import PictureConfig
    from edge.config.schema import CameraConfig
    from edge.core.frames import Frame
    from edge.picture.reference_file import ReferenceFile

log = logging.getLogger(__name__)

# So often a picture is looked at: the beginning of a state is known to as much.
LOOK_SECONDS = 0.8
# For how many seconds a condition must be seen before it is a state, where it is not the configuration's begin_seconds.
# A blur may be a gust of rain, a shift one of wind or a passing lorry, too few frames one long key frame.
_BEGIN_SECONDS = {
    PictureCode.FROZEN: 0.0,  # its check counts the seconds itself
    PictureCode.BLURRED: 10.0,
    PictureCode.MOVED: 10.0,
    PictureCode.TURNED_AWAY: 10.0,
    # Light that is switched on or off changes edges too, and a lorry may stand so that nothing else is seen.
    PictureCode.OTHER_SCENE: 120.0,
    PictureCode.TOO_FEW_FRAMES: 10.0,
    PictureCode.FEWER_FRAMES: 10.0,
}
# A reference that is young and does not fit for so long is learned anew: it may be that of what stood there at first.
_YOUNG_SECONDS = 20.0
# And after so long if what it shows is gone: a lorry that was learned in front of an empty yard has left.
_YOUNG_COVER_SECONDS = 60.0
_AGAINST_THE_REFERENCE = (PictureCode.OTHER_SCENE, PictureCode.TURNED_AWAY, PictureCode.MOVED)
_OF_THE_DELIVERY = (PictureCode.TOO_FEW_FRAMES, PictureCode.FEWER_FRAMES, PictureCode.OLD_FRAMES)
_ORDER = list(PictureCode)


class PictureWatch:
    """The states of one camera. One thread gives it frames; any may read ``states``."""

    def __init__(
        self,
        camera: CameraConfig,
        config: PictureConfig,
        *,
        least_rate: float,
        file: ReferenceFile | None = None,
    ) -> None:
        """Below ``least_rate`` frames a second the camera cannot be counted. The reference is kept in ``file``.

        A drawn camera (``sim:``) is never frozen: nothing moves in an empty scene that has no noise.
        """
        self.states: tuple[PictureState, ...] = ()
        self.usable_since: float | None = None  # when the last state ended that made it blind, as ``Frame.monotonic``
        self._camera = camera
        self._config = config
        self._least_rate = least_rate
        self._file = file
        self._frozen = not camera.source.startswith("sim:")
        self._checks = PictureChecks(config, SceneReference.empty(), frozen=self._frozen)
        self._delivery = Delivery()
        self._memory = {
            code: Hysteresis(_BEGIN_SECONDS.get(code, config.begin_seconds), config.end_seconds) for code in PictureCode
        }
        self._looked_at: float | None = None
        self._frame: tuple[float, datetime] | None = None  # both times of the last frame

    def start(self) -> None:
        """Read the reference that was kept."""
        if self._file is not None and (kept := self._file.read()) is not None:
            self._checks.reference = kept

    def close(self) -> None:
        """Keep the reference."""
        if self._file is not None and self._checks.reference.known:
            self._file.write(self._checks.reference)

    def add(self, frame: Frame, now: float | None = None, corrupt_share: float = 0.0) -> None:
        """Take a frame that is about to be processed. Frames come in the order of their time.

        ``now`` is the time on the frames' clock, None for a recording; ``corrupt_share`` is as in ``SourceStatus``.
        """
        if not self._config.enabled:
            return
        at = frame.monotonic
        self._frame = at, frame.captured_at
        self._delivery.add(at, now)
        if self._looked_at is not None and at - self._looked_at < LOOK_SECONDS:
            return
        step = LOOK_SECONDS if self._looked_at is None else min(at - self._looked_at, LONGEST_STEP_SECONDS)
        self._looked_at = at
        self._renew_reference()
        thumbnail = make_thumbnail(frame.image)
        if self._checks.reference.known and not self._checks.reference.fits(thumbnail.edges):
            log.info("picture's reference is learned anew camera=%s reason=%s", self._camera.id, "another shape")
            self._forget_reference()
        lasting = {state.code for state in self.states}
        measured, found = self._checks.look(thumbnail, at, lasting, corrupt_share)
        self._update(found, at)
        self._update(self._delivery_findings(at), at)
        if not any(
            self._memory[code].pending or self._memory[code].since is not None
            for code in PictureCode
            if code not in _OF_THE_DELIVERY
        ):
            self._checks.learn(measured, step)
            if self._file is not None and self._checks.reference.known:
                self._file.write_now_and_then(self._checks.reference, at)

    def silence(self, now: float) -> None:
        """Note that no frame came up to ``now``, from a live camera that is not known to be down."""
        if self._config.enabled and self._frame is not None:
            self._update(self._delivery_findings(now), now)

    def away(self) -> None:
        """Note that the camera is down: how fast its frames came before says nothing any more."""
        self._delivery.restart()
        self._checks.restart()
        for code in _OF_THE_DELIVERY:
            self._end(code)
            self._memory[code].forget()

    def _delivery_findings(self, now: float) -> dict[PictureCode, Finding]:
        rate, camera, config = self._delivery.rate(now), self._camera, self._config
        age = self._delivery.age
        too_old = age >= config.lag_seconds * self._ease(PictureCode.OLD_FRAMES, -MARGIN)
        if rate is None:
            few, fewer = Finding(None), Finding(None)
        else:
            few = Finding(rate < self._least_rate * self._ease(PictureCode.TOO_FEW_FRAMES, MARGIN), rate)
            enough = (camera.fps or 0.0) * config.fps_share * self._ease(PictureCode.FEWER_FRAMES, MARGIN)
            fewer = Finding(rate < enough and not few.seen, rate)
        return {
            PictureCode.TOO_FEW_FRAMES: few,
            PictureCode.FEWER_FRAMES: fewer,
            PictureCode.OLD_FRAMES: Finding(too_old, age),
        }

    def _ease(self, code: PictureCode, share: float) -> float:
        """A factor for the limit of ``code``: a state that lasts ends only clearly on the good side of its limit."""
        return 1 + share if self._memory[code].since is not None else 1.0

    def _renew_reference(self) -> None:
        """Learn the reference anew when people have accepted the picture, or when it does not fit for long enough."""
        at, hours = self._looked_at or 0.0, self._config.relearn_hours
        accepted = self._file is not None and self._file.removed(at)
        since = [began for code in _AGAINST_THE_REFERENCE if (began := self._memory[code].since) is not None]
        too_old = hours > 0 and any(at - began >= 3600 * hours for began in since)
        if accepted or too_old:
            log.warning(
                "picture's reference is learned anew camera=%s reason=%s",
                *(self._camera.id, "accepted" if accepted else f"another scene for {hours:g} hours"),
            )
            self._forget_reference()

    def _forget_reference(self) -> None:
        self._checks.reference = SceneReference.empty()
        for code in (*_AGAINST_THE_REFERENCE, PictureCode.COVERED):
            self._end(code)
            self._memory[code].forget()

    def _update(self, found: Mapping[PictureCode, Finding], at: float) -> None:
        """Take what was found at time ``at`` into the states."""
        for code, finding in found.items():
            memory = self._memory[code]
            began = self._checks.repeated_since if code is PictureCode.FROZEN else None
            if not memory.update(finding.seen, at, began):
                self._end(code)
            elif finding.seen:
                self._begin_or_renew(code, finding)
        covered = self._memory[PictureCode.COVERED].since
        if self._checks.reference.young and (
            self._memory[PictureCode.OTHER_SCENE].pending_seconds >= _YOUNG_SECONDS
            or (self._checks.reference.known and covered is not None and at - covered >= _YOUNG_COVER_SECONDS)
        ):
            log.info("picture's reference is learned anew camera=%s reason=%s", self._camera.id, "it was young")
            self._forget_reference()

    def _begin_or_renew(self, code: PictureCode, finding: Finding) -> None:
        limit = self._least_rate if code is PictureCode.TOO_FEW_FRAMES else self._camera.fps or 0.0
        text = state_text(code, self._camera.id, finding.value, limit)
        known = next((state for state in self.states if state.code is code), None)
        if known is not None:
            self.states = tuple(replace(state, text=text) if state is known else state for state in self.states)
            return
        assert self._frame is not None, "a finding comes after a frame"
        at, captured_at = self._frame
        began = self._memory[code].since or 0.0
        state = PictureState(code, captured_at + timedelta(seconds=began - at), began, text)
        self.states = tuple(sorted((*self.states, state), key=lambda each: _ORDER.index(each.code)))
        log.warning(
            "picture state begins camera=%s state=%s blind=%s since=%s: %s",
            *(self._camera.id, code, "yes" if state.blind else "no", state.since.isoformat(timespec="seconds"), text),
        )

    def _end(self, code: PictureCode) -> None:
        self._memory[code].end()
        known = next((state for state in self.states if state.code is code), None)
        if known is not None:
            self.states = tuple(state for state in self.states if state is not known)
            over_at = self._memory[code].until or known.since_monotonic
            if known.blind:
                self.usable_since = over_at
            seconds = over_at - known.since_monotonic
            log.info("picture state is over camera=%s state=%s seconds=%.1f", self._camera.id, code, seconds)
