"""The outbox holds each event until it is acknowledged, the oldest first."""

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


def test_items_come_in_the_order_in_which_they_were_recorded(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """Paging with the last id seen gives every event once, whatever its timestamp."""
    events = [make_event(n) for n in (5, 3, 9, 1, 7)]
    Events(db).record_all(events, now)
    outbox = Outbox(db)
    first = outbox.pending(0, 2)
    second = outbox.pending(first[-1].id, 2)
    third = outbox.pending(second[-1].id, 2)
    assert [item.event.event for item in first + second + third] == events
    assert outbox.pending(third[-1].id, 2) == []
    assert outbox.pending(0, 0) == outbox.pending(0, -1) == []
    assert [item.id for item in first + second + third] == sorted(item.id for item in first + second + third)


def test_an_acknowledged_item_is_gone_and_its_event_stays(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """Acknowledging takes away the named rows alone; doing it again, or with unknown ids, is harmless."""
    Events(db).record_all([make_event(n) for n in range(3)], now)
    outbox = Outbox(db)
    one, two, three = (item.id for item in outbox.pending(0, 9))
    assert outbox.acknowledge([two, 999]) == 1
    assert outbox.acknowledge([two, two]) == 0
    assert outbox.acknowledge([]) == 0
    assert [item.id for item in outbox.pending(0, 9)] == [one, three]
    assert (outbox.count(), Events(db).count()) == (2, 3)
    assert verify(db) == []


def test_a_duplicate_of_an_acknowledged_event_is_not_sent_again(
    db: Database, make_event: Callable[..., Event], now: datetime
) -> None:
    """Recording an event again after the broker had it does not put it back."""
    Events(db).record(make_event(1), now)
    Outbox(db).acknowledge([item.id for item in Outbox(db).pending(0, 9)])
    Events(db).record(make_event(1), now)
    assert Outbox(db).count() == 0


def test_any_number_is_acknowledged_at_once(db: Database, make_event: Callable[..., Event], now: datetime) -> None:
    """More ids than a statement of SQLite takes variables are no problem."""
    Events(db).record_all([make_event(n) for n in range(3)], now)
    assert Outbox(db).acknowledge(range(1, 100_000)) == 3
    assert Outbox(db).count() == 0
