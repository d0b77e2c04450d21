"""Queries that are turned into SQL once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import peewee
from peewee import BooleanField, Database, Field, ForeignKeyField, Query

if TYPE_CHECKING:
    from collections.abc import Sequence
from edge.store.sql.query import Converter, Row, execute_sql, locked


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    field: Field | None


def slot(name: str, field: Field | None = None) -> peewee.Value:
    """The place of a value in a ``Prepared`` query; with ``field`` the value is converted as that column wants it."""
    return peewee.Value(_Slot(name, field), converter=False, unpack=False)


class Prepared:
    """A query that Peewee turns into SQL once, for work where building it anew costs more than running it.

    ``columns`` are what it returns: their values come back as Python's, without them as the database has them. With
    ``lock`` the rows are ``locked``. Made at import, used by any thread.
    """

    def __init__(self, query: Query, columns: Sequence[Field] = (), *, lock: bool = False) -> None:
        self._query = query
        self._lock = lock
        # Only what is not Python's already; half of the time of a row would go into turning text into text.
        self._convert: list[tuple[int, Converter]] = [
            (place, column.python_value) for place, column in enumerate(columns) if not _is_plain(column)
        ]
        self._compiled: dict[type[Database], tuple[str, list[object], list[tuple[int, str, Converter | None]]]] = {}

    def rows(self, db: Database, **values: object) -> list[Row]:
        """All rows, with each slot filled by the value of its name."""
        found = self.raw(db, **values)
        return [self.python(row) for row in found] if self._convert else found

    def raw(self, db: Database, **values: object) -> list[Row]:
        """``rows`` as the database has them; ``python`` converts one."""
        sql, constants, slots = self._compiled.get(type(db)) or self._compile(db)
        parameters = constants.copy()
        for place, name, to_database in slots:
            value = values[name]
            parameters[place] = value if to_database is None else to_database(value)
        return execute_sql(db, sql, parameters)

    def python(self, row: Row) -> Row:
        """A row of ``raw`` with Python's values."""
        values = list(row)
        for place, to_python in self._convert:
            values[place] = to_python(values[place])
        return tuple(values)

    def first(self, db: Database, **values: object) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(db, **values)), None)

    def run(self, db: Database, **values: object) -> None:
        """For a statement that returns nothing."""
        self.rows(db, **values)

    def _compile(self, db: Database) -> tuple[str, list[object], list[tuple[int, str, Converter | None]]]:
        query: Any = self._query
        if self._lock:
            query = locked(db, query)
        sql, parameters = db.get_sql_context().sql(query).query()  # type: ignore[no-untyped-call]  # as above
        slots = [
            (place, parameter.name, parameter.field.db_value if parameter.field is not None else None)
            for place, parameter in enumerate(parameters)
            if isinstance(parameter, _Slot)
        ]
        compiled = self._compiled[type(db)] = (str(sql), list(parameters), slots)
        return compiled


def _is_plain(column: Field) -> bool:
    """Whether the driver's value is Python's already."""
    own = type(column).python_value in (Field.python_value, ForeignKeyField.python_value)
    return own and not isinstance(column, BooleanField)
