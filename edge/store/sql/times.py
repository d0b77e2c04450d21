"""Converts moments between Python's datetimes, whole microseconds, and text; all of them in UTC.

Integers of microseconds sort, compare and index the same on every database, and no float or text is between them and
the datetime.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from edge.core.errors import RefusedError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def utc_now() -> datetime:
    """The time of the wall clock, aware, in UTC."""
    return datetime.now(UTC)


def to_utc(moment: object) -> datetime:
    """The same moment in UTC. RefusedError for what is not an aware datetime."""
    if not isinstance(moment, datetime):
        raise RefusedError(f"a time must be a datetime with a time zone, not {type(moment).__name__}")
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise RefusedError(f"the time {moment.isoformat()} has no time zone; give it one, best datetime.UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise RefusedError(f"the time {moment.isoformat()} is out of the calendar in UTC") from None


def to_micros(moment: object) -> int:
    """Whole microseconds since the epoch, negative before it. RefusedError for what is not an aware datetime."""
    since = to_utc(moment) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of ``to_micros``."""
    return _EPOCH + timedelta(0, 0, micros)  # by position: half of the time


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and ``Z``: it sorts as text, and every program reads it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
