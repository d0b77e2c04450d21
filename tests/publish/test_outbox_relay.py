"""The relay of the outbox, against every order of reads, sends, acknowledgements and lost connections."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.mqtt_servers import as_stored

from edge.core.events import Direction, Event, StoredEvent
from edge.publish.outbox_relay import Relay

WINDOW = 6


def any_event(number):
    """An event; the relay uses nothing of it but the ids."""
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    event = Event(camera_id="ramp", floor="G", track_id=f"run-{number}", direction=Direction.ENTRY, timestamp=moment)
    return as_stored(event, number)


class RelayMachine(RuleBasedStateMachine):
    """A broker and an outbox at their worst: losses, failures, and rows that linger after they were to go."""

    def __init__(self):
        super().__init__()
        self.rows: dict[int, StoredEvent] = {}
        self.numbers = itertools.count(1)
        self.queued: list[int] = []
        self.reads_fail = False
        self.drops_fail = False
        self.lazy = False
        self.pubacks_race = False
        self.faults: list[str] = []
        self.mids = itertools.count(1)
        self.wire: dict[int, int] = {}
        self.told: set[int] = set()
        self.open = True
        self.relay = Relay(self.read, self.acknowledge, window=WINDOW)
        self.relay.restart(opened=True)

    def read(self, limit):
        if self.reads_fail:
            raise OSError("database is locked")
        page = [row for _, row in sorted(self.rows.items())][:limit]
        if self.pubacks_race:
            self.all_pubacks_come()
        return page

    def acknowledge(self, ids):
        if self.drops_fail:
            raise OSError("database is locked")
        if not set(ids) <= self.told:
            self.faults.append("dropped before its PUBACK")
        self.queued.extend(ids)
        if not self.lazy:
            self.drop()

    def drop(self):
        for number in self.queued:
            self.rows.pop(number, None)
        self.queued.clear()

    def publish(self, pending):
        mid = next(self.mids)
        if pending.id in self.wire.values():
            self.faults.append("sent twice on one connection")
        if pending.id in self.told:
            self.faults.append("sent again by the same process after its PUBACK")
        self.wire[mid] = pending.id
        return mid

    @rule(count=st.integers(1, 4))
    def events_are_committed(self, count):
        for _ in range(count):
            number = next(self.numbers)
            self.rows[number] = any_event(number)
        self.relay.events_waiting()

    @rule()
    def the_store_steps(self):
        self.relay.retry_now()
        self.relay.step()

    @precondition(lambda self: self.open)
    @rule()
    def the_link_turns(self):
        self.relay.pump(self.publish)

    @rule()
    def both_threads_run(self):
        self.the_store_steps()
        if self.open:
            self.the_link_turns()

    @precondition(lambda self: self.wire)
    @rule()
    def all_pubacks_come(self):
        for mid in sorted(self.wire):
            self.told.add(self.wire.pop(mid))
            assert self.relay.acknowledged(mid)

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def a_puback_comes(self, data):
        mid = data.draw(st.sampled_from(sorted(self.wire)))
        self.told.add(self.wire.pop(mid))
        assert self.relay.acknowledged(mid)

    @rule()
    def a_foreign_puback_comes(self):
        assert not self.relay.acknowledged(99_999)

    @rule()
    def the_connection_changes(self):
        self.open = not self.open
        self.wire.clear()
        self.relay.restart(opened=self.open)

    @rule(reads_fail=st.booleans(), drops_fail=st.booleans(), lazy=st.booleans())
    def the_database_changes(self, reads_fail, drops_fail, lazy):
        self.reads_fail, self.drops_fail, self.lazy = reads_fail, drops_fail, lazy

    @rule(race=st.booleans())
    def pubacks_come_during_reads(self, race):
        self.pubacks_race = race

    @rule()
    def the_database_catches_up(self):
        self.drop()

    @invariant()
    def nothing_went_wrong(self):
        assert self.faults == []

    @invariant()
    def no_more_is_on_the_way_than_the_window(self):
        assert len(self.wire) <= WINDOW
        assert self.relay.counts[2] == len(self.wire)

    @invariant()
    def only_told_events_left_the_outbox(self):
        assert set(range(1, max(self.rows, default=0))) - set(self.rows) <= self.told

    @invariant()
    def drained_means_empty(self):
        assert not (self.relay.drained and self.rows)

    def teardown(self):
        """When the trouble ends, everything is told, and the outbox is empty."""
        self.reads_fail = self.drops_fail = self.lazy = False
        if not self.open:
            self.the_connection_changes()
        for _ in range(3 * len(self.rows) + 10):
            self.drop()
            self.the_store_steps()
            self.the_link_turns()
            self.all_pubacks_come()
        assert self.faults == []
        assert self.rows == {}
        assert self.relay.drained


TestRelay = RelayMachine.TestCase
TestRelay.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


def test_a_disconnected_relay_reads_only_when_it_is_asked_to_look():
    """Without a broker the database is left in peace; a stop may look whether anything is left."""
    reads = []
    relay = Relay(lambda limit: reads.append(limit) or [], lambda ids: None)
    relay.step()
    assert reads == []
    assert not relay.drained
    relay.step(look=True)
    assert len(reads) == 1
    assert relay.drained
    relay.events_waiting()
    assert not relay.drained


def test_rows_that_are_added_during_a_read_are_asked_for_again():
    """A commit between the query and its return is not overlooked."""
    pages = [[any_event(1)], [any_event(1), any_event(2)]]

    def read(limit):
        relay.events_waiting()
        return pages.pop(0)

    relay = Relay(read, lambda ids: None)
    relay.restart(opened=True)
    relay.step()
    relay.step()
    sent = []
    relay.pump(lambda pending: sent.append(pending.id) or len(sent))
    assert sent == [1, 2]


def test_a_connection_that_changes_during_a_read_has_every_row_sent_once():
    """What was read while one connection ended and another began is sent on the new one, and not twice."""
    row = any_event(1)
    changes = [True]

    def read(limit):
        if changes:
            changes.pop()
            relay.restart(opened=False)
            relay.restart(opened=True)
        return [row]

    relay = Relay(read, lambda ids: None)
    relay.restart(opened=True)
    sent = []
    for _ in range(3):
        relay.step()
        relay.pump(lambda pending: sent.append(pending.id) or len(sent))
    assert sent == [1]


def test_an_outbox_that_fails_is_asked_less_and_less_often(caplog):
    """No busy loop on a locked database, and a reason that stays is told once."""

    def fail(limit):
        raise OSError("database is locked")

    relay = Relay(fail, lambda ids: None)
    relay.restart(opened=True)
    waits = []
    for _ in range(4):
        waits.append(relay.step())
        assert relay.step() <= waits[-1]
        relay.retry_now()
    assert 0.25 <= waits[0] <= 0.5
    assert 2.0 <= waits[3] <= 4.0
    assert caplog.text.count("database is locked") == 1
