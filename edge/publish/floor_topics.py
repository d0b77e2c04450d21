"""The retained topics of the floors and of the site."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from edge.publish import payloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.occupancy import Occupancy
    from edge.mqtt.topics import Topics
    from edge.publish.retained_topics import RetainedStates

log = logging.getLogger(__name__)


class FloorStates:
    """The floors as they were last reported, kept as retained states. Thread-safe.

    For each floor the highest ``seq`` wins, whatever the order of the reports. A floor that is gone from a complete
    report, or has a new name, has its old topics removed from the broker; it comes back with a complete report only,
    for a floor that was deleted may still be crossed.
    """

    def __init__(self, states: RetainedStates, topics: Topics) -> None:
        self._states = states
        self._topics = topics
        self._lock = threading.Lock()
        self._floors: dict[int, Occupancy] = {}
        self._slugs: dict[int, str] = {}
        self._unfit: set[str] = set()
        self._complete = False

    def report(self, floors: Sequence[Occupancy], *, complete: bool = False) -> bool:
        """Take in what floors look like now; ``complete`` says that the site has no others.

        False when a floor was left out of which the last complete report did not know: read all again.
        """
        with self._lock:
            self._complete |= complete
            strange = self._complete and not complete and any(floor.floor_id not in self._floors for floor in floors)
            if strange:
                floors = [floor for floor in floors if floor.floor_id in self._floors]
            changed = [floor for floor in floors if self._is_news(floor)]
            gone = set(self._floors) - {floor.floor_id for floor in floors} if complete else set()
            if not (changed or gone or (complete and not self._floors)):
                return not strange
            before = set(self._slugs.values())
            for floor_id in gone:
                del self._floors[floor_id]
                self._slugs.pop(floor_id, None)
            for floor in changed:
                self._floors[floor.floor_id] = floor
                self._slugs[floor.floor_id] = floor.slug
            for slug in before - set(self._slugs.values()):
                self._say(slug, b"", b"")
            for floor in changed:
                self._say(
                    floor.slug,
                    payloads.floor_state(floor, device=self._topics.device),
                    payloads.floor_available(floor),
                )
            total = payloads.site_state(list(self._floors.values()), device=self._topics.device)
            self._states.want(self._topics.site_state, total)
            return not strange

    def _is_news(self, floor: Occupancy) -> bool:
        known = self._floors.get(floor.floor_id)
        return known is None or floor.seq > known.seq

    def _say(self, slug: str, state: bytes, available: bytes) -> None:
        try:
            topics = self._topics.floor_state(slug), self._topics.floor_available(slug)
        except ValueError as error:
            if slug not in self._unfit:
                self._unfit.add(slug)
                log.error("a floor's name gives no topic, so no board will show it: %s", error)
            return
        self._states.want(topics[0], state)
        self._states.want(topics[1], available)
