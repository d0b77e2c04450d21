"""What a clip says about itself: its dates, the times of its frames, its path and its content."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.clips.clip_file import content_digest, parse_creation_time
from edge.capture.clips.presentation_clock import PresentationClock
from edge.core.errors import SourceError


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-04-19T22:46:00.000000Z", datetime(2018, 4, 19, 22, 46, tzinfo=UTC)),
        ("2018-04-19T22:46:00+02:00", datetime(2018, 4, 19, 20, 46, tzinfo=UTC)),
        ("2018-04-19 22:46:00", datetime(2018, 4, 19, 22, 46, tzinfo=UTC)),
        ("1904-01-01T00:00:00.000000Z", None),
        ("1970-01-01T00:00:00.000000Z", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_creation_times(text, moment):
    """Creation times are read as UTC; placeholders and other texts are no time."""
    assert parse_creation_time(text) == moment


def test_content_digest(tmp_path):
    """A digest is that of the content, and a file that cannot be read is a SourceError."""
    (tmp_path / "a").write_bytes(b"abc")
    assert content_digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
    with pytest.raises(SourceError, match="there is no such file"):
        content_digest(tmp_path / "b")


@given(
    st.lists(st.one_of(st.none(), st.just(0.0), st.floats(-1e6, 1e6, allow_nan=False)), min_size=1, max_size=100),
    st.floats(allow_nan=True),
)
def test_presentation_times_always_grow(stamps, rate):
    """Whatever a container says, times begin at 0 and grow strictly."""
    clock = PresentationClock(rate)
    times = [clock.seconds(stamp) for stamp in stamps]
    assert times[0] == 0.0
    assert all(a < b for a, b in pairwise(times))


def test_a_bad_time_does_not_move_those_after_it():
    """A single repeated, backward or missing time is replaced; the next good time is taken as it is."""
    clock = PresentationClock(25)
    assert [clock.seconds(stamp) for stamp in (5.0, 5.04, 5.04, 5.08, 5.02, 5.12, None, 5.2)] == pytest.approx(
        [0, 0.04, 0.041, 0.08, 0.081, 0.12, 0.16, 0.2]
    )


def test_first_frames_without_times_are_placed_by_the_rate():
    """The first time that there is belongs to its frame's index / rate; the frames before keep their distance."""
    clock = PresentationClock(25)
    assert [clock.seconds(stamp) for stamp in (None, None, None, 7.0, 7.04, 7.2)] == pytest.approx(
        [0, 0.04, 0.08, 0.12, 0.16, 0.32]
    )


def test_a_time_that_never_moves_is_no_time():
    """A container that gives all frames the same time gives none: the rate fills in."""
    clock = PresentationClock(25)
    assert [clock.seconds(stamp) for stamp in (0.0, 0.0, 0.0, 0.0, 0.0)] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


def test_a_time_that_stands_still_for_long_is_no_time():
    """A single repetition moves a frame by a millisecond only; from the second one on the rate fills in."""
    clock = PresentationClock(25)
    assert [clock.seconds(stamp) for stamp in (0.0, 0.04, 0.04, 0.04, 0.04, 0.2)] == pytest.approx(
        [0, 0.04, 0.041, 0.081, 0.121, 0.2]
    )


def test_a_clip_of_joined_pieces_goes_on():
    """When the times begin anew in the middle, they go on from where they were."""
    clock = PresentationClock(25)
    assert [clock.seconds(stamp) for stamp in (7.0, 8.0, 9.0, 2.0, 3.0)] == pytest.approx([0, 1, 2, 2.04, 3.04])
