"""Makes a broker forget a site: for a demo's, and for one that is taken down."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from paho.mqtt import MQTTException, publish

from edge.records import slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paho.mqtt.publish import MessagesList

    from edge.config import MqttConfig
    from edge.publish.topics import Topics

log = logging.getLogger(__name__)


def forget_site(config: MqttConfig, topics: Topics, floors: Sequence[str]) -> bool:
    """Delete the retained messages of the device and the floors with these names; False when the broker was not there.

    An empty retained message deletes what is retained (MQTT 3.1.1, 3.3.1.3). The device must have left the broker.
    """
    names = [topics.status, topics.site_state]
    for floor in map(slug, floors):
        names += [topics.floor_state(floor), topics.floor_available(floor)]
    messages = [{"topic": name, "payload": b"", "qos": 1, "retain": True} for name in names]
    auth = None
    if config.username is not None:
        password = config.password.get_secret_value() if config.password else None
        auth = {"username": config.username, "password": password}
    tls = {"ca_certs": str(config.ca_file) if config.ca_file else None} if config.tls else None
    try:
        publish.multiple(cast("MessagesList", messages), config.host, config.port, auth=auth, tls=tls)  # type: ignore[arg-type]
    except (OSError, MQTTException) as error:
        log.warning("retained messages stay at the broker host=%s problem=%s", config.host, error)
        return False
    return True
