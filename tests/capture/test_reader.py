"""What a camera's reader decides by itself: which frames are old, and why a camera could not be opened."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.diagnosis import reason_not_opened
from edge.capture.reader import OpeningBacklog


def test_a_backlog_ends_with_the_first_wait():
    """Frames that are there at once are old; the first that had to be waited for, and all after it, are new."""
    backlog = OpeningBacklog(opened_in=5.0)
    waits = [0.0, 0.001, 0.001, 0.004, 0.035, 0.001, 0.04]
    assert [backlog.contains(wait, index * 0.04) for index, wait in enumerate(waits)] == [
        *(True, True, True, True),
        *(False, False, False),
    ]


@given(
    st.floats(0, 10, allow_nan=False),
    st.lists(st.tuples(st.floats(0, 1, allow_nan=False), st.floats(-5, 100, allow_nan=False)), max_size=300),
)
def test_a_backlog_is_bounded(opened_in, reads):
    """No more video is skipped than can have piled up, even when a stream runs too fast; then none."""
    backlog = OpeningBacklog(opened_in)
    contained = [backlog.contains(waited, position) for waited, position in reads]
    assert contained == sorted(contained, reverse=True)
    steps = [0.04] + [min(max(b - a, 0), 1.0) or 0.04 for (_, a), (_, b) in pairwise(reads)]
    assert sum(step for step, old in zip(steps, contained, strict=False) if old) <= opened_in + 2.0 + 1e-6


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/dev/null", "does another program use it"),
        ("/dev/video77", "plugged in"),
        ("rtsp://127.0.0.1:99999/x", "not a number"),
        ("http://no-such-host.invalid/x", "no address is known"),
    ],
)
def test_why_a_camera_cannot_be_opened(address, words):
    """The reason that can be found from outside is given with a question or a remedy."""
    assert words in reason_not_opened(address)
