"""Decides which of a gate's line crossings count.

A crossing waits for ``counting.decide_seconds``, or until its track ends, so that of several tracks on one vehicle the
one with most evidence counts; it does not wait where nothing else is near (``lone_vehicle.py``). It counts if its track
is a vehicle (``classification.py``) and no other crossing is of the same vehicle (``same_vehicle.py``) or of a vehicle
that it is a part of (``long_vehicle.py``).
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import TYPE_CHECKING

from edge.core.tracks import Reason, TrackState, Verdict
from edge.counting.decision.candidate import make_candidate
from edge.counting.decision.classification import classify
from edge.counting.decision.lone_vehicle import is_lone, is_settled
from edge.counting.decision.long_vehicle import follows_closely, is_part_of
from edge.counting.decision.same_vehicle import is_same_vehicle
from edge.counting.events import make_crossing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.config.schema import CountingConfig, MechanismsConfig
    from edge.core.tracks import Track
    from edge.counting.crossing_path import LineCrossing
    from edge.counting.crossing_paths import CrossingPaths
    from edge.counting.decision.candidate import CrossingCandidate
    from edge.counting.decision.classification import Classification
    from edge.counting.parameters import CountingParameters


class CrossingDecisions:
    """The crossings of one gate that wait, and for some seconds those that were decided."""

    def __init__(
        self,
        gate_id: str,
        paths: CrossingPaths,
        counting: CountingConfig,
        mechanisms: MechanismsConfig,
        parameters: CountingParameters,
    ) -> None:
        """``paths`` knows where the gate's line is in the current frame."""
        self._gate_id, self._paths = gate_id, paths
        self._counting, self._mechanisms, self._parameters = counting, mechanisms, parameters
        self._candidates: list[CrossingCandidate] = []
        # The best confidences of the last vehicles that were counted.
        self._confidences: deque[float] = deque(maxlen=parameters.classification.usual_of)

    def __len__(self) -> int:
        """How many crossings are remembered."""
        return len(self._candidates)

    @property
    def has_undecided(self) -> bool:
        """Whether a crossing waits for its decision."""
        return any(not candidate.is_decided for candidate in self._candidates)

    def has_crossing_of(self, track_id: str) -> bool:
        """Whether a crossing of this track is remembered."""
        return any(candidate.track_id == track_id for candidate in self._candidates)

    def update_tracks(self, found: Iterable[Track], at: float) -> None:
        """Give the remembered crossings their tracks as they were found in the frame taken at ``at``."""
        tracks = {track.track_id: track for track in found}
        for candidate in self._candidates:
            if candidate.track_id in tracks:
                candidate.track, candidate.track_at = tracks[candidate.track_id], at

    def add(self, track: Track, crossing: LineCrossing, at: float) -> None:
        """A crossing became certain at ``at``: compare it with the others in its direction, and let it wait."""
        least_speed = self._parameters.same_vehicle.least_speed
        new = make_candidate(track, crossing, at, self._paths.distance(track), least_speed)
        line, vehicle_classes = self._paths.line, self._counting.vehicle_classes
        for other in self._candidates:
            if other.direction is not new.direction or other.track_id == new.track_id:
                continue
            if self._mechanisms.long_vehicles and follows_closely(new, other, at, line, self._parameters):
                new.followed_closely.append(other)
            if self._mechanisms.one_vehicle and is_same_vehicle(
                new, other, at, line, vehicle_classes, self._parameters
            ):
                new.same_vehicle.append(other)
                other.same_vehicle.append(new)
        self._candidates.append(new)

    def decide_due(self, tracks: Sequence[Track], at: float) -> list[Verdict]:
        """The verdicts on the crossings that waited long enough at ``at``, whose tracks have ended, or that are lone.

        ``tracks`` are all of the frame's tracks, ended ones included.
        """
        ended = {track.track_id for track in tracks if track.state is TrackState.ENDED}
        over = [
            candidate
            for candidate in self._candidates
            if at - candidate.made_at >= self._counting.decide_seconds or candidate.track_id in ended
        ]
        due = [candidate for candidate in over if not candidate.is_decided]
        if self._mechanisms.early_decision:
            living = [track for track in tracks if track.state is not TrackState.ENDED]
            due += [
                candidate
                for candidate in self._candidates
                if not candidate.is_decided and candidate not in due and self._can_be_early(candidate, living, at)
            ]
        verdicts = self._decide(due, at)
        self._learn_confidences(over)
        return verdicts

    def decide_all(self, at: float) -> list[Verdict]:
        """The verdicts on all crossings that still wait."""
        verdicts = self._decide([candidate for candidate in self._candidates if not candidate.is_decided], at)
        self._learn_confidences(self._candidates)
        return verdicts

    def forget_old(self, at: float) -> None:
        """Drop the decided crossings that were made long before ``at``."""
        kept = []
        for candidate in self._candidates:
            is_open = not candidate.is_decided or (candidate.is_counted and not candidate.is_learned)
            if is_open or at - candidate.made_at < self._parameters.remembered_seconds:
                kept.append(candidate)
            else:
                # Otherwise each crossing would keep the one before it in memory, all through a queue.
                candidate.same_vehicle.clear()
                candidate.followed_closely.clear()
        self._candidates = kept

    def _decide(self, due: Sequence[CrossingCandidate], at: float) -> list[Verdict]:
        """Decide crossings, those with most evidence first."""
        if not due:
            return []
        classifications = {candidate: self._classify(candidate) for candidate in self._candidates}

        def order(candidate: CrossingCandidate) -> tuple[float, float, str]:
            return -classifications[candidate].evidence, candidate.crossing.at, candidate.track_id

        verdicts = []
        for candidate in sorted(due, key=order):
            reason, other = self._reason(candidate, classifications, at)
            crossing = make_crossing(self._gate_id, candidate.track, candidate.crossing)
            verdict = Verdict(candidate.track_id, self._gate_id, at, reason, crossing, other)
            candidate.is_decided, candidate.is_counted = True, verdict.counted
            verdicts.append(verdict)
        return verdicts

    def _can_be_early(self, candidate: CrossingCandidate, living: Sequence[Track], at: float) -> bool:
        """Whether waiting for longer would not change what is decided about a crossing."""
        left = self._counting.decide_seconds - (at - candidate.made_at) + self._parameters.lone_vehicle.frame_seconds
        may_cross = [track for track in living if self._paths.may_cross(track, candidate.direction, left)]
        if not is_lone(candidate, self._candidates, may_cross, at, self._parameters):
            return False
        usual, area = self._usual_confidence, self._paths.frame_area
        if not is_settled(candidate.track, left, self._counting, area, usual, self._parameters):
            return False
        # What is refused can wait.
        classifications = {each: self._classify(each) for each in self._candidates}
        return self._reason(candidate, classifications, at)[0] is Reason.CROSSED

    def _learn_confidences(self, over: Iterable[CrossingCandidate]) -> None:
        """Learn how surely vehicles are seen here, of the counted crossings whose wait is over."""
        for candidate in over:
            if candidate.is_counted and not candidate.is_learned:
                candidate.is_learned = True
                self._confidences.append(candidate.track.evidence.best_confidence)

    @property
    def _usual_confidence(self) -> float | None:
        """The median of the best confidences of the last vehicles; None where too few were counted yet."""
        enough = len(self._confidences) >= self._parameters.classification.usual_from
        return median(self._confidences) if enough else None

    def _classify(self, candidate: CrossingCandidate) -> Classification:
        parameters, usual = self._parameters.classification, self._usual_confidence
        return classify(candidate.track, self._counting, self._paths.frame_area, usual, parameters)

    def _reason(
        self, candidate: CrossingCandidate, classifications: dict[CrossingCandidate, Classification], at: float
    ) -> tuple[Reason, str]:
        """Why a crossing counts or does not, and the track that counts in its place (empty: none)."""
        refusal = classifications[candidate].refusal(self._counting)
        if refusal is not None:
            return refusal, ""
        if candidate.crossing.reason is Reason.CROSSED_UNSEEN and not self._kept_moving_away(candidate):
            return Reason.NOT_CROSSED, ""
        for other in self._candidates:
            if other is candidate or other.direction is not candidate.direction:
                continue
            if not self._counts_before(other, candidate, classifications):
                continue
            if other in candidate.same_vehicle:
                return Reason.DUPLICATE, other.track_id
            if self._mechanisms.long_vehicles and is_part_of(candidate, other, at, self._paths.line, self._parameters):
                return Reason.PART, other.track_id
        return candidate.crossing.reason, ""

    def _counts_before(
        self,
        other: CrossingCandidate,
        candidate: CrossingCandidate,
        classifications: dict[CrossingCandidate, Classification],
    ) -> bool:
        """Whether ``other`` was counted, or waits and is a vehicle with more evidence."""
        if other.is_decided:
            return other.is_counted
        is_surer = classifications[other].evidence > classifications[candidate].evidence
        return is_surer and classifications[other].refusal(self._counting) is None

    def _kept_moving_away(self, candidate: CrossingCandidate) -> bool:
        """Whether a track that must have crossed before it was seen has not come nearer to the line since.

        The velocity of a track that was just found may be that of what hides it.
        """
        moved = self._paths.distance(candidate.track) - candidate.distance
        return moved * candidate.direction.delta >= 0
