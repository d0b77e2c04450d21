"""The outbox relay, against every order of reads, sends, acknowledgements and lost connections."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.mqtt_servers import as_stored

from edge.core.events import CORRECTED_KEY, Direction, Event, StoredEvent
from edge.publish.outbox_relay import OutboxRelay

WINDOW = 6


def any_event(number):
    """An event; the relay uses nothing of it but the ids."""
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    event = Event(camera_id="ramp", floor="G", track_id=f"run-{number}", direction=Direction.ENTRY, timestamp=moment)
    return as_stored(event, number)


class RelayMachine(RuleBasedStateMachine):
    """A broker and an outbox with lost connections, failures, and rows that stay a while after their removal."""

    def __init__(self):
        super().__init__()
        self.rows: dict[int, StoredEvent] = {}
        self.versions: dict[int, StoredEvent] = {}
        self.numbers = itertools.count(1)
        self.queued: list[int] = []
        self.reads_fail = False
        self.drops_fail = False
        self.removes_later = False
        self.pubacks_race = False
        self.faults: list[str] = []
        self.mids = itertools.count(1)
        self.wire: dict[int, int] = {}
        self.acknowledged: set[int] = set()
        self.open = True
        self.relay = OutboxRelay(self.read, self.acknowledge, window=WINDOW)
        self.relay.connection_changed(opened=True)

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
        if not set(ids) <= self.acknowledged:
            self.faults.append("dropped before its PUBACK")
        self.queued.extend(ids)
        if not self.removes_later:
            self.drop()

    def drop(self):
        for key in self.queued:
            event = self.rows.get(key % CORRECTED_KEY)
            if event is not None and event.outbox_key == key:
                del self.rows[event.id]
        self.queued.clear()

    def publish(self, pending):
        mid = next(self.mids)
        if pending.outbox_key in self.wire.values():
            self.faults.append("sent twice on one connection")
        if pending.outbox_key in self.acknowledged:
            self.faults.append("sent again by the same process after its PUBACK")
        self.wire[mid] = pending.outbox_key
        return mid

    @rule(count=st.integers(1, 4))
    def events_are_committed(self, count):
        for _ in range(count):
            number = next(self.numbers)
            self.rows[number] = self.versions[number] = any_event(number)
        self.relay.events_added()

    @rule(share=st.integers(1, 3))
    def times_are_corrected(self, share):
        """Some events, also such as have left the outbox, wait in it with another time."""
        for number in list(self.versions)[::share]:
            corrected = replace(self.versions[number], correction=timedelta(hours=1))
            if self.versions[number] != corrected:
                self.rows[number] = self.versions[number] = corrected
        self.relay.events_added()

    @rule()
    def the_database_thread_runs(self):
        self.relay.retry_now()
        self.relay.use_outbox()

    @precondition(lambda self: self.open)
    @rule()
    def the_link_ticks(self):
        self.relay.send(self.publish)

    @rule()
    def both_threads_run(self):
        self.the_database_thread_runs()
        if self.open:
            self.the_link_ticks()

    @precondition(lambda self: self.wire)
    @rule()
    def all_pubacks_come(self):
        for mid in sorted(self.wire):
            self.acknowledged.add(self.wire.pop(mid))
            assert self.relay.acknowledge(mid)

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def a_puback_comes(self, data):
        mid = data.draw(st.sampled_from(sorted(self.wire)))
        self.acknowledged.add(self.wire.pop(mid))
        assert self.relay.acknowledge(mid)

    @rule()
    def a_foreign_puback_comes(self):
        assert not self.relay.acknowledge(99_999)

    @rule()
    def the_connection_changes(self):
        self.open = not self.open
        self.wire.clear()
        self.relay.connection_changed(opened=self.open)

    @rule(reads_fail=st.booleans(), drops_fail=st.booleans(), removes_later=st.booleans())
    def the_database_changes(self, reads_fail, drops_fail, removes_later):
        self.reads_fail, self.drops_fail, self.removes_later = reads_fail, drops_fail, removes_later

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
    def no_more_is_in_flight_than_the_window(self):
        assert len(self.wire) <= WINDOW
        assert self.relay.counts[2] == len(self.wire)

    @invariant()
    def only_acknowledged_events_left_the_outbox(self):
        left = set(self.versions) - set(self.rows)
        assert {self.versions[number].outbox_key for number in left} <= self.acknowledged

    @invariant()
    def drained_means_empty(self):
        assert not (self.relay.drained and self.rows)

    def teardown(self):
        """When the failures end, every event is acknowledged and the outbox is empty."""
        self.reads_fail = self.drops_fail = self.removes_later = False
        if not self.open:
            self.the_connection_changes()
        for _ in range(6 * len(self.rows) + 10):
            self.drop()
            self.the_database_thread_runs()
            self.the_link_ticks()
            self.all_pubacks_come()
        assert self.faults == []
        assert self.rows == {}
        assert self.relay.drained


TestRelay = RelayMachine.TestCase
TestRelay.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


def test_a_disconnected_relay_reads_only_when_it_is_asked_to_look():
    """Without a broker the database is not read; a stop may read whether anything is left."""
    reads = []
    relay = OutboxRelay(lambda limit: reads.append(limit) or [], lambda ids: None)
    relay.use_outbox()
    assert reads == []
    assert not relay.drained
    relay.use_outbox(look=True)
    assert len(reads) == 1
    assert relay.drained
    relay.events_added()
    assert not relay.drained


def test_rows_that_are_added_during_a_read_are_read_next():
    """A commit between the query and its return is not overlooked."""
    pages = [[any_event(1)], [any_event(1), any_event(2)]]

    def read(limit):
        relay.events_added()
        return pages.pop(0)

    relay = OutboxRelay(read, lambda ids: None)
    relay.connection_changed(opened=True)
    relay.use_outbox()
    relay.use_outbox()
    sent = []
    relay.send(lambda pending: sent.append(pending.id) or len(sent))
    assert sent == [1, 2]


def test_a_connection_that_changes_during_a_read_has_every_row_sent_once():
    """What was read while one connection ended and another began is sent on the new one, and not twice."""
    row = any_event(1)
    changes = [True]

    def read(limit):
        if changes:
            changes.pop()
            relay.connection_changed(opened=False)
            relay.connection_changed(opened=True)
        return [row]

    relay = OutboxRelay(read, lambda ids: None)
    relay.connection_changed(opened=True)
    sent = []
    for _ in range(3):
        relay.use_outbox()
        relay.send(lambda pending: sent.append(pending.id) or len(sent))
    assert sent == [1]


def test_an_outbox_that_fails_is_read_less_and_less_often(caplog):
    """No busy loop on a locked database, and a reason that stays is logged once."""

    def fail(limit):
        raise OSError("database is locked")

    relay = OutboxRelay(fail, lambda ids: None)
    relay.connection_changed(opened=True)
    waits = []
    for _ in range(4):
        waits.append(relay.use_outbox())
        assert relay.use_outbox() <= waits[-1]
        relay.retry_now()
    assert 0.25 <= waits[0] <= 0.5
    assert 2.0 <= waits[3] <= 4.0
    assert caplog.text.count("database is locked") == 1
