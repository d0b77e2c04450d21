"""Tests of the recommended floor, and of the reason why there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edge.core.occupancy import FloorQuality, Occupancy, Quality, recommended_floor, why_none_is_recommended

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def floor(name: str, free: int, *, active: bool = True) -> Occupancy:
    """A floor of ten slots."""
    return Occupancy(len(name), name, "", 10, 10 - free, active, NOW, 1)


@pytest.mark.parametrize(
    ("floors", "unknown", "recommended"),
    [
        ([floor("A", 3), floor("B", 5), floor("C", 5)], set(), "B"),
        ([floor("A", 3), floor("B", 5)], {"B"}, "A"),
        ([floor("A", 0), floor("B", 5)], {"B"}, None),
        ([floor("A", 3), floor("B", 5)], {"A", "B"}, None),
        ([floor("A", 3, active=False)], set(), None),
    ],
)
def test_a_floor_whose_count_is_not_known_is_not_recommended(
    floors: list[Occupancy], unknown: set[str], recommended: str | None
) -> None:
    """Of the others the active one with most free slots is, the first by name of equals."""
    best = recommended_floor(floors, unknown)
    assert (best and best.name) == recommended


@pytest.mark.parametrize(
    ("floors", "unknown", "why"),
    [
        ([floor("A", 0)], set(), "every active floor is full"),
        ([floor("A", 3, active=False)], {"A"}, "no floor is active"),
        ([], set(), "no floor is active"),
        ([floor("A", 3), floor("B", 3, active=False)], {"A"}, "the count of every active floor is unknown"),
        ([floor("A", 0), floor("B", 3)], {"B"}, "every active floor is full, or its count is unknown (B)"),
    ],
)
def test_the_reason_why_none_is_recommended(floors: list[Occupancy], unknown: set[str], why: str) -> None:
    """It names the floors that are not known where others are full."""
    assert why_none_is_recommended(floors, unknown) == why


def test_only_an_unknown_count_is_not_shown() -> None:
    """A degraded one is, with a note by whoever shows it."""
    assert [FloorQuality(quality).is_known for quality in Quality] == [True, True, False]
