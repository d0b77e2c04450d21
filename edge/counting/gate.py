"""Turns one camera's tracks into the crossings of one gate.

``crossing_paths.py`` finds when a track crosses the line, the room ``decision`` which of these line crossings count.
The gate feeds both with each frame's tracks and keeps a verdict, with its reason, for every crossing and for every
track that ends without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.tracks import Reason, TrackState, Verdict
from edge.counting.crossing_paths import CrossingPaths
from edge.counting.decision.decisions import CrossingDecisions
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.config.schema import CountingConfig, GateConfig, MechanismsConfig
    from edge.core.events import Crossing
    from edge.core.tracks import Track
    from edge.counting.parameters import CountingParameters


class Gate:
    """One gate of one camera. It uses no clock and no I/O.

    Its memory is one small record per living track, and one per crossing of the last seconds.
    """

    def __init__(
        self,
        config: GateConfig,
        counting: CountingConfig,
        mechanisms: MechanismsConfig,
        parameters: CountingParameters = DEFAULT_COUNTING,
    ) -> None:
        self._id = config.id
        self._at = 0.0
        self._paths = CrossingPaths(config, unseen_crossing=mechanisms.unseen_crossing, parameters=parameters)
        self._decisions = CrossingDecisions(config.id, self._paths, counting, mechanisms, parameters)
        self._verdicts: list[Verdict] = []

    @property
    def remembered(self) -> int:
        """How many tracks and crossings the gate holds in memory."""
        return len(self._paths) + len(self._decisions)

    @property
    def has_undecided(self) -> bool:
        """Whether a crossing waits for its decision."""
        return self._decisions.has_undecided

    def verdicts(self) -> list[Verdict]:
        """The verdicts since the last call, in order: on every line crossing, and on every track without one."""
        verdicts, self._verdicts = self._verdicts, []
        return verdicts

    def update(self, tracks: Sequence[Track], frame_size: tuple[int, int], at: float) -> list[Crossing]:
        """The crossings that were decided with the frame taken at ``at`` (seconds), oldest first.

        ``tracks`` are all of the frame's tracks, ended ones included, in pixels of a frame of ``frame_size`` (width,
        height). Only confirmed tracks cross; what they did before they were confirmed counts once they are.
        """
        self._at = at
        self._paths.begin_frame(frame_size, at)
        living = [track for track in tracks if track.state is not TrackState.ENDED]
        ended = [track for track in tracks if track.state is TrackState.ENDED]
        for track in ended:
            if track.merged_into:
                self._paths.continue_with(track)
        found = [track for track in living if track.followed]
        line_crossings = [(track, crossing) for track in found for crossing in self._paths.add(track, living, at)]
        self._decisions.update_tracks(found, at)
        for track, line_crossing in line_crossings:
            self._decisions.add(track, line_crossing, at)
        decided = self._decisions.decide_due(tracks, at)
        self._verdicts += decided
        for track in ended:
            self._end(track, at)
        self._decisions.forget_old(at)
        return _counted(decided)

    def finish(self) -> list[Crossing]:
        """Decide the crossings that still wait: there will be no more frames, or none for long."""
        decided = self._decisions.decide_all(self._at)
        self._verdicts += decided
        return _counted(decided)

    def _end(self, track: Track, at: float) -> None:
        """Forget a track that ended; where it made no crossing, say why."""
        path = self._paths.end(track.track_id)
        if track.merged_into or self._decisions.has_crossing_of(track.track_id):
            return
        if track.past is None or (path is not None and path.is_empty):
            reason = Reason.NOT_CONFIRMED
        else:
            # A long gap clears all paths: nothing is known of this track's then.
            reason = path.why_not_crossed if path is not None else Reason.NOT_CROSSED
        self._verdicts.append(Verdict(track.track_id, self._id, at, reason))


def _counted(verdicts: Iterable[Verdict]) -> list[Crossing]:
    crossings = [verdict.crossing for verdict in verdicts if verdict.counted and verdict.crossing is not None]
    return sorted(crossings, key=lambda crossing: crossing.at)
