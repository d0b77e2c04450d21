"""Keeps the retained topics of the floors and of the site in step with the floors and their quality as reported."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.occupancy import FloorQuality, Quality
from edge.publish import payloads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.core.occupancy import Occupancy
    from edge.mqtt.topics import Topics
    from edge.publish.retained_topics import RetainedTopics

log = logging.getLogger(__name__)


class FloorTopics:
    """The floors as they were last reported, kept as retained topics. Thread-safe.

    For each floor the highest ``seq`` wins, whatever the order of the reports. A floor that is missing in a complete
    report, or has a new name, has its old topics removed from the broker. It comes back with a complete report only:
    vehicles may still cross the gate of a floor that was deleted.

    The quality of a floor is the last one that was reported with the floors, but a floor that ``report_unknown`` names
    is unknown in any case. ``unknown_available`` is what the bare number says then: ``--``, or ``last`` for the number.
    """

    def __init__(self, retained: RetainedTopics, topics: Topics, unknown_available: str = "--") -> None:
        self._retained = retained
        self._topics = topics
        self._keeps_last = unknown_available == "last"
        self._qualities: Mapping[str, FloorQuality] = {}
        self._unknown: Mapping[str, FloorQuality] = {}
        self._lock = threading.Lock()
        self._floors: dict[int, Occupancy] = {}
        self._slugs: dict[int, str] = {}
        self._slugs_without_topic: set[str] = set()
        self._complete = False

    def report_unknown(self, unknown: Mapping[str, FloorQuality]) -> None:
        """Publish that the count of these floors, by name, is not known now, and that of all others is.

        A floor that is not unknown any more is degraded until its quality is reported.
        """
        with self._lock:
            if unknown == self._unknown:
                return
            ended = {name: quality for name, quality in self._unknown.items() if name not in unknown}
            degraded = {name: replace(quality, quality=Quality.DEGRADED) for name, quality in ended.items()}
            self._qualities = {**self._qualities, **degraded}
            self._unknown = dict(unknown)
            self._publish(list(self._floors.values()))

    def report(
        self,
        floors: Sequence[Occupancy],
        *,
        complete: bool = False,
        qualities: Mapping[str, FloorQuality] | None = None,
    ) -> bool:
        """Publish what changed; ``complete`` says that the site has no other floors, and ``qualities`` are by name.

        False when a floor was left out that the last complete report did not have: then all floors are to be read.
        """
        with self._lock:
            self._complete |= complete
            unknown = self._complete and not complete and any(floor.floor_id not in self._floors for floor in floors)
            if unknown:
                floors = [floor for floor in floors if floor.floor_id in self._floors]
            changed = [floor for floor in floors if self._is_newer(floor)]
            gone = set(self._floors) - {floor.floor_id for floor in floors} if complete else set()
            requalified = qualities is not None and qualities != self._qualities
            if qualities is not None:
                self._qualities = qualities
            if not (changed or gone or requalified or (complete and not self._floors)):
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
            self._publish(list(self._floors.values()) if requalified else changed)
            return not unknown

    # -- with the lock held ----------------------------------------------------------------------------------------

    def _publish(self, floors: Sequence[Occupancy]) -> None:
        """Publish these floors and the site. Nothing is sent of what does not differ from what the broker holds."""
        if not self._floors and not self._complete:
            return
        qualities = {floor.name: self._quality(floor.name) for floor in self._floors.values()}
        for floor in floors:
            quality = qualities[floor.name]
            shown = quality.is_known or self._keeps_last
            self._set(
                floor.slug,
                payloads.floor_state(floor, quality, device=self._topics.device),
                payloads.floor_available(floor) if shown else payloads.UNKNOWN_AVAILABLE,
            )
        site = payloads.site_state(list(self._floors.values()), qualities, device=self._topics.device)
        self._retained.set(self._topics.site_state, site)

    def _quality(self, name: str) -> FloorQuality:
        known, unknown = self._qualities.get(name, FloorQuality()), self._unknown.get(name)
        if unknown is None:
            return known
        return replace(known, quality=Quality.UNKNOWN, blind_since=unknown.blind_since, reason=unknown.reason)

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
