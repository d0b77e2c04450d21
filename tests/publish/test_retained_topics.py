"""Retained states: the last word wins, at most one message of a topic is on the way, and the highest seq is right."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from edge.core.occupancy import Occupancy
from edge.mqtt.topics import Topics
from edge.publish.floor_topics import FloorStates
from edge.publish.retained_topics import RetainedStates

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


def settle(states, sent):
    """Let the broker acknowledge until nothing is left to send; what each topic says then."""
    seen = 0
    while not states.settled:
        states.pump(sent)
        for mid in range(seen, len(sent)):
            states.acknowledged(mid)
        seen = len(sent)
    return dict(sent)


def test_what_is_wanted_is_sent_once_and_in_its_order():
    """No message is repeated on a connection, and the order is that of the wants."""
    states, sent = RetainedStates(), Sent()
    states.want("a", b"1")
    states.want("b", b"2")
    states.pump(sent)
    states.pump(sent)
    assert sent == [("a", b"1"), ("b", b"2")]
    assert not states.settled
    assert states.acknowledged(0)
    assert states.acknowledged(1)
    assert not states.acknowledged(1)
    assert states.settled
    states.pump(sent)
    assert len(sent) == 2


def test_a_topic_that_changes_fast_sends_only_its_last_word():
    """While a message is on the way the wants pile up to one, not to many."""
    states, sent = RetainedStates(), Sent()
    for number in range(100):
        states.want("a", b"%d" % number)
        states.pump(sent)
    assert sent == [("a", b"0")]
    states.acknowledged(0)
    states.pump(sent)
    assert sent[1:] == [("a", b"99")]


def test_a_new_connection_is_told_everything_again():
    """What a broker holds after an outage is not known."""
    states, sent = RetainedStates(), Sent()
    states.want("a", b"1")
    states.pump(sent)
    states.acknowledged(0)
    states.restart()
    assert not states.settled
    states.pump(sent)
    assert sent == [("a", b"1"), ("a", b"1")]


def test_a_topic_that_is_cleared_is_forgotten_once_the_broker_knows():
    """The empty message goes out once, and not again at the next connection."""
    states, sent = RetainedStates(), Sent()
    states.want("a", b"")
    states.pump(sent)
    states.acknowledged(0)
    states.restart()
    states.pump(sent)
    assert sent == [("a", b"")]
    assert states.settled


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 50)), max_size=30),
    st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_the_highest_seq_of_each_floor_wins_in_any_order(reports, pumped):
    """However reports and sends are mixed, no topic ever goes back, and all end at the newest."""
    states, sent = RetainedStates(), Sent()
    told = FloorStates(states, TOPICS)
    for (floor_id, seq), pump in zip(reports, pumped, strict=False):
        told.report([floor(floor_id, seq)])
        if pump:
            states.pump(sent)
            for mid in range(len(sent)):
                states.acknowledged(mid)
    final = settle(states, sent)
    for floor_id in {floor_id for floor_id, _ in reports}:
        topic = TOPICS.floor_state(f"p{floor_id}")
        seqs = [json.loads(payload)["seq"] for at, payload in sent if at == topic]
        assert seqs == sorted(set(seqs))
        highest = max(seq for at, seq in reports if at == floor_id)
        assert json.loads(final[topic])["seq"] == highest
        assert final[TOPICS.floor_available(f"p{floor_id}")] == b"%d" % (1000 - highest)
    if reports:
        assert json.loads(final[TOPICS.site_state])["floors"] == len({floor_id for floor_id, _ in reports})


def test_a_floor_that_is_renamed_leaves_no_ghost():
    """The topics of the old name are cleared; two floors that swap names keep both."""
    states, sent = RetainedStates(), Sent()
    told = FloorStates(states, TOPICS)
    told.report([floor(1, 1, "A"), floor(2, 1, "B")], complete=True)
    told.report([floor(1, 2, "B"), floor(2, 2, "A")])
    told.report([floor(1, 3, "C")])
    final = settle(states, sent)
    assert json.loads(final[TOPICS.floor_state("a")])["floor_id"] == 2
    assert final[TOPICS.floor_state("b")] == b""
    assert final[TOPICS.floor_available("b")] == b""
    assert json.loads(final[TOPICS.floor_state("c")])["floor_id"] == 1


def test_a_complete_report_that_is_late_does_not_undo_a_newer_one():
    """The database was read before the change that was told of meanwhile."""
    states, sent = RetainedStates(), Sent()
    told = FloorStates(states, TOPICS)
    told.report([floor(1, 6)])
    told.report([floor(1, 5)], complete=True)
    assert json.loads(settle(states, sent)[TOPICS.floor_state("p1")])["seq"] == 6


def test_a_floor_whose_name_gives_no_topic_is_told_of_and_left_out(caplog):
    """One unfit name does not silence the others."""
    states, sent = RetainedStates(), Sent()
    told = FloorStates(states, TOPICS)
    told.report([floor(1, 1, "!!!"), floor(2, 1)])
    told.report([floor(1, 2, "!!!")])
    final = settle(states, sent)
    assert set(final) == {TOPICS.floor_state("p2"), TOPICS.floor_available("p2"), TOPICS.site_state}
    assert caplog.text.count("gives no topic") == 1
