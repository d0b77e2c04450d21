"""The column types that Peewee does not bring, exact in both directions on every database that it speaks to."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from peewee import SQL, BigAutoField, BigIntegerField, NodeList, TextField

from edge.core.errors import RefusedError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_utc(moment: object) -> datetime:
    """The same moment in UTC. RefusedError for what is no aware datetime."""
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
    """Whole microseconds since the epoch, negative before it. RefusedError for what is no aware datetime."""
    since = to_utc(moment) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of ``to_micros``."""
    return EPOCH + timedelta(0, 0, micros)  # by place: half of the time


class Rule(SQL):
    """A piece of SQL that any driver takes as it stands: those that mark a value by ``%s`` want other ``%`` doubled."""

    def __sql__(self, ctx: Any) -> Any:
        """The text."""
        return ctx.literal(self.sql.replace("%", "%%") if ctx.state.param == "%s" else self.sql)


def check(condition: str) -> Rule:
    """The constraint of a table, or of a column, that its rows keep to a condition."""
    return Rule(f"CHECK ({condition})")


class UtcField(BigIntegerField):
    """A moment: an aware datetime in Python, integer microseconds since the epoch in the database.

    Integers sort, compare and index the same everywhere, and no float or text stands between.
    """

    def db_value(self, value: object) -> int | None:
        """What is stored. RefusedError for a naive datetime."""
        return None if value is None else to_micros(value)

    def python_value(self, value: int | None) -> datetime | None:
        """What was stored, in UTC."""
        return None if value is None else from_micros(value)


class UuidField(TextField):
    """A UUID as its usual text with dashes, so that the shell shows the id that a message carries."""

    def db_value(self, value: uuid.UUID | None) -> str | None:
        """The canonical text."""
        return None if value is None else str(value)

    def python_value(self, value: str | None) -> uuid.UUID | None:
        """The UUID of the text."""
        return None if value is None else uuid.UUID(value)


class NeverReusedField(BigAutoField):
    """A primary key that no later row gets again.

    SQLite gives the id of a deleted last row to the next one unless told otherwise; a reader that remembers how
    far it came would then pass over the new row. Databases with sequences never do that.
    """

    def ddl(self, ctx: Any) -> NodeList:
        """The column's definition."""
        column = super().ddl(ctx)
        if ctx.state.field_types.get(self.field_type) == "INTEGER":  # SQLite's rowid
            return NodeList((column, SQL("AUTOINCREMENT")))
        return column
