"""A gate: what makes crossings of tracks.

``passages.py`` says when a track has passed the line, ``kind.py`` what the track is, ``candidate.py`` which passes are
one vehicle's. Here they meet: a pass is held back for a moment, so that of several tracks on one vehicle the surest
counts; then it counts or does not, and the reason is told.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import TYPE_CHECKING

from edge.core.events import Crossing
from edge.core.tracks import Reason, TrackState, Verdict
from edge.counting.classify import elected, judge
from edge.counting.crossing_paths import Passages
from edge.counting.one_vehicle import Candidate, follows_closely, is_faint_beside, may_be_long, one_vehicle
from edge.counting.parameters import DEFAULT_COUNTING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config.schema import CountingConfig, GateConfig, MechanismsConfig
    from edge.core.tracks import Track
    from edge.counting.classify import Judgement
    from edge.counting.parameters import CountingParameters


class Gate:
    """Turns one camera's tracks into crossings of one line. Pure: no clock, no I/O.

    Its memory is one small record per living track, and one per pass of the last seconds.
    """

    def __init__(
        self,
        config: GateConfig,
        counting: CountingConfig,
        mechanisms: MechanismsConfig,
        parameters: CountingParameters = DEFAULT_COUNTING,
    ) -> None:
        self._config, self._counting, self._mechanisms = config, counting, mechanisms
        self._parameters = parameters
        self._size = (1, 1)
        self._at = 0.0
        self._passages = Passages(config, unseen_crossing=mechanisms.unseen_crossing, parameters=parameters)
        self._candidates: list[Candidate] = []
        self._verdicts: list[Verdict] = []
        # The best confidence of each vehicle that was counted.
        self._confidences: deque[float] = deque(maxlen=parameters.classification.usual_of)

    @property
    def remembered(self) -> int:
        """How many tracks and passes the gate holds in memory."""
        return len(self._passages) + len(self._candidates)

    def verdicts(self) -> list[Verdict]:
        """What was decided since the last call, in order: every pass, and every track that ended without one."""
        told, self._verdicts = self._verdicts, []
        return told

    def update(self, tracks: Sequence[Track], frame_size: tuple[int, int], at: float) -> list[Crossing]:
        """The crossings that were decided with the frame taken at ``at``, oldest first.

        ``tracks`` are all of the frame's tracks, ended ones included, in pixels of a frame of ``frame_size`` (width,
        height). Only confirmed tracks cross; what they did before they were confirmed counts once they are.
        """
        self._size, self._at = frame_size, at
        self._passages.begin(frame_size, at)
        living = [track for track in tracks if track.state is not TrackState.ENDED]
        ended = [track for track in tracks if track.state is TrackState.ENDED]
        for track in ended:
            if track.merged_into:
                self._passages.go_on(track)
        passed = [(track, one) for track in living if track.followed for one in self._passages.move(track, living, at)]
        for track in living:
            if track.followed:
                for candidate in self._candidates:
                    if candidate.track.track_id == track.track_id:
                        candidate.found(track, at)
        for track, one in passed:
            distance = self._passages.distance(track)
            self._admit(Candidate.of(track, one, at, distance, self._parameters.same_vehicle), at)
        over = {track.track_id for track in ended}
        due = [
            one
            for one in self._candidates
            if not one.decided and (at - one.made_at >= self._counting.decide_seconds or one.track.track_id in over)
        ]
        crossings = self._decide(due, at)
        for track in ended:
            self._forget(track, at)
        self._let_go(at)
        return crossings

    def finish(self) -> list[Crossing]:
        """Decide what still waits: there will be no more frames, or none for long."""
        return self._decide([one for one in self._candidates if not one.decided], self._at)

    def _admit(self, new: Candidate, at: float) -> None:
        for other in self._candidates:
            if other.passed.direction is not new.passed.direction or other.track.track_id == new.track.track_id:
                continue
            if self._mechanisms.long_vehicles and follows_closely(
                new, other, at, self._passages.line, self._parameters
            ):
                new.behind.append(other)
            if self._mechanisms.one_vehicle and one_vehicle(
                new, other, at, self._passages.line, self._counting.vehicle_classes, self._parameters
            ):
                new.same_as.append(other)
                other.same_as.append(new)
        self._candidates.append(new)

    def _decide(self, due: list[Candidate], at: float) -> list[Crossing]:
        """Decide passes, the surest vehicles first; returns those that count."""
        if not due:
            return []
        judged = {id(one): self._judge(one) for one in self._candidates}
        crossings = []
        for one in sorted(due, key=lambda one: (-judged[id(one)].evidence, one.passed.at, one.track.track_id)):
            one.decided = True
            reason, other = self._reason(one, judged, at)
            crossing = self._crossing(one)
            one.counted = reason in (Reason.CROSSED, Reason.CAME_ACROSS)
            self._verdicts.append(Verdict(one.track.track_id, self._config.id, at, reason, crossing, other))
            if one.counted:
                crossings.append(crossing)
                self._confidences.append(one.track.evidence.best)
        return sorted(crossings, key=lambda crossing: crossing.at)

    def _let_go(self, at: float) -> None:
        """Forget the decided passes that are old."""
        kept = []
        for one in self._candidates:
            if not one.decided or at - one.made_at < self._parameters.remembered_seconds:
                kept.append(one)
            else:
                # Or each pass would keep the one before it in memory, all through a queue.
                one.same_as.clear()
                one.behind.clear()
        self._candidates = kept

    def _judge(self, one: Candidate) -> Judgement:
        parameters, frame_area = self._parameters.classification, float(self._size[0] * self._size[1])
        usual = median(self._confidences) if len(self._confidences) >= parameters.usual_from else None
        return judge(one.track, self._counting, frame_area, usual, parameters)

    def _reason(self, one: Candidate, judged: dict[int, Judgement], at: float) -> tuple[Reason, str]:
        mine = judged[id(one)]
        refusal = mine.refusal(self._counting)
        if refusal is not None:
            return refusal, ""
        if one.passed.reason is Reason.CAME_ACROSS and not self._goes_on(one):
            return Reason.NOT_ACROSS, ""
        for other in self._candidates:
            if other is one or other.passed.direction is not one.passed.direction:
                continue
            theirs = judged[id(other)]
            stands = (
                other.counted
                if other.decided
                else theirs.evidence > mine.evidence and theirs.refusal(self._counting) is None
            )
            if not stands:
                continue
            if other in one.same_as:
                return Reason.SECOND_LOOK, other.track.track_id
            if (self._mechanisms.long_vehicles and may_be_long(one, other, self._parameters)) and (
                other.track.track_id in one.track.absorbed
                or one.track.track_id in other.track.absorbed
                or (
                    self._is_behind(one, other, at)
                    and is_faint_beside(one.track, other.track, self._parameters.long_vehicle)
                )
            ):
                return Reason.PART, other.track.track_id
        return one.passed.reason, ""

    def _is_behind(self, one: Candidate, other: Candidate, at: float) -> bool:
        """Whether it went right behind the other as it passed, or does so now: a faint track may stumble."""
        return other in one.behind or follows_closely(one, other, at, self._passages.line, self._parameters)

    def _goes_on(self, one: Candidate) -> bool:
        """Whether a track that is said to have come across before it was seen has not come nearer to the line since.

        The velocity of a track that was just found may be that of what hides it.
        """
        return (self._passages.distance(one.track) - one.distance) * one.passed.direction.delta >= 0

    def _crossing(self, one: Candidate) -> Crossing:
        evidence = one.track.evidence
        label = elected(evidence.votes) or one.track.label
        mean = evidence.votes.get(label, 0.0) / evidence.seconds if evidence.seconds else one.track.confidence
        return Crossing(self._config.id, one.track.track_id, one.passed.direction, one.passed.at, label, min(mean, 1.0))

    def _forget(self, ended: Track, at: float) -> None:
        name = ended.track_id
        passage = self._passages.forget(name)
        if ended.merged_into or any(one.track.track_id == name for one in self._candidates):
            return
        if ended.past is None or (passage is not None and passage.last_at == -math.inf):
            reason = Reason.NOT_CONFIRMED
        else:
            # After a long gap nothing is left of its way.
            reason = passage.fate if passage is not None else Reason.NOT_ACROSS
        self._verdicts.append(Verdict(name, self._config.id, at, reason))
