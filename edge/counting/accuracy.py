"""How right a count is: events held against the truth, one to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def match(truth: Sequence[float], counted: Sequence[float], tolerance: float) -> tuple[list[float], list[float]]:
    """The moments that were missed and the ones that were counted too much.

    ``truth`` and ``counted`` are seconds of crossings in one direction. A counted one stands for at most one true one
    no further than ``tolerance`` seconds away; as many as possible are matched. Going through both in the order of time
    and pairing whatever may be paired is optimal here, because all tolerances are alike.
    """
    missed, extra = [], []
    true_ones, counted_ones = sorted(truth), sorted(counted)
    i = j = 0
    while i < len(true_ones) and j < len(counted_ones):
        gap = counted_ones[j] - true_ones[i]
        if abs(gap) <= tolerance:
            i, j = i + 1, j + 1
        elif gap > 0:
            missed.append(true_ones[i])
            i += 1
        else:
            extra.append(counted_ones[j])
            j += 1
    return missed + true_ones[i:], extra + counted_ones[j:]
