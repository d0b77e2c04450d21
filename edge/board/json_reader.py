"""JSON objects from outside, read one key and type at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from edge.core.errors import SmartParkError


class PayloadError(SmartParkError):
    """A message that is not what its topic promises; the text names the key."""


class Fields:
    """A JSON object from outside, asked for one key and type at a time."""

    def __init__(self, source: bytes | Mapping[str, Any]) -> None:
        self._fields = source if isinstance(source, Mapping) else _load(source)

    def is_null(self, key: str) -> bool:
        """Whether the key is missing or null."""
        return self._fields.get(key) is None

    def text(self, key: str) -> str:
        """A string."""
        value = self._fields.get(key)
        return value if isinstance(value, str) else self._wrong(key, "a string")

    def truth(self, key: str) -> bool:
        """True or false."""
        value = self._fields.get(key)
        return value if isinstance(value, bool) else self._wrong(key, "true or false")

    def integer(self, key: str) -> int:
        """A whole number."""
        value = self._fields.get(key)
        # bool is a kind of int in Python, but not in JSON.
        return value if isinstance(value, int) and not isinstance(value, bool) else self._wrong(key, "an integer")

    def count(self, key: str) -> int:
        """A whole number, 0 or more."""
        value = self.integer(key)
        return value if value >= 0 else self._wrong(key, "0 or more")

    def number(self, key: str) -> float:
        """A finite number."""
        value = self._fields.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong(key, "a number")
        try:
            finite = float(value)
        except OverflowError:
            finite = math.inf
        return finite if math.isfinite(finite) else self._wrong(key, "a finite number")

    def time(self, key: str) -> datetime:
        """A time with a time zone, as UTC."""
        try:
            moment = datetime.fromisoformat(self.text(key))
            return moment.astimezone(UTC) if moment.tzinfo else self._wrong(key, "a time with a time zone")
        except (ValueError, OverflowError):
            self._wrong(key, "a time in ISO 8601")

    def optional_table(self, key: str) -> Fields | None:
        """An object, None for null."""
        value = self._fields.get(key)
        if value is None:
            return None
        return Fields(value) if isinstance(value, dict) else self._wrong(key, "an object or null")

    def tables(self, key: str) -> list[Fields]:
        """A list of objects."""
        value = self._fields.get(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._wrong(key, "a list of objects")
        return [Fields(item) for item in value]

    def _wrong(self, key: str, wanted: str) -> NoReturn:
        if key not in self._fields:
            raise PayloadError(f"{key} is missing")
        value = self._fields[key]
        shown = type(value).__name__ if isinstance(value, dict | list) else repr(value)[:60]
        raise PayloadError(f"{key} is not {wanted} but {shown}")


def _load(payload: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise PayloadError("not a JSON object")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
