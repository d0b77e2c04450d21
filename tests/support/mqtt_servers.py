"""A real broker, real sockets, and an outbox in memory, because the real one belongs to another room."""

from __future__ import annotations

import contextlib
import json
import select
import shutil
import socket
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import pytest

from edge.config.schema import MqttConfig
from edge.core.events import Direction, Event, StoredEvent, VehicleType
from edge.core.occupancy import Occupancy
from edge.mqtt import reconnecting_link
from edge.mqtt.connection import Timing
from edge.mqtt.topics import Topics
from edge.publish.publisher import Publisher

START = datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC)
QUICK = Timing(first_retry=0.05, longest_retry=0.2, answer=30.0, stable=0.5, stall=120.0)


class Wire:
    """A TCP proxy before a broker that can end its connections, and hold back what the broker sends."""

    def __init__(self, target_port):
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._held = threading.Event()
        self._blocked = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def hold(self):
        """Hold back what the broker sends; what the client sends still reaches the broker."""
        self._held.set()

    def release(self):
        """Deliver what was held back, and all that follows."""
        self._held.clear()

    def block(self):
        """Close every new connection at once."""
        self._blocked.set()

    def unblock(self):
        """Accept new connections again."""
        self._blocked.clear()

    def cut(self):
        """Shut down the sockets of every connection."""
        with self._lock:
            for pair in self._pairs:
                for end in pair:
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)

    def close(self):
        """Cut, and stop listening."""
        self._closing.set()
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self):
        self._listener.settimeout(0.05)
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                if self._blocked.is_set():
                    client.close()
                    continue
                try:
                    broker = socket.create_connection(("127.0.0.1", self._target_port), 2)
                except OSError:
                    client.close()
                    continue
                self.connections += 1
                with self._lock:
                    self._pairs.append((client, broker))
                thread = threading.Thread(target=self._carry, args=(client, broker), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _carry(self, client, broker):
        with client, broker, contextlib.suppress(OSError):
            while not self._closing.is_set():
                sources = [client] if self._held.is_set() else [client, broker]
                for source in select.select(sources, [], [], 0.02)[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    (broker if source is client else client).sendall(data)


class FakeOutbox:
    """An outbox in memory that can be made to fail, or to remove acknowledged rows only later."""

    def __init__(self):
        self._lock = threading.Lock()
        self._rows: dict[int, StoredEvent] = {}
        self._next = 1
        self._asked_to_drop: list[int] = []
        self.dropped: list[int] = []
        self.reads = 0
        self.broken = False
        self.removes_later = False

    def add(self, event, floor_id=1):
        """A committed event; its id."""
        with self._lock:
            self._rows[self._next] = as_stored(event, self._next, floor_id)
            self._next += 1
            return self._next - 1

    def read(self, limit):
        """As the publisher calls it."""
        with self._lock:
            self.reads += 1
            if self.broken:
                raise OSError("database is locked")
            return [row for _, row in sorted(self._rows.items())][:limit]

    def acknowledge(self, ids):
        """As the publisher calls it. With ``removes_later`` the rows stay until :meth:`remove_acknowledged`."""
        with self._lock:
            if self.broken:
                raise OSError("database is locked")
            self.dropped.extend(ids)
            if self.removes_later:
                self._asked_to_drop.extend(ids)
            else:
                for number in ids:
                    self._rows.pop(number, None)

    def remove_acknowledged(self):
        """Remove the rows, as a writer's queue does later."""
        with self._lock:
            for number in self._asked_to_drop:
                self._rows.pop(number, None)
            self._asked_to_drop.clear()

    def lose_acknowledgements(self):
        """Lose the acknowledgements, as a writer's queue does when the process is killed."""
        with self._lock:
            self._asked_to_drop.clear()

    def __len__(self):
        with self._lock:
            return len(self._rows)


def make_event(number=0, camera="ramp", floor="Ground Floor"):
    """The event of that number: different numbers, different event ids."""
    return Event(
        camera_id=camera,
        gate_id="in",
        floor=floor,
        track_id=f"run-{number}",
        vehicle_type=VehicleType.CAR,
        direction=Direction.ENTRY,
        confidence=0.875,
        timestamp=START + timedelta(seconds=number),
    )


def as_stored(event, row_id, floor_id=1):
    """The event as the database would return it."""
    fields = {name: getattr(event, name) for name in Event.__slots__ if name != "timing"}  # which is not stored
    return StoredEvent(
        id=row_id,
        event_id=event.event_id,
        floor_id=floor_id,
        created_at=event.timestamp + timedelta(seconds=1),
        **fields,
    )


def make_floor(floor_id=1, name="Ground Floor", vehicles=3, total=10, seq=1, active=True, minutes=0):
    """A floor as the database would return it."""
    return Occupancy(floor_id, name, "", total, vehicles, active, START + timedelta(minutes=minutes), seq)


def event_ids(listener):
    """The ids of all events that the listener received, in order."""
    return [json.loads(payload)["event_id"] for payload in listener.payloads("smartpark/garage/event/")]


@pytest.fixture(name="make_event")
def make_event_fixture():
    """The maker of events."""
    return make_event


@pytest.fixture(name="make_floor")
def make_floor_fixture():
    """The maker of floors."""
    return make_floor


@pytest.fixture
def outbox():
    """An empty outbox."""
    return FakeOutbox()


@pytest.fixture
def topics():
    """The topics of the device under test."""
    return Topics("smartpark", "garage", "pi-1")


@pytest.fixture
def broker(mosquitto):
    """A running Mosquitto that can be stopped and started again on its port."""
    mosquitto.start()
    return mosquitto


@pytest.fixture
def wire(closing):
    """Makes wires: ``wire(port)``."""
    return lambda port: closing(Wire(port))


@pytest.fixture
def publish(closing, outbox, topics):
    """Makes started publishers: ``publish(port, floors, ...)`` with options of MqttConfig."""

    def make(port, floors=(), *, timing=QUICK, window=50, read_floors=None, client_id="smartpark-pi-1", **options):
        read_qualities = options.pop("read_qualities", dict)
        config = MqttConfig(host=options.pop("host", "127.0.0.1"), port=port, keepalive_seconds=60, **options)
        publisher = Publisher(
            config,
            client_id,
            topics,
            outbox.read,
            outbox.acknowledge,
            read_floors or (lambda: list(floors)),
            read_qualities,
            timing=timing,
            window=window,
        )
        closing(publisher, 0.0)
        publisher.start()
        return publisher

    return make


@pytest.fixture
def make_certificate(tmp_path):
    """Makes a certificate for localhost that is its own authority, and its key: two PEM files."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed on this machine")

    def make(name):
        certificate, key = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-days", "30"]
        subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
        return certificate, key

    return make


@pytest.fixture
def quick_ticks(monkeypatch):
    """Has the link tick twenty times a second instead of once; the seconds of a tick."""
    monkeypatch.setattr(reconnecting_link, "_TICK_SECONDS", 0.05)
    return 0.05
