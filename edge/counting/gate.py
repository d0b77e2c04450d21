"""A gate: what makes crossings of tracks.

``passage.py`` says when a track has passed the line, ``kind.py`` what the track is, ``candidate.py`` which passes are
one vehicle's. Here they meet: a pass is held back for a moment, so that of several tracks on one vehicle the surest
counts; then it counts or does not, and the reason is told.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import TYPE_CHECKING

from edge.counting.candidate import Candidate, follows_closely, is_faint_beside, one_vehicle
from edge.counting.kind import elected, judge
from edge.counting.line import Line
from edge.counting.passage import Pass, Passage
from edge.records import Crossing, Direction, Point
from edge.tracks import Reason, TrackState, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config import CountingConfig, GateConfig, MechanismsConfig
    from edge.counting.kind import Judgement
    from edge.tracks import Track

# A decided pass is kept for so long, to know a second look at its vehicle.
REMEMBERED = 5.0
LONG_GAP = 2.5  # seconds without a frame after which nobody is taken to have come across meanwhile
SETTLING = 0.25  # seconds after the first frame in which whoever is there was there before
# A track that was first seen just beyond the line came across: least speed in sides a second, distance in sides, time.
UNSEEN_SPEED, UNSEEN_WAY, UNSEEN_SECONDS, UNSEEN_GAPS, UNSEEN_BEFORE = 0.6, 1.0, 0.25, 1.5, 0.3
# So many of the last vehicles say how sure the detector usually is of one, when there are enough.
USUAL_OF, USUAL_FROM = 15, 4
COVERED, LARGER = 0.6, 4.0  # a part of a track that is known better: share inside it, times its side at most


class Gate:
    """Turns one camera's tracks into crossings of one line. Pure: no clock, no I/O.

    Its memory is one small record per living track, and one per pass of the last seconds.
    """

    def __init__(self, config: GateConfig, counting: CountingConfig, mechanisms: MechanismsConfig) -> None:
        self._config, self._counting, self._mechanisms = config, counting, mechanisms
        self._size = (0, 0)
        self._line: Line | None = None
        self._started = 0.0
        self._at: float | None = None
        self._passages: dict[str, Passage] = {}
        self._first: dict[str, tuple[float, float]] = {}  # when a track was first seen, and how long after a frame
        self._waiting: dict[str, list[tuple[float, Point, float]]] = {}  # places of tracks whose past is not known yet
        self._candidates: list[Candidate] = []
        self._verdicts: list[Verdict] = []
        self._confidences: deque[float] = deque(maxlen=USUAL_OF)  # the best one of each vehicle that was counted

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
        self._begin(frame_size, at)
        living = [track for track in tracks if track.state is not TrackState.ENDED]
        ended = [track for track in tracks if track.state is TrackState.ENDED]
        for track in ended:
            if track.merged_into:
                self._continue(track)
        passed = [(track, one) for track in living if track.followed for one in self._move(track, living, at)]
        for track in living:
            if track.followed:
                for candidate in self._candidates:
                    if candidate.track.track_id == track.track_id:
                        candidate.found(track, at)
        for track, one in passed:
            assert self._line is not None
            distance = self._line.distance(self._anchor(track, track.box.center))
            self._admit(Candidate.of(track, one, at, distance), at)
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
        return self._decide([one for one in self._candidates if not one.decided], self._at or 0.0)

    def _begin(self, frame_size: tuple[int, int], at: float) -> None:
        gap = math.inf if self._at is None else at - self._at
        if frame_size != self._size or gap > LONG_GAP:
            # Positions in other pixels, or from before a gap, mean nothing any more.
            self._size, self._line = frame_size, Line(self._config, frame_size)
            self._started = at
            self._passages.clear()
            self._first.clear()
            self._waiting.clear()
        self._gap = min(gap, LONG_GAP)
        self._at = at

    # -- from places to passes ---------------------------------------------------------------------------------------

    def _move(self, track: Track, living: Sequence[Track], at: float) -> list[Pass]:
        name = track.track_id
        passage = self._passages.setdefault(name, Passage(self._config.dead_band))
        self._first.setdefault(name, (at, self._gap))
        point = self._anchor(track, track.box.center)
        if track.past is None:
            self._waiting.setdefault(name, []).append((at, point, track.box.side))
            return []
        passes: list[Pass | None] = []
        waiting = self._waiting.pop(name, [])
        if passage.last_at == -math.inf:
            waiting = waiting or [(at, point, track.box.side)]
            for moment, middle in track.past:
                passes.append(self._step(passage, moment, self._anchor(track, middle), track.box.side))
            for moment, place, side in waiting:
                passes.append(self._step(passage, moment, place, side))
            if not any(passes):
                passes.append(self._came_across(track, passage, waiting, living))
        else:
            for moment, place, side in waiting:
                passes.append(self._step(passage, moment, place, side))
        passes.append(self._step(passage, at, point, track.box.side))
        return [one for one in passes if one is not None]

    def _step(self, passage: Passage, at: float, point: Point, side: float) -> Pass | None:
        assert self._line is not None
        return passage.step(self._line, at, point, side) if at > passage.last_at else None

    def _anchor(self, track: Track, middle: Point) -> Point:
        if self._config.anchor == "center":
            return middle
        return Point(middle.x, middle.y + track.box.height / 2)

    def _came_across(
        self, track: Track, passage: Passage, seen: list[tuple[float, Point, float]], living: Sequence[Track]
    ) -> Pass | None:
        """The pass of a track that was first found just beyond the line and moves away from it, if it is one.

        It cannot have been there before: it was not in the picture, and its past could not be followed any further,
        because something hid it or the detector saw nothing of it.
        """
        assert self._line is not None
        if not self._mechanisms.unseen_crossing or track.past_whole or not passage.side:
            return None
        at, place = track.past[0] if track.past else seen[0][:2]
        place = self._anchor(track, place) if track.past else place
        if at <= self._started + SETTLING or self._is_inside(track, living):
            return None
        inwards, side = self._line.inwards(place), track.box.side
        away = (track.velocity.x * inwards.x + track.velocity.y * inwards.y) * passage.side
        beyond = self._line.distance(place) * passage.side
        if away <= UNSEEN_SPEED * side or not 0 < beyond < UNSEEN_WAY * side:
            return None
        seconds = beyond / away
        before = seconds + UNSEEN_BEFORE * side / away
        start = Point(place.x - track.velocity.x * before, place.y - track.velocity.y * before)
        _, gap = self._first[track.track_id]
        if seconds >= max(UNSEEN_SECONDS, UNSEEN_GAPS * gap) or not self._line.passes(start, place):
            return None
        direction = Direction.ENTRY if passage.side > 0 else Direction.EXIT
        return Pass(direction, at - seconds, Reason.CAME_ACROSS)

    def _is_inside(self, track: Track, living: Sequence[Track]) -> bool:
        """Whether a track lies in the box of one that is known for longer: it is a part of it, or hidden by it."""
        first, box = self._first[track.track_id][0], track.box
        for other in living:
            if other.track_id == track.track_id or not other.followed or other.evidence.sightings < 5:
                continue
            known = self._first.get(other.track_id)
            if known is None or known[0] > first - 0.3 or other.box.side > LARGER * box.side:
                continue
            across = min(box.x2, other.box.x2) - max(box.x1, other.box.x1)
            down = min(box.y2, other.box.y2) - max(box.y1, other.box.y1)
            if across > 0 and down > 0 and across * down > COVERED * box.area and other.box.area > box.area:
                return True
        return False

    def _continue(self, ended: Track) -> None:
        """A track turned out to be a lost one that was seen again: what it did until now is the lost one's way."""
        passage = self._passages.get(ended.merged_into)
        if passage is None or ended.track_id not in self._passages:
            return
        places = [(at, self._anchor(ended, middle), ended.box.side) for at, middle in ended.past or ()]
        waiting = self._waiting.setdefault(ended.merged_into, [])
        waiting += [*places, *self._waiting.pop(ended.track_id, [])]

    # -- from passes to crossings --------------------------------------------------------------------------------------

    def _admit(self, new: Candidate, at: float) -> None:
        assert self._line is not None
        for other in self._candidates:
            if other.passed.direction is not new.passed.direction or other.track.track_id == new.track.track_id:
                continue
            if self._mechanisms.long_vehicles and follows_closely(new, other, at, self._line):
                new.behind.append(other)
            if self._mechanisms.one_vehicle and one_vehicle(new, other, at, self._line, self._counting.vehicle_classes):
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
            if not one.decided or at - one.made_at < REMEMBERED:
                kept.append(one)
            else:
                # Or each pass would keep the one before it in memory, all through a queue.
                one.same_as.clear()
                one.behind.clear()
        self._candidates = kept

    def _judge(self, one: Candidate) -> Judgement:
        usual = median(self._confidences) if len(self._confidences) >= USUAL_FROM else None
        return judge(one.track, self._counting, float(self._size[0] * self._size[1]), usual)

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
            if self._mechanisms.long_vehicles and (
                other.track.track_id in one.track.absorbed
                or one.track.track_id in other.track.absorbed
                or (self._is_behind(one, other, at) and is_faint_beside(one.track, other.track))
            ):
                return Reason.PART, other.track.track_id
        return one.passed.reason, ""

    def _is_behind(self, one: Candidate, other: Candidate, at: float) -> bool:
        """Whether it went right behind the other as it passed, or does so now: a faint track may stumble."""
        assert self._line is not None
        return other in one.behind or follows_closely(one, other, at, self._line)

    def _goes_on(self, one: Candidate) -> bool:
        """Whether a track that is said to have come across before it was seen has not come nearer to the line since.

        The velocity of a track that was just found may be that of what hides it.
        """
        assert self._line is not None
        distance = self._line.distance(self._anchor(one.track, one.track.box.center))
        return (distance - one.distance) * one.passed.direction.delta >= 0

    def _crossing(self, one: Candidate) -> Crossing:
        evidence = one.track.evidence
        label = elected(evidence.votes) or one.track.label
        mean = evidence.votes.get(label, 0.0) / evidence.seconds if evidence.seconds else one.track.confidence
        return Crossing(self._config.id, one.track.track_id, one.passed.direction, one.passed.at, label, min(mean, 1.0))

    def _forget(self, ended: Track, at: float) -> None:
        name = ended.track_id
        passage = self._passages.pop(name, None)
        self._waiting.pop(name, None)
        self._first.pop(name, None)
        if ended.merged_into or any(one.track.track_id == name for one in self._candidates):
            return
        if ended.past is None or (passage is not None and passage.last_at == -math.inf):
            reason = Reason.NOT_CONFIRMED
        else:
            # After a long gap nothing is left of its way.
            reason = passage.fate if passage is not None else Reason.NOT_ACROSS
        self._verdicts.append(Verdict(name, self._config.id, at, reason))
