"""Makes the names of the topics, and reads them back.

All of a car park's topics lie under ``<prefix>/<site>/``::

    device/<device>/status      "online" or "offline", retained
    device/<device>/health      JSON, retained: what is wrong with the device
    floor/<slug>/state          JSON, retained
    floor/<slug>/available      the bare number, retained
    site/state                  JSON, retained
    event/<camera>              JSON, not retained
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

_SYNTAX = frozenset("+#/")

# What device/<device>/status says, and the status within device/<device>/health.
ONLINE, OFFLINE = b"online", b"offline"
OK, DEGRADED = "ok", "degraded"


class TopicKind(StrEnum):
    """The kinds of topics."""

    STATUS = "status"
    HEALTH = "health"
    FLOOR_STATE = "floor state"
    FLOOR_AVAILABLE = "floor available"
    SITE_STATE = "site state"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class ParsedTopic:
    """A topic read back. ``name`` is the device, the floor's slug or the camera; empty for the site."""

    kind: TopicKind
    name: str


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one site, and of one device where one is named.

    Raises ValueError for a name that cannot be one level of a topic. A board, which publishes nothing, leaves
    ``device`` empty.
    """

    prefix: str
    site: str
    device: str = ""

    def __post_init__(self) -> None:
        topic_level(self.prefix)
        topic_level(self.site)
        if self.device:
            topic_level(self.device)

    @property
    def root(self) -> str:
        """``<prefix>/<site>``, without a slash at the end."""
        return f"{self.prefix}/{self.site}"

    @property
    def status(self) -> str:
        """This device's own status; ValueError when no device is named."""
        return f"{self.root}/device/{topic_level(self.device)}/status"

    @property
    def health(self) -> str:
        """What is wrong with this device; ValueError when no device is named."""
        return f"{self.root}/device/{topic_level(self.device)}/health"

    @property
    def site_state(self) -> str:
        """The totals of the site."""
        return f"{self.root}/site/state"

    def floor_state(self, slug: str) -> str:
        """A floor's state, by the slug of its name."""
        return f"{self.root}/floor/{topic_level(slug)}/state"

    def floor_available(self, slug: str) -> str:
        """A floor's free places as a bare number, for boards that cannot read JSON."""
        return f"{self.root}/floor/{topic_level(slug)}/available"

    def event(self, camera: str) -> str:
        """The events of a camera."""
        return f"{self.root}/event/{topic_level(camera)}"

    @property
    def board_filters(self) -> tuple[str, ...]:
        """What a display board subscribes to."""
        return (
            f"{self.root}/device/+/status",
            f"{self.root}/device/+/health",
            f"{self.root}/floor/+/state",
            self.site_state,
            f"{self.root}/event/+",
        )

    def parse(self, topic: str) -> ParsedTopic | None:
        """The kind and name of ``topic``; None for one that is not of this site or not of this product."""
        if not topic.startswith(f"{self.root}/"):
            return None
        match topic[len(self.root) + 1 :].split("/"):
            case ["device", name, "status"] if name:
                return ParsedTopic(TopicKind.STATUS, name)
            case ["device", name, "health"] if name:
                return ParsedTopic(TopicKind.HEALTH, name)
            case ["floor", name, "state"] if name:
                return ParsedTopic(TopicKind.FLOOR_STATE, name)
            case ["floor", name, "available"] if name:
                return ParsedTopic(TopicKind.FLOOR_AVAILABLE, name)
            case ["site", "state"]:
                return ParsedTopic(TopicKind.SITE_STATE, "")
            case ["event", name] if name:
                return ParsedTopic(TopicKind.EVENT, name)
            case _:
                return None


def topic_level(name: str) -> str:
    """``name`` itself if it can be one level of a topic, else ValueError."""
    if not name:
        raise ValueError("a level of a topic cannot be empty")
    if any(map(_is_forbidden, name)):
        raise ValueError(f"{name!r} cannot stand in a topic: it holds +, #, /, white space or a control character")
    return name


def _is_forbidden(character: str) -> bool:
    """Whether a character has a meaning in topics, or makes a broker end the connection that uses it."""
    point = ord(character)
    noncharacter = 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE
    return (
        character in _SYNTAX or character.isspace() or noncharacter or unicodedata.category(character) in ("Cc", "Cs")
    )
