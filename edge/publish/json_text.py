"""JSON objects as they are sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and ``Z``; ``moment`` must be aware."""
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone cannot be told to others")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def dump(fields: Mapping[str, Any]) -> bytes:
    """Compact UTF-8 with sorted keys."""
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()
