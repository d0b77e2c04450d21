"""Keeps the audit log: who changed what, when, and what it was before."""

from __future__ import annotations

import json
import os
import pwd
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.store.counts.validation import checked_note, checked_text
from edge.store.schema.models import AuditRow
from edge.store.sql.query import execute, fetch_rows
from edge.store.sql.times import to_utc, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from peewee import Database


def current_account(environ: Mapping[str, str] = os.environ) -> str:
    """The name of the account that runs the program; behind sudo, of the person who used sudo."""
    if name := environ.get("SUDO_USER"):
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # an account without a name, as in a container
        return f"uid {os.getuid()}"


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who makes a change, when, and why: by default the account that runs the program, now.

    RefusedError for an actor or a note that is not text, and for a time without a zone.
    """

    actor: str = field(default_factory=current_account)
    at: datetime = field(default_factory=utc_now)
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what the audit log cannot store before anything is changed."""
        checked_text("the actor", self.actor)
        checked_note("the note", self.note)
        to_utc(self.at)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An entry of the audit log; ``before`` and ``after`` have the values that differ, None where there is nothing."""

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
        by: Attribution,
        action: str,
        subject: str,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        note: str | None = None,
    ) -> None:
        """Add an entry. Inside the transaction of the change itself, so that neither is stored without the other."""
        values = {
            AuditRow.at: by.at,
            AuditRow.actor: by.actor,
            AuditRow.action: action,
            AuditRow.subject: subject,
            AuditRow.before: _to_json(before),
            AuditRow.after: _to_json(after),
            AuditRow.note: by.note if note is None else note,
        }
        execute(self._db, AuditRow.insert(values))

    def newest(self, limit: int = 50, *, actor: str | None = None, action: str | None = None) -> list[AuditRecord]:
        """The last ``limit`` entries, the newest first; of one actor or action if named."""
        columns = (
            *(AuditRow.id, AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.subject),
            *(AuditRow.before, AuditRow.after, AuditRow.note),
        )
        query = AuditRow.select(*columns).order_by(AuditRow.id.desc()).limit(limit)
        if actor is not None:
            query = query.where(AuditRow.actor == actor)
        if action is not None:
            query = query.where(AuditRow.action == action)
        return [
            AuditRecord(row_id, at, actor, action, subject, _from_json(before), _from_json(after), note)
            for row_id, at, actor, action, subject, before, after, note in fetch_rows(self._db, query)
        ]


def _to_json(values: Mapping[str, object] | None) -> str | None:
    return None if values is None else json.dumps(values, ensure_ascii=False, default=str)


def _from_json(text: str | None) -> dict[str, object] | None:
    return None if text is None else dict(json.loads(text))
