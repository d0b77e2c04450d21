"""This module adds column types to Peewee, which convert exactly in both directions, on SQLite and on PostgreSQL."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from peewee import SQL, BigAutoField, BigIntegerField, NodeList, TextField

from edge.store.sql.times import from_micros, to_micros

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from enum import Enum


class SqlText(SQL):
    """A piece of SQL that any driver takes as it stands: a ``%`` is doubled for drivers that mark a value by ``%s``."""

    def __sql__(self, ctx: Any) -> Any:
        """The text."""
        return ctx.literal(self.sql.replace("%", "%%") if ctx.state.param == "%s" else self.sql)


def check_constraint(condition: str) -> SqlText:
    """The constraint of a table, or of a column, that its rows fulfil a condition."""
    return SqlText(f"CHECK ({condition})")


def one_of(column: str, values: Iterable[Enum]) -> str:
    """The condition that a column has the value of a member."""
    return f"{column} IN ({', '.join(repr(str(value.value)) for value in values)})"


class UtcField(BigIntegerField):
    """A moment: an aware datetime in Python, integer microseconds since the epoch in the database."""

    def db_value(self, value: object) -> int | None:
        """What is stored. RefusedError for a naive datetime."""
        return None if value is None else to_micros(value)

    def python_value(self, value: int | None) -> datetime | None:
        """What was stored, in UTC."""
        return None if value is None else from_micros(value)


class UuidField(TextField):
    """A UUID as its usual text with dashes, so that a query in a shell shows the id that a message carries."""

    def db_value(self, value: uuid.UUID | None) -> str | None:
        """The canonical text."""
        return None if value is None else str(value)

    def python_value(self, value: str | None) -> uuid.UUID | None:
        """The UUID of the text."""
        return None if value is None else uuid.UUID(value)


class NeverReusedField(BigAutoField):
    """A primary key that is never given to a later row.

    Without AUTOINCREMENT SQLite gives the id of a deleted last row to the next row; a reader that remembers the last id
    it saw would then miss the new row. Databases with sequences never do that.
    """

    def ddl(self, ctx: Any) -> NodeList:
        """The column's definition."""
        column = super().ddl(ctx)
        if ctx.state.field_types.get(self.field_type) == "INTEGER":  # SQLite's rowid
            return NodeList((column, SQL("AUTOINCREMENT")))
        return column
