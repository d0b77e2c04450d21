"""Deletes a site's retained messages from a broker: those of a demo, or of a site that is taken down."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from edge.core.occupancy import floor_slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config.schema import MqttConfig
    from edge.mqtt.topics import Topics

log = logging.getLogger(__name__)

_ACKNOWLEDGEMENT_SECONDS = 5.0


def clear_retained(config: MqttConfig, topics: Topics, floors: Sequence[str]) -> bool:
    """Delete the retained messages of the device, the site and the floors with these names.

    False, with a warning in the log, when the broker cannot be reached or does not acknowledge. An empty retained
    message deletes what is retained (MQTT 3.1.1, 3.3.1.3). The device must have left the broker before.
    """
    names = [topics.status, topics.health, topics.site_state]
    for floor in map(floor_slug, floors):
        names += [topics.floor_state(floor), topics.floor_available(floor)]
    client = Client(CallbackAPIVersion.VERSION2)
    if config.username is not None:
        client.username_pw_set(config.username, config.password.get_secret_value() if config.password else None)
    if config.tls:
        client.tls_set(str(config.ca_file) if config.ca_file else None)
    try:
        client.connect(config.host, config.port)
        client.loop_start()
        sent = [client.publish(name, b"", qos=1, retain=True) for name in names]
        deadline = time.monotonic() + _ACKNOWLEDGEMENT_SECONDS
        for message in sent:
            message.wait_for_publish(max(deadline - time.monotonic(), 0.0))
        done = all(message.is_published() for message in sent)
    except (OSError, ValueError, RuntimeError) as error:
        log.warning("retained messages stay at the broker host=%s problem=%s", config.host, error)
        return False
    finally:
        client.disconnect()
        client.loop_stop()
    if not done:
        log.warning("retained messages may stay at the broker host=%s problem=it did not acknowledge", config.host)
    return done
