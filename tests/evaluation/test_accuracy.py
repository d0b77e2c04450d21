"""Tests which counted crossings are matched with which expected ones, and the figures that follow from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.events import Direction
from edge.evaluation.accuracy import (
    TOLERANCE_SECONDS,
    CountedCrossing,
    ExpectedCrossing,
    Figures,
    match_crossings,
    match_times,
)

IN, OUT = Direction.ENTRY, Direction.EXIT

tenths = st.integers(0, 60).map(lambda number: number / 10)
expected_lists = st.lists(
    st.builds(
        lambda direction, at, more: ExpectedCrossing(direction, at, at + more),
        st.sampled_from([IN, OUT, None]),
        tenths,
        st.sampled_from([0.0, 0.0, 1.0]),
    ),
    max_size=4,
)
counted_lists = st.lists(st.builds(CountedCrossing, st.sampled_from([IN, OUT]), tenths), max_size=4)


def expected_at(direction: Direction | None, *seconds: float) -> list[ExpectedCrossing]:
    """Expected crossings of vehicles that did not stop."""
    return [ExpectedCrossing(direction, second, second) for second in seconds]


def counted_at(direction: Direction, *seconds: float) -> list[CountedCrossing]:
    """Counted crossings."""
    return [CountedCrossing(direction, second) for second in seconds]


def best_by_brute_force(expected: list[ExpectedCrossing], counted: list[CountedCrossing]) -> tuple[int, int, float]:
    """Certain pairs, uncertain pairs and the negative sum of distances of the best of all one-to-one matchings."""
    if not expected:
        return 0, 0, 0.0
    first, rest = expected[0], expected[1:]
    best = best_by_brute_force(rest, counted)
    for number, crossing in enumerate(counted):
        distance = first.distance(crossing.at)
        if distance <= TOLERANCE_SECONDS and first.direction in (None, crossing.direction):
            others = counted[:number] + counted[number + 1 :]
            certain, uncertain, nearness = best_by_brute_force(rest, others)
            is_certain = first.direction is not None
            best = max(best, (certain + is_certain, uncertain + (not is_certain), nearness - distance))
    return best


@given(expected_lists, counted_lists)
def test_no_other_matching_is_better(expected: list[ExpectedCrossing], counted: list[CountedCrossing]) -> None:
    """The most certain crossings are matched, then the most uncertain ones, with the least sum of distances."""
    matching = match_crossings(expected, counted)
    certain, uncertain, nearness = best_by_brute_force(expected, counted)
    assert len(matching.matched) == certain
    assert len(counted) - certain - len(matching.extra) == uncertain
    if not any(crossing.direction is None for crossing in expected):
        distance = sum(true.distance(crossing.at) for true, crossing in matching.matched)
        assert distance == pytest.approx(-nearness)


@given(expected_lists, counted_lists)
def test_figures_add_up(expected: list[ExpectedCrossing], counted: list[CountedCrossing]) -> None:
    """Every certain crossing is matched or missed, and swapping entries and exits changes only the sign of the net."""
    figures = match_crossings(expected, counted).figures
    assert figures.truth == sum(crossing.direction is not None for crossing in expected)
    assert figures.counted == figures.truth - figures.missed + figures.extra
    assert figures.wrong_direction <= min(figures.missed, figures.extra)
    swapped = match_crossings(
        [
            ExpectedCrossing(crossing.direction and crossing.direction.opposite, crossing.at, crossing.until)
            for crossing in expected
        ],
        [CountedCrossing(crossing.direction.opposite, crossing.at) for crossing in counted],
    ).figures
    assert (swapped.missed, swapped.extra) == (figures.missed, figures.extra)
    assert swapped.true_net == -figures.true_net
    if not any(crossing.direction is None for crossing in expected):
        # An uncertain crossing may match an entry or an exit at the same distance; which of them is arbitrary.
        assert swapped.counted_net == -figures.counted_net


def test_the_nearest_in_time_is_matched() -> None:
    """Of two events for one crossing the nearer is matched and the other is extra."""
    assert match_crossings(expected_at(IN, 10.0), counted_at(IN, 9.0, 10.1)).extra == tuple(counted_at(IN, 9.0))


def test_a_chain_is_matched_as_a_whole() -> None:
    """An event is not matched with its nearest crossing where another matching leaves no crossing over."""
    matching = match_crossings(expected_at(IN, 1.0, 2.0, 3.0), counted_at(IN, 2.0, 3.0, 4.0))
    assert matching.figures == Figures(3, 0, 0, 0, 3, 3)


def test_of_equally_good_matchings_the_same_is_always_taken() -> None:
    """The later of two crossings is matched, the earlier of two events, and pairs that may be swapped are in order."""
    assert match_crossings(expected_at(IN, 9.5, 10.5), counted_at(IN, 10.0)).missed == tuple(expected_at(IN, 9.5))
    assert match_crossings(expected_at(IN, 10.0), counted_at(IN, 9.5, 10.5)).extra == tuple(counted_at(IN, 10.5))
    assert match_crossings(expected_at(IN, 1.0, 2.0), counted_at(IN, 2.25, 2.5)).matched == tuple(
        zip(expected_at(IN, 1.0, 2.0), counted_at(IN, 2.25, 2.5), strict=True)
    )
    stopped = [ExpectedCrossing(IN, 1.0, 5.0), ExpectedCrossing(IN, 2.0, 6.0)]
    assert match_crossings(stopped, counted_at(IN, 3.0)).missed == (stopped[0],)


def test_the_tolerance_is_a_second_and_a_half() -> None:
    """An event 1.5 s off is matched; one that is further off is extra, and its crossing is missed."""
    assert match_crossings(expected_at(IN, 10.0), counted_at(IN, 11.5)).figures.accuracy == 1.0
    late = match_crossings(expected_at(IN, 10.0), counted_at(IN, 11.51)).figures
    assert (late.missed, late.extra, late.accuracy) == (1, 1, -1.0)


@pytest.mark.parametrize(("second", "missed"), [(8.4, 1), (8.6, 0), (12.0, 0), (16.4, 0), (16.6, 1)])
def test_a_vehicle_that_stopped_on_the_line_may_be_counted_meanwhile(second: float, missed: int) -> None:
    """The tolerance applies before the vehicle comes onto the line and after it leaves it."""
    stopped = [ExpectedCrossing(IN, 10.0, 15.0)]
    assert match_crossings(stopped, counted_at(IN, second)).figures.missed == missed


def test_an_uncertain_crossing_neither_helps_nor_harms() -> None:
    """Counted or not, in either direction, the figures are the same; it takes no event from a certain crossing."""
    expected = expected_at(IN, 3.0) + expected_at(None, 9.0)
    alone = match_crossings(expected, counted_at(IN, 3.1)).figures
    with_uncertain = match_crossings(expected, counted_at(IN, 3.1) + counted_at(OUT, 9.2)).figures
    assert alone == with_uncertain == Figures(1, 0, 0, 0, 1, 1)
    assert match_crossings(expected, counted_at(IN, 3.1, 8.9, 9.1)).figures.extra == 1
    close = expected_at(IN, 3.0) + expected_at(None, 3.1)
    assert match_crossings(close, counted_at(IN, 3.1)).figures.missed == 0


def test_a_wrong_direction_is_a_missed_and_an_extra_crossing() -> None:
    """The pair is listed as one vehicle, and moves the net by two."""
    matching = match_crossings(expected_at(IN, 3.0), counted_at(OUT, 3.4))
    assert [(true.at, crossing.at) for true, crossing in matching.wrong_direction] == [(3.0, 3.4)]
    assert matching.figures == Figures(1, 1, 1, 1, 1, -1)
    assert (matching.figures.accuracy, matching.figures.net_bias, matching.figures.f1) == (-1.0, -2.0, 0.0)


def test_without_truth_only_no_event_is_accurate() -> None:
    """A clip without crossings has the accuracy 1 while nothing is counted, else 0; its bias is the net."""
    silent, wrong = match_crossings([], []).figures, match_crossings([], counted_at(OUT, 1.0, 5.0)).figures
    assert (silent.accuracy, silent.f1, silent.net_bias) == (1.0, 1.0, 0.0)
    assert (wrong.accuracy, wrong.f1, wrong.net_bias) == (0.0, 0.0, -2.0)


def test_the_total_is_the_sum_of_the_figures() -> None:
    """The total's accuracy is that of all vehicles, not the mean of the clips' accuracies."""
    total = Figures(10, 1, 0, 0, 10, 9) + Figures(90, 0, 1, 0, 0, 1)
    assert (total.accuracy, total.net_bias, total.counted) == (0.98, 0.0, 100)
    assert total.f1 == pytest.approx(2 * 99 / (2 * 99 + 2))


def test_times_of_one_direction() -> None:
    """The short form returns the times of missed and of extra crossings."""
    assert match_times([1.0, 9.0], [1.2, 5.0], 1.5) == ([9.0], [5.0])


def test_a_long_dense_clip_is_matched() -> None:
    """Three hundred vehicles are matched that are so close that each event may be of a neighbour."""
    seconds = [0.4 * number for number in range(300)]
    counted = counted_at(IN, *(second + 0.3 for second in seconds))
    figures = match_crossings(expected_at(IN, *seconds), counted).figures
    assert (figures.missed, figures.extra) == (0, 0)
