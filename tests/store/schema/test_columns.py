"""Tests of the column types: times and ids are returned exactly as they were stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import RefusedError
from edge.store.schema.columns import UtcField, UuidField
from edge.store.sql.times import from_micros, to_micros, to_utc

if TYPE_CHECKING:
    import uuid

OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_utc_time_round_trips(moment: datetime) -> None:
    """Any aware time of the calendar is exact to the microsecond, also before 1970."""
    assert from_micros(to_micros(moment)) == moment
    assert UtcField().python_value(UtcField().db_value(moment)) == moment


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)), OFFSETS)  # noqa: DTZ001
def test_a_time_with_an_offset_is_stored_as_the_same_moment(naive: datetime, offset: timezone) -> None:
    """It is returned in UTC."""
    moment = naive.replace(tzinfo=offset)
    stored = from_micros(to_micros(moment))
    assert stored == moment
    assert stored.tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_stored_times_sort_as_times_do(first: datetime, second: datetime) -> None:
    """The integers compare as the moments do, so that an index on them is an index on time."""
    assert (to_micros(first) < to_micros(second)) == (first < second)


def test_no_microsecond_is_rounded() -> None:
    """A float would round far from the epoch."""
    late = datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC)
    assert to_micros(late + timedelta(microseconds=1)) - to_micros(late) == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (datetime(2026, 5, 4, 8, 0), "has no time zone"),  # noqa: DTZ001
        (1_777_000_000.5, "not float"),
        ("2026-05-04T08:00:00Z", "not str"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "out of the calendar"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "out of the calendar"),
    ],
)
def test_a_value_that_is_no_moment_is_refused(value: object, reason: str) -> None:
    """A naive datetime, a number, a text and a time beyond the calendar are refused with the reason."""
    with pytest.raises(RefusedError, match=reason):
        to_utc(value)
    with pytest.raises(RefusedError, match=reason):
        UtcField().db_value(value)


def test_null_is_none() -> None:
    """In both directions."""
    assert UtcField().db_value(None) is None
    assert UtcField().python_value(None) is None
    assert UuidField().db_value(None) is None
    assert UuidField().python_value(None) is None


@given(st.uuids())
def test_ids_are_stored_as_the_text_that_messages_show(value: uuid.UUID) -> None:
    """The text has dashes and is converted back to the same UUID."""
    text = UuidField().db_value(value)
    assert text == str(value)
    assert UuidField().python_value(text) == value
