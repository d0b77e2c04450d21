"""Compares what was counted with the truth, outside of the times at which a camera was blind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.events import Direction
from edge.evaluation.accuracy import match_times

if TYPE_CHECKING:
    from collections.abc import Sequence

# A vehicle is in the picture for so long before and after the line: about a blind time a crossing is uncertain.
MARGIN_SECONDS = 3.0
MATCH_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Judgement:
    """One camera's crossings: the true ones and the events, the times of wrong ones, and how many were set aside."""

    true: int
    counted: int
    missed: tuple[float, ...]
    extra: tuple[float, ...]
    set_aside: int


def judge(
    truth: Sequence[tuple[Direction, float]],
    events: Sequence[tuple[Direction, float]],
    blind: Sequence[tuple[float, float]],
    margin: float = MARGIN_SECONDS,
) -> Judgement:
    """Match as many as possible; what is left over within ``margin`` seconds of a blind time is not held against it.

    ``set_aside`` is how many of the true crossings lie there.
    """

    def is_aside(at: float) -> bool:
        return any(began - margin <= at <= ended + margin for began, ended in blind)

    missed: list[float] = []
    extra: list[float] = []
    for direction in Direction:
        unmatched = match_times(
            [at for way, at in truth if way is direction],
            [at for way, at in events if way is direction],
            MATCH_SECONDS,
        )
        missed += [at for at in unmatched[0] if not is_aside(at)]
        extra += [at for at in unmatched[1] if not is_aside(at)]
    aside = sum(is_aside(at) for _, at in truth)
    return Judgement(len(truth), len(events), tuple(sorted(missed)), tuple(sorted(extra)), aside)
