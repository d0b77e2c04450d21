"""Events held against the truth: the pairs that are chosen, and the figures that come of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.events import Direction
from edge.evaluation.accuracy import TOLERANCE, Count, Figures, TrueCross, score

IN, OUT = Direction.ENTRY, Direction.EXIT

moments = st.integers(0, 60).map(lambda tenths: tenths / 10)
truths = st.lists(
    st.builds(
        lambda direction, at, more: TrueCross(direction, at, at + more),
        st.sampled_from([IN, OUT, None]),
        moments,
        st.sampled_from([0.0, 0.0, 1.0]),
    ),
    max_size=4,
)
counts = st.lists(st.builds(Count, st.sampled_from([IN, OUT]), moments), max_size=4)


def at(direction: Direction | None, *seconds: float) -> list[TrueCross]:
    """True crossings at single moments."""
    return [TrueCross(direction, second, second) for second in seconds]


def events(direction: Direction, *seconds: float) -> list[Count]:
    """Counted crossings."""
    return [Count(direction, second) for second in seconds]


def best_by_trying(truth: list[TrueCross], counted: list[Count]) -> tuple[int, int, float]:
    """Certain pairs, uncertain pairs and minus the distances of the best of all one-to-one pairings."""
    if not truth:
        return 0, 0, 0.0
    true, rest = truth[0], truth[1:]
    best = best_by_trying(rest, counted)
    for number, one in enumerate(counted):
        if true.off(one.at) <= TOLERANCE and true.direction in (None, one.direction):
            certain, uncertain, nearness = best_by_trying(rest, counted[:number] + counted[number + 1 :])
            known = true.direction is not None
            best = max(best, (certain + known, uncertain + (not known), nearness - true.off(one.at)))
    return best


@settings(deadline=None)
@given(truths, counts)
def test_no_other_pairing_is_better(truth: list[TrueCross], counted: list[Count]) -> None:
    """The most certain crossings are matched, then the most uncertain ones, with the least distances."""
    result = score(truth, counted)
    certain, uncertain, nearness = best_by_trying(truth, counted)
    assert len(result.matched) == certain
    assert len(counted) - certain - len(result.extra) == uncertain
    if not any(true.direction is None for true in truth):
        assert sum(true.off(one.at) for true, one in result.matched) == pytest.approx(-nearness)


@given(truths, counts)
def test_figures_add_up(truth: list[TrueCross], counted: list[Count]) -> None:
    """Every certain crossing is matched or missed; entries and exits swapped change nothing but the sign of the net."""
    figures = score(truth, counted).figures
    assert figures.truth == sum(true.direction is not None for true in truth)
    assert figures.counted == figures.truth - figures.missed + figures.extra
    assert figures.wrong_direction <= min(figures.missed, figures.extra)
    mirrored = score(
        [TrueCross(one.direction and one.direction.opposite, one.at, one.until) for one in truth],
        [Count(one.direction.opposite, one.at) for one in counted],
    ).figures
    assert (mirrored.missed, mirrored.extra) == (figures.missed, figures.extra)
    assert mirrored.true_net == -figures.true_net
    if not any(true.direction is None for true in truth):
        # Which of an entry and an exit, equally near, an uncertain crossing takes is nobody's to say.
        assert mirrored.counted_net == -figures.counted_net


def test_the_nearest_in_time_are_paired_when_several_may_be() -> None:
    """Of two events for one crossing the nearer one is right and the other is too much."""
    result = score(at(IN, 10.0), events(IN, 9.0, 10.1))
    assert [one.at for one in result.extra] == [9.0]


def test_a_chain_is_paired_as_a_whole() -> None:
    """An event gives its nearest crossing up where another pairing leaves none over."""
    assert score(at(IN, 1.0, 2.0, 3.0), events(IN, 2.0, 3.0, 4.0)).figures == Figures(3, 0, 0, 0, 3, 3)


def test_of_equal_choices_one_is_always_taken() -> None:
    """The later of two crossings is matched, the earlier of two events, and pairs that may be swapped are in order."""
    assert score(at(IN, 9.5, 10.5), events(IN, 10.0)).missed == tuple(at(IN, 9.5))
    assert score(at(IN, 10.0), events(IN, 9.5, 10.5)).extra == tuple(events(IN, 10.5))
    assert score(at(IN, 1.0, 2.0), events(IN, 2.25, 2.5)).matched == tuple(
        zip(at(IN, 1.0, 2.0), events(IN, 2.25, 2.5), strict=True)
    )
    stood = [TrueCross(IN, 1.0, 5.0), TrueCross(IN, 2.0, 6.0)]
    assert score(stood, events(IN, 3.0)).missed == (stood[0],)


def test_the_tolerance_is_a_second_and_a_half() -> None:
    """At 1.5 s an event still stands for its crossing; later it is too much, and the crossing is missed."""
    assert score(at(IN, 10.0), events(IN, 11.5)).figures.accuracy == 1.0
    late = score(at(IN, 10.0), events(IN, 11.51)).figures
    assert (late.missed, late.extra, late.accuracy) == (1, 1, -1.0)


def test_a_vehicle_that_stood_on_the_line_may_be_counted_at_any_second_of_that() -> None:
    """The tolerance begins where the vehicle comes onto the line and where it leaves it."""
    stood = [TrueCross(IN, 10.0, 15.0)]
    assert [score(stood, events(IN, second)).figures.missed for second in (8.4, 8.6, 12.0, 16.4, 16.6)] == [
        1,
        0,
        0,
        0,
        1,
    ]


def test_an_uncertain_crossing_neither_helps_nor_hurts() -> None:
    """Counted or not, whichever way, the figures are the same; it never takes an event from a certain one."""
    truth = at(IN, 3.0) + at(None, 9.0)
    alone = score(truth, events(IN, 3.1)).figures
    assert alone == score(truth, events(IN, 3.1) + events(OUT, 9.2)).figures == Figures(1, 0, 0, 0, 1, 1)
    assert score(truth, events(IN, 3.1, 8.9, 9.1)).figures.extra == 1
    assert score(at(IN, 3.0) + at(None, 3.1), events(IN, 3.1)).figures.missed == 0


def test_a_wrong_direction_is_one_missed_and_one_extra() -> None:
    """It is told of as one vehicle, and moves the net by two."""
    result = score(at(IN, 3.0), events(OUT, 3.4))
    assert [(true.at, one.at) for true, one in result.wrong_direction] == [(3.0, 3.4)]
    assert result.figures == Figures(1, 1, 1, 1, 1, -1)
    assert (result.figures.accuracy, result.figures.net_bias, result.figures.f1) == (-1.0, -2.0, 0.0)


def test_without_truth_only_silence_is_right() -> None:
    """A clip in which nobody crosses has the accuracy 1 while nothing is counted, else 0; its bias is the net."""
    silent, wrong = score([], []).figures, score([], events(OUT, 1.0, 5.0)).figures
    assert (silent.accuracy, silent.f1, silent.net_bias) == (1.0, 1.0, 0.0)
    assert (wrong.accuracy, wrong.f1, wrong.net_bias) == (0.0, 0.0, -2.0)


def test_clips_are_pooled_by_adding_their_figures() -> None:
    """The total's accuracy is that of all vehicles, not the mean of the clips'."""
    total = Figures(10, 1, 0, 0, 10, 9) + Figures(90, 0, 1, 0, 0, 1)
    assert (total.accuracy, total.net_bias, total.counted) == (0.98, 0.0, 100)
    assert total.f1 == pytest.approx(2 * 99 / (2 * 99 + 2))


def test_a_long_dense_clip_takes_no_time() -> None:
    """Three hundred vehicles, so close that any may be its neighbour's event, are matched."""
    seconds = [0.4 * number for number in range(300)]
    figures = score(at(IN, *seconds), events(IN, *(second + 0.3 for second in seconds))).figures
    assert (figures.missed, figures.extra) == (0, 0)
