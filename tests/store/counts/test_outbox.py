"""Tests of the outbox: it has each event until it is acknowledged, the oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.store.counts.events import Events
from edge.store.counts.outbox import Outbox
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import Database

    from edge.core.events import Event


def test_events_come_in_the_order_in_which_they_were_recorded(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """The timestamps do not matter; acknowledged events are left out."""
    events = [make_event(n) for n in (5, 3, 9, 1, 7)]
    Events(db).record_all(events, now)
    outbox = Outbox(db)
    assert outbox.pending(0) == outbox.pending(-1) == []
    waiting = outbox.pending(9)
    assert [stored.event for stored in waiting] == events
    assert [stored.id for stored in waiting] == sorted(stored.id for stored in waiting)
    assert outbox.pending(2) == waiting[:2]
    outbox.acknowledge([waiting[0].id])
    assert outbox.pending(2) == waiting[1:3]


def test_an_acknowledged_event_leaves_the_outbox_and_stays_in_the_database(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """Only the named events are removed; a repetition and unknown ids do nothing."""
    Events(db).record_all([make_event(n) for n in range(3)], now)
    outbox = Outbox(db)
    first, second, third = (stored.id for stored in outbox.pending(9))
    assert outbox.acknowledge([second, 999]) == 1
    assert outbox.acknowledge([second, second]) == 0
    assert outbox.acknowledge([]) == 0
    assert [stored.id for stored in outbox.pending(9)] == [first, third]
    assert (outbox.count(), Events(db).count()) == (2, 3)
    assert verify(db) == []


def test_a_duplicate_of_an_acknowledged_event_is_not_sent_again(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """Recording an acknowledged event again does not put it into the outbox."""
    Events(db).record(make_event(1), now)
    Outbox(db).acknowledge([stored.id for stored in Outbox(db).pending(9)])
    Events(db).record(make_event(1), now)
    assert Outbox(db).count() == 0


def test_any_number_is_acknowledged_at_once(db: Database, make_event: Callable[..., Event], now: datetime) -> None:
    """More ids than SQLite takes variables in one statement are possible."""
    Events(db).record_all([make_event(n) for n in range(3)], now)
    assert Outbox(db).acknowledge(range(1, 100_000)) == 3
    assert Outbox(db).count() == 0
