"""Who changed what, when, and how it was before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.store.counts.validation import checked_note, checked_text
from edge.store.schema.columns import to_utc
from edge.store.schema.models import AuditEntry
from edge.store.sql.query import execute, rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from peewee import Database


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody does something now. RefusedError for an actor or a note that is no text, and for a naive time."""

    actor: str
    at: datetime
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what the log cannot hold before anything is changed."""
        checked_text("the actor", self.actor)
        checked_note("the note", self.note)
        to_utc(self.at)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A line of the audit log; ``before`` and ``after`` hold what differs, None where there is nothing."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: dict[str, object] | None
    after: dict[str, object] | None
    note: str


class Audit:
    """The audit log of one database. Used in the thread that opened the handle."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def write(
        self,
        act: Act,
        action: str,
        subject: str,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        note: str | None = None,
    ) -> None:
        """Add a line. In the transaction of the change itself, so that there is never one without the other."""
        values = {
            AuditEntry.at: act.at,
            AuditEntry.actor: act.actor,
            AuditEntry.action: action,
            AuditEntry.subject: subject,
            AuditEntry.before: _json(before),
            AuditEntry.after: _json(after),
            AuditEntry.note: act.note if note is None else note,
        }
        execute(self._db, AuditEntry.insert(values))

    def newest(self, limit: int = 50, *, actor: str | None = None, action: str | None = None) -> list[AuditRecord]:
        """The last ``limit`` lines, the newest first; of one actor or action if named."""
        columns = (
            *(AuditEntry.id, AuditEntry.at, AuditEntry.actor, AuditEntry.action, AuditEntry.subject),
            *(AuditEntry.before, AuditEntry.after, AuditEntry.note),
        )
        query = AuditEntry.select(*columns).order_by(AuditEntry.id.desc()).limit(limit)
        if actor is not None:
            query = query.where(AuditEntry.actor == actor)
        if action is not None:
            query = query.where(AuditEntry.action == action)
        return [
            AuditRecord(row_id, at, actor, action, subject, _parsed(before), _parsed(after), note)
            for row_id, at, actor, action, subject, before, after, note in rows(self._db, query)
        ]


def _json(values: Mapping[str, object] | None) -> str | None:
    return None if values is None else json.dumps(values, ensure_ascii=False, default=str)


def _parsed(text: str | None) -> dict[str, object] | None:
    return None if text is None else dict(json.loads(text))
