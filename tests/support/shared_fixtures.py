"""What the tests of several rooms share: waiting for a condition, a real Mosquitto, and a plain subscriber."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
import pytest

if TYPE_CHECKING:
    from pathlib import Path

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def eventually(condition, seconds=60.0, what="the condition", every=0.005):
    """Ask ``condition()`` every so many seconds until it is true, and return what it was; fail after ``seconds``."""
    limit = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > limit:
            pytest.fail(f"not within {seconds:.0f} s: {what}")
        time.sleep(every)
    return result


def free_port():
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    """Whether something accepts connections on the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


class Mosquitto:
    """A real Mosquitto on a port of its own, with optional users, TLS and persistence on disk."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self.users: dict[str, str] = {}
        self.persistent = False
        self.tls: tuple[Path, Path] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self):
        """Start, and wait until it listens."""
        lines = [f"listener {self.port} 127.0.0.1", "log_dest stderr", "log_type all"]
        if os.geteuid() == 0:
            # Otherwise it changes to a user of its own, who cannot read the test's folder.
            lines.append("user root")
        if self.tls is not None:
            lines += [f"certfile {self.tls[0]}", f"keyfile {self.tls[1]}"]
        if self.users:
            passwords = self.folder / "passwords"
            passwords.write_text("".join(f"{user}:{_hashed(word)}\n" for user, word in self.users.items()))
            passwords.chmod(0o600)
            lines += ["allow_anonymous false", f"password_file {passwords}"]
        else:
            lines.append("allow_anonymous true")
        if self.persistent:
            lines += ["persistence true", f"persistence_location {self.folder}/", "autosave_interval 1"]
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as output:
            self._process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=output, stdout=output)
        eventually(lambda: self._process.poll() is not None or answers(self.port), what="Mosquitto listens")
        assert self._process.poll() is None, (self.folder / "mosquitto.log").read_text()

    def stop(self):
        """Stop, and wait for its end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None


class Listener:
    """A plain paho subscriber that keeps everything it receives, independent of the code under test.

    With a ``client_id`` its session persists: it gets what came while it was not connected.
    """

    def __init__(self, port, topic_filter="#", username=None, password=None, client_id=None):
        self.messages: list[tuple[str, bytes, bool]] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=client_id or f"listener-{os.urandom(4).hex()}",
            clean_session=client_id is None,
        )
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *rest: client.subscribe(topic_filter, 1)
        self._client.on_subscribe = lambda *rest: self._subscribed.set()
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(60)

    def _note(self, client, userdata, message):
        self.messages.append((message.topic, bytes(message.payload), message.retain))

    def last(self, topic):
        """The last payload on a topic; None when there was none."""
        return next((payload for at, payload, _ in reversed(self.messages) if at == topic), None)

    def json(self, topic):
        """The last payload on a topic as JSON; an empty table when there was none, or an empty one."""
        payload = self.last(topic)
        return json.loads(payload) if payload else {}

    def payloads(self, beginning):
        """All payloads on topics that begin so, in order."""
        return [payload for topic, payload, _ in self.messages if topic.startswith(beginning)]

    def close(self):
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


def _hashed(word):
    """A password in the format of Mosquitto 2's password file."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", word.encode(), salt, 101)
    return f"$7$101${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


@pytest.fixture(name="eventually")
def eventually_fixture():
    """The waiting function: ``eventually(condition, seconds, what, every)``."""
    return eventually


@pytest.fixture
def mosquitto(tmp_path):
    """A Mosquitto that is not started yet."""
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed on this machine")
    broker = Mosquitto(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def closing():
    """Closes at the end what was given to it, the last first: ``closing(object, *arguments of close)``."""
    with contextlib.ExitStack() as stack:

        def close_at_the_end(closable, *arguments):
            stack.callback(closable.close, *arguments)
            return closable

        yield close_at_the_end


@pytest.fixture
def listen(closing):
    """Makes listeners: ``listen(port, topic_filter)``."""
    return lambda port, *rest, **options: closing(Listener(port, *rest, **options))
