"""Keeps the retained topics of the floors and of the site in step with the floors as they are reported."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from edge.publish import payloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.occupancy import Occupancy
    from edge.mqtt.topics import Topics
    from edge.publish.retained_topics import RetainedTopics

log = logging.getLogger(__name__)


class FloorTopics:
    """The floors as they were last reported, kept as retained topics. Thread-safe.

    For each floor the highest ``seq`` wins, whatever the order of the reports. A floor that is missing in a complete
    report, or has a new name, has its old topics removed from the broker. It comes back with a complete report only:
    vehicles may still cross the gate of a floor that was deleted.
    """

    def __init__(self, retained: RetainedTopics, topics: Topics) -> None:
        self._retained = retained
        self._topics = topics
        self._lock = threading.Lock()
        self._floors: dict[int, Occupancy] = {}
        self._slugs: dict[int, str] = {}
        self._slugs_without_topic: set[str] = set()
        self._complete = False

    def report(self, floors: Sequence[Occupancy], *, complete: bool = False) -> bool:
        """Publish what changed; ``complete`` says that the site has no other floors.

        False when a floor was left out that the last complete report did not have: then all floors are to be read.
        """
        with self._lock:
            self._complete |= complete
            unknown = self._complete and not complete and any(floor.floor_id not in self._floors for floor in floors)
            if unknown:
                floors = [floor for floor in floors if floor.floor_id in self._floors]
            changed = [floor for floor in floors if self._is_newer(floor)]
            gone = set(self._floors) - {floor.floor_id for floor in floors} if complete else set()
            if not (changed or gone or (complete and not self._floors)):
                return not unknown
            before = set(self._slugs.values())
            for floor_id in gone:
                del self._floors[floor_id]
                self._slugs.pop(floor_id, None)
            for floor in changed:
                self._floors[floor.floor_id] = floor
                self._slugs[floor.floor_id] = floor.slug
            for slug in before - set(self._slugs.values()):
                self._set(slug, b"", b"")
            for floor in changed:
                self._set(
                    floor.slug,
                    payloads.floor_state(floor, device=self._topics.device),
                    payloads.floor_available(floor),
                )
            site = payloads.site_state(list(self._floors.values()), device=self._topics.device)
            self._retained.set(self._topics.site_state, site)
            return not unknown

    def _is_newer(self, floor: Occupancy) -> bool:
        known = self._floors.get(floor.floor_id)
        return known is None or floor.seq > known.seq

    def _set(self, slug: str, state: bytes, available: bytes) -> None:
        try:
            topics = self._topics.floor_state(slug), self._topics.floor_available(slug)
        except ValueError as error:
            if slug not in self._slugs_without_topic:
                self._slugs_without_topic.add(slug)
                log.error("a floor's name gives no topic, so no board will show it; rename the floor: %s", error)
            return
        self._retained.set(topics[0], state)
        self._retained.set(topics[1], available)
