"""This module has Peewee build the SQL of a query once, for work where building it costs more than running it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peewee import BooleanField, Database, Field, ForeignKeyField, Query, Value

from edge.store.sql.query import Converter, SqlRow, execute_sql, locked

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    field: Field | None


@dataclass(frozen=True, slots=True)
class _Statement:
    """A query as SQL. ``slots`` are the position, name and converter of each value that a call gives."""

    sql: str
    constants: list[object]
    slots: list[tuple[int, str, Converter | None]]


def slot(name: str, field: Field | None = None) -> Value:
    """The place of a value in a ``Prepared`` query; with ``field`` the value is converted as that column wants it."""
    return Value(_Slot(name, field), converter=False, unpack=False)


class Prepared:
    """A query with slots, which is turned into SQL at its first use on each kind of database.

    ``columns`` are what it returns: their values come back as Python's; without them, as the database has them. With
    ``lock`` the rows are ``locked``. An object is made at import and may be used by any thread.
    """

    def __init__(self, query: Query, columns: Sequence[Field] = (), *, lock: bool = False) -> None:
        self._query = query
        self._lock = lock
        # Only values that are not Python's already: to convert text to text would take half of the time of a row.
        self._converters: list[tuple[int, Converter]] = [
            (index, column.python_value) for index, column in enumerate(columns) if not _is_plain(column)
        ]
        self._statements: dict[type[Database], _Statement] = {}

    def rows(self, db: Database, **values: object) -> list[SqlRow]:
        """All rows, with each slot filled by the value of its name."""
        rows = self.raw_rows(db, **values)
        return [self.to_python(row) for row in rows] if self._converters else rows

    def raw_rows(self, db: Database, **values: object) -> list[SqlRow]:
        """``rows`` as the database has them; ``to_python`` converts one."""
        statement = self._statements.get(type(db)) or self._compile(db)
        parameters = statement.constants.copy()
        for position, name, to_database in statement.slots:
            value = values[name]
            parameters[position] = value if to_database is None else to_database(value)
        return execute_sql(db, statement.sql, parameters)

    def to_python(self, row: SqlRow) -> SqlRow:
        """A row of ``raw_rows`` with Python's values."""
        values = list(row)
        for index, convert in self._converters:
            values[index] = convert(values[index])
        return tuple(values)

    def first(self, db: Database, **values: object) -> SqlRow | None:
        """The first row, or None."""
        return next(iter(self.rows(db, **values)), None)

    def run(self, db: Database, **values: object) -> None:
        """For a statement that returns nothing."""
        self.rows(db, **values)

    def _compile(self, db: Database) -> _Statement:
        query: Any = self._query
        if self._lock:
            query = locked(db, query)
        sql, parameters = db.get_sql_context().sql(query).query()  # type: ignore[no-untyped-call]  # no types in the stub
        slots = [
            (position, parameter.name, parameter.field.db_value if parameter.field is not None else None)
            for position, parameter in enumerate(parameters)
            if isinstance(parameter, _Slot)
        ]
        statement = self._statements[type(db)] = _Statement(str(sql), list(parameters), slots)
        return statement


def _is_plain(column: Field) -> bool:
    """Whether the driver's value is Python's already."""
    own = type(column).python_value in (Field.python_value, ForeignKeyField.python_value)
    return own and not isinstance(column, BooleanField)
