"""Retained topics: the last payload wins, one message of a topic is in flight at most, and the highest seq is shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from edge.core.occupancy import Occupancy
from edge.mqtt.topics import Topics
from edge.publish.floor_topics import FloorTopics
from edge.publish.retained_topics import RetainedTopics

TOPICS = Topics("smartpark", "garage", "pi-1")
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


class Sent(list):
    """Takes what is published; the packet id is the place in the list."""

    def __call__(self, topic, payload):
        self.append((topic, payload))
        return len(self) - 1


def floor(floor_id, seq, name=None):
    """A floor whose count is its seq."""
    return Occupancy(floor_id, name or f"P{floor_id}", "", 1000, seq, True, MOMENT, seq)


def final_payloads(retained, sent):
    """Acknowledge until nothing is left to send; the last payload of each topic."""
    seen = 0
    while not retained.all_acknowledged:
        retained.send(sent)
        for mid in range(seen, len(sent)):
            retained.acknowledge(mid)
        seen = len(sent)
    return dict(sent)


def test_each_payload_is_sent_once_and_in_its_order():
    """No message is repeated on a connection, and the order is that of the calls."""
    retained, sent = RetainedTopics(), Sent()
    retained.set("a", b"1")
    retained.set("b", b"2")
    retained.send(sent)
    retained.send(sent)
    assert sent == [("a", b"1"), ("b", b"2")]
    assert not retained.all_acknowledged
    assert retained.acknowledge(0)
    assert retained.acknowledge(1)
    assert not retained.acknowledge(1)
    assert retained.all_acknowledged
    retained.send(sent)
    assert len(sent) == 2


def test_a_topic_that_changes_fast_sends_only_its_last_payload():
    """While a message is in flight only the last payload waits."""
    retained, sent = RetainedTopics(), Sent()
    for number in range(100):
        retained.set("a", b"%d" % number)
        retained.send(sent)
    assert sent == [("a", b"0")]
    retained.acknowledge(0)
    retained.send(sent)
    assert sent[1:] == [("a", b"99")]


def test_everything_is_sent_again_on_a_new_connection():
    """What a broker holds after an outage is not known."""
    retained, sent = RetainedTopics(), Sent()
    retained.set("a", b"1")
    retained.send(sent)
    retained.acknowledge(0)
    retained.connection_changed()
    assert not retained.all_acknowledged
    retained.send(sent)
    assert sent == [("a", b"1"), ("a", b"1")]


def test_a_topic_is_cleared_once():
    """The empty message is sent once, and not again on the next connection."""
    retained, sent = RetainedTopics(), Sent()
    retained.set("a", b"")
    retained.send(sent)
    retained.acknowledge(0)
    retained.connection_changed()
    retained.send(sent)
    assert sent == [("a", b"")]
    assert retained.all_acknowledged


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 50)), max_size=30),
    st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_the_highest_seq_of_each_floor_wins_in_any_order(reports, sent_after):
    """In any mix of reports and sends no topic goes back, and all end at the newest."""
    retained, sent = RetainedTopics(), Sent()
    floors = FloorTopics(retained, TOPICS)
    for (floor_id, seq), sends in zip(reports, sent_after, strict=False):
        floors.report([floor(floor_id, seq)])
        if sends:
            retained.send(sent)
            for mid in range(len(sent)):
                retained.acknowledge(mid)
    final = final_payloads(retained, sent)
    for floor_id in {floor_id for floor_id, _ in reports}:
        topic = TOPICS.floor_state(f"p{floor_id}")
        seqs = [json.loads(payload)["seq"] for at, payload in sent if at == topic]
        assert seqs == sorted(set(seqs))
        highest = max(seq for at, seq in reports if at == floor_id)
        assert json.loads(final[topic])["seq"] == highest
        assert final[TOPICS.floor_available(f"p{floor_id}")] == b"%d" % (1000 - highest)
    if reports:
        assert json.loads(final[TOPICS.site_state])["floors"] == len({floor_id for floor_id, _ in reports})


def test_the_topics_of_a_floors_old_name_are_cleared():
    """Two floors that swap their names keep both topics."""
    retained, sent = RetainedTopics(), Sent()
    floors = FloorTopics(retained, TOPICS)
    floors.report([floor(1, 1, "A"), floor(2, 1, "B")], complete=True)
    floors.report([floor(1, 2, "B"), floor(2, 2, "A")])
    floors.report([floor(1, 3, "C")])
    final = final_payloads(retained, sent)
    assert json.loads(final[TOPICS.floor_state("a")])["floor_id"] == 2
    assert final[TOPICS.floor_state("b")] == b""
    assert final[TOPICS.floor_available("b")] == b""
    assert json.loads(final[TOPICS.floor_state("c")])["floor_id"] == 1


def test_a_complete_report_that_is_late_does_not_undo_a_newer_one():
    """The database was read before the change that was reported meanwhile."""
    retained, sent = RetainedTopics(), Sent()
    floors = FloorTopics(retained, TOPICS)
    floors.report([floor(1, 6)])
    floors.report([floor(1, 5)], complete=True)
    assert json.loads(final_payloads(retained, sent)[TOPICS.floor_state("p1")])["seq"] == 6


def test_a_floor_whose_name_gives_no_topic_is_logged_and_left_out(caplog):
    """It is logged once, and the other floors are published."""
    retained, sent = RetainedTopics(), Sent()
    floors = FloorTopics(retained, TOPICS)
    floors.report([floor(1, 1, "!!!"), floor(2, 1)])
    floors.report([floor(1, 2, "!!!")])
    final = final_payloads(retained, sent)
    assert set(final) == {TOPICS.floor_state("p2"), TOPICS.floor_available("p2"), TOPICS.site_state}
    assert caplog.text.count("gives no topic") == 1
