"""The names of the topics, made and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.occupancy import floor_slug
from edge.mqtt.topics import ParsedTopic, TopicKind, Topics

TOPICS = Topics("smartpark", "garage", "pi-1")

letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z", "Cn"], exclude_characters="+#/")
names = st.text(letters, min_size=1, max_size=20)


def test_the_topics_are_those_of_the_documentation():
    """The names are an interface: a change of one breaks boards that are in use."""
    assert TOPICS.status == "smartpark/garage/device/pi-1/status"
    assert TOPICS.health == "smartpark/garage/device/pi-1/health"
    assert TOPICS.floor_state("ground-floor") == "smartpark/garage/floor/ground-floor/state"
    assert TOPICS.floor_available("ground-floor") == "smartpark/garage/floor/ground-floor/available"
    assert TOPICS.site_state == "smartpark/garage/site/state"
    assert TOPICS.event("ramp") == "smartpark/garage/event/ramp"


@given(prefix=names, site=names, device=names, name=names)
def test_every_topic_is_read_back_as_what_it_was(prefix, site, device, name):
    """parse is the inverse of the makers, for any name that a topic may hold."""
    topics = Topics(prefix, site, device)
    assert topics.parse(topics.status) == ParsedTopic(TopicKind.STATUS, device)
    assert topics.parse(topics.health) == ParsedTopic(TopicKind.HEALTH, device)
    assert topics.parse(topics.floor_state(name)) == ParsedTopic(TopicKind.FLOOR_STATE, name)
    assert topics.parse(topics.floor_available(name)) == ParsedTopic(TopicKind.FLOOR_AVAILABLE, name)
    assert topics.parse(topics.site_state) == ParsedTopic(TopicKind.SITE_STATE, "")
    assert topics.parse(topics.event(name)) == ParsedTopic(TopicKind.EVENT, name)


@given(st.text(max_size=60))
def test_any_topic_can_be_parsed(topic):
    """No topic raises, and only topics of the site are recognised."""
    parsed = TOPICS.parse(topic)
    if parsed is not None:
        assert topic.startswith("smartpark/garage/")


@pytest.mark.parametrize(
    "topic",
    [
        "smartpark/other/site/state",
        "smartpark/garage",
        "smartpark/garage/",
        "smartpark/garages/site/state",
        "smartpark/garage/site/state/more",
        "smartpark/garage/floor//state",
        "smartpark/garage/floor/a/unknown",
        "smartpark/garage/event/a/b",
    ],
)
def test_other_topics_are_not_recognised(topic):
    """Those of another site, of a later version, and broken ones."""
    assert TOPICS.parse(topic) is None


@pytest.mark.parametrize(
    "name",
    ["", "a/b", "a+b", "#", "a b", "a\tb", "a\x00b", "a\x85", "a\x9f", "\ufffe", "\ufdd0", "\U0001ffff", "\ud800"],
)
def test_names_that_break_a_topic_are_refused(name):
    """A wildcard would name many topics; a control character makes brokers end the connection."""
    with pytest.raises(ValueError, match="topic"):
        TOPICS.event(name)
    with pytest.raises(ValueError, match="topic"):
        Topics("smartpark", name or "a/b", "pi-1")


def test_a_board_has_no_status_topic():
    """Topics without a device serve to read, not to publish."""
    with pytest.raises(ValueError, match="empty"):
        _ = Topics("smartpark", "garage").status


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ground Floor", "ground-floor"), ("Étage Ⅱ", "étage-ii"), ("地下１階", "地下1階"), ("P+1 / #2", "p-1-2")],
)
def test_a_floor_of_any_script_has_a_topic(name, expected):
    """The slug of a floor's name is one level of a topic, and is read back from it."""
    topic = TOPICS.floor_state(floor_slug(name))
    assert topic == f"smartpark/garage/floor/{expected}/state"
    assert TOPICS.parse(topic) == ParsedTopic(TopicKind.FLOOR_STATE, expected)


def test_the_boards_filters_match_what_boards_need():
    """Status, health, floors, site and events, of this site alone."""
    assert set(TOPICS.board_filters) == {
        "smartpark/garage/device/+/status",
        "smartpark/garage/device/+/health",
        "smartpark/garage/floor/+/state",
        "smartpark/garage/site/state",
        "smartpark/garage/event/+",
    }
