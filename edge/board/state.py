"""Keeps what a display board knows, from the messages that it received. Pure logic: no clock, no network."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.board.messages import (
    EventMessage,
    FloorMessage,
    HealthMessage,
    PayloadError,
    SiteMessage,
    parse_status,
)
from edge.core.occupancy import floor_slug
from edge.mqtt.topics import ParsedTopic, TopicKind, Topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.board.messages import Recommendation

_EVENTS_SHOWN = 20
# Event ids by which a second delivery is recognised.
_EVENTS_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class ShownFloor:
    """One floor on the board. A number that is not known to be true now is None, and is shown as ``--``.

    ``off_by`` is the number of vehicles by which the others may be wrong, because a gate was blind since the floor was
    counted: 0 where none was, None where it cannot be estimated.
    """

    slug: str
    name: str
    available: int | None
    total: int | None
    vehicles: int | None
    percentage: float | None
    is_full: bool
    is_active: bool
    off_by: float | None = 0.0


class BoardState:
    """The latest state of each floor and device of a site.

    ``floors`` are names to be shown from the start, before anything is known of them.
    """

    def __init__(self, topics: Topics, floors: Sequence[str] = ()) -> None:
        self._topics = topics
        self._names: dict[str, str] = {floor_slug(name): name for name in floors}
        self._expected = tuple(self._names)
        self._floors: dict[str, FloorMessage] = {}
        self._devices: dict[str, bool] = {}
        self._health: dict[str, HealthMessage] = {}
        self._site: SiteMessage | None = None
        self._events: deque[EventMessage] = deque(maxlen=_EVENTS_SHOWN)
        self._event_ids: OrderedDict[str, None] = OrderedDict()
        self.invalid_messages = 0
        self.last_error: str | None = None

    def apply(self, topic: str, payload: bytes) -> bool:
        """Apply a message; False when it changed nothing: not for a board, older, a second delivery, or invalid.

        An invalid message is counted, and what was known is kept.
        """
        parsed = self._topics.parse(topic)
        if parsed is None:
            return False
        try:
            return self._apply(parsed, payload)
        except PayloadError as error:
            self.invalid_messages += 1
            self.last_error = f"{topic}: {error}"
            return False

    def _apply(self, topic: ParsedTopic, payload: bytes) -> bool:
        match topic.kind:
            case TopicKind.STATUS:
                return self._apply_status(topic.name, payload)
            case TopicKind.HEALTH:
                return self._apply_health(topic.name, payload)
            case TopicKind.FLOOR_STATE:
                return self._apply_floor(topic.name, payload)
            case TopicKind.SITE_STATE:
                return self._apply_site(payload)
            case TopicKind.EVENT:
                return self._apply_event(payload)
            case TopicKind.FLOOR_AVAILABLE:
                return False

    def reset(self) -> None:
        """Discard what was retained, at a new or lost connection; the floors' names and the last events stay."""
        self._floors.clear()
        self._devices.clear()
        self._health.clear()
        self._site = None

    def rows(self) -> list[ShownFloor]:
        """The floors to show, those that were expected first and in that order, the others by number and name."""
        order = {slug: (0, place, slug) for place, slug in enumerate(self._expected)}
        for slug in self._names.keys() - order.keys():
            floor = self._floors.get(slug)
            order[slug] = (1, floor.floor_id, slug) if floor else (2, 0, slug)
        return [self._row(slug) for slug in sorted(self._names, key=order.__getitem__)]

    def recommended(self) -> Recommendation | None:
        """Where to send the next vehicle; None when no floor is open, or it is not known."""
        site = self.site()
        return site.recommended if site is not None else None

    def site(self) -> SiteMessage | None:
        """The site's totals; None when they are not known to be true now."""
        return self._site if self._site is not None and self.is_online(self._site.device) else None

    def devices(self) -> dict[str, bool]:
        """Each device's name, and whether it is online."""
        return dict(sorted(self._devices.items()))

    def problems(self) -> tuple[tuple[str, str], ...]:
        """What is wrong with the devices that are online: pairs of device and sentence, a device's oldest first."""
        return tuple(
            (device, problem.text)
            for device, health in sorted(self._health.items())
            if self.is_online(device)
            for problem in health.problems
        )

    def events(self) -> tuple[EventMessage, ...]:
        """The last events in the order in which they came, each once."""
        return tuple(self._events)

    def is_online(self, device: str) -> bool:
        """Whether the last known status of the device is ``online``."""
        return self._devices.get(device, False)

    def _row(self, slug: str) -> ShownFloor:
        floor = self._floors.get(slug)
        if floor is None or not self.is_online(floor.device) or floor.quality == "unknown":
            name = floor.name if floor is not None else self._names[slug]
            return ShownFloor(slug, name, None, None, None, None, is_full=False, is_active=True)
        return ShownFloor(
            slug,
            floor.name,
            floor.available_slots,
            floor.total_slots,
            floor.current_vehicles,
            floor.occupancy_percentage,
            is_full=floor.is_full,
            is_active=floor.is_active,
            off_by=floor.expected_missed if floor.quality == "degraded" else 0.0,
        )

    def _apply_status(self, device: str, payload: bytes) -> bool:
        if not payload:
            return self._devices.pop(device, None) is not None
        online = parse_status(payload)
        changed = self._devices.get(device) != online
        self._devices[device] = online
        return changed

    def _apply_health(self, device: str, payload: bytes) -> bool:
        if not payload:
            return self._health.pop(device, None) is not None
        health = HealthMessage.parse(payload)
        changed = self._health.get(device) != health
        self._health[device] = health
        return changed

    def _apply_floor(self, slug: str, payload: bytes) -> bool:
        if not payload:
            # An empty retained message: the floor was removed from the broker.
            if slug not in self._expected:
                self._names.pop(slug, None)
            return self._floors.pop(slug, None) is not None
        floor = FloorMessage.parse(payload)
        known = self._floors.get(slug)
        if known is not None and not self._is_newer(floor, known):
            return False
        self._names[slug] = floor.name
        self._floors[slug] = floor
        return True

    def _is_newer(self, floor: FloorMessage, known: FloorMessage) -> bool:
        """A higher seq is newer; so is a lower one with a later time, which comes from a database that was restored.

        Of the same seq the last message counts: the quality of the floor has changed, and not its count.
        The message of another device is newer too, once the device that had the floor is gone: the new one may have
        the same count, or a clock that is behind.
        """
        if floor.device != known.device and not self.is_online(known.device):
            return True
        return floor.seq > known.seq or floor.as_of > known.as_of or self._is_requalified(floor, known)

    def _is_requalified(self, floor: FloorMessage, known: FloorMessage) -> bool:
        return (floor.seq, floor.device) == (known.seq, known.device) and floor != known

    def _apply_site(self, payload: bytes) -> bool:
        site = SiteMessage.parse(payload) if payload else None
        changed = site != self._site
        self._site = site
        return changed

    def _apply_event(self, payload: bytes) -> bool:
        event = EventMessage.parse(payload)
        if event.event_id in self._event_ids:
            return bool(event.correction_seconds) and self._correct_event(event)
        self._event_ids[event.event_id] = None
        if len(self._event_ids) > _EVENTS_REMEMBERED:
            self._event_ids.popitem(last=False)
        self._events.append(event)
        return True

    def _correct_event(self, event: EventMessage) -> bool:
        """Show the event with its corrected time, in its place; False where it is not shown, or with that time."""
        for place, shown in enumerate(self._events):
            if shown.event_id == event.event_id and shown != event:
                self._events[place] = event
                return True
        return False
