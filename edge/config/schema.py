"""This module defines ``smartpark.toml`` as typed sections. Every default stands here or in the modules imported here.

``load.py`` reads a file into these sections.
"""

from __future__ import annotations

import itertools
import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from edge.config.camera_source import CameraSource
from edge.config.metrics import MetricsConfig
from edge.config.picture import PictureConfig
from edge.config.section import Fraction, Identifier, PlainText, Seconds, Section
from edge.core.line_geometry import signed_distance
from edge.core.shapes import Point

# `inside` must be farther from the line than this share of the frame: nearer, its side is not certain.
_ON_THE_LINE = 0.005


def _default_device_id() -> str:
    """The host's name, with the characters that no topic may hold replaced."""
    name = socket.gethostname().split(".")[0]
    return "".join("-" if c in "+#/" or c.isspace() else c for c in name)[:64] or "smartpark"


class SiteConfig(Section):
    """The car park."""

    id: Identifier = Field("garage", description="the car park's name in topics: letters, digits, - and _")


class DeviceConfig(Section):
    """This machine."""

    id: Identifier = Field(
        default_factory=_default_device_id, description="this machine's name in topics: letters, digits, - and _"
    )


class DatabaseConfig(Section):
    """The SQLite file."""

    path: Path = Field(Path("/var/lib/smartpark/smartpark.db"), description="the SQLite file")
    busy_timeout_seconds: Seconds = Field(5.0, description="how long to wait for another program's lock")


class BackupConfig(Section):
    """Copies of the database, made by `smartpark db backup` and its timer."""

    folder: Path | None = Field(None, description="where backups are kept; default: `backups` beside the database")
    keep_days: Annotated[int, Field(ge=1, le=36_500)] = Field(30, description="older backups are removed")
    keep_files: Annotated[int, Field(ge=1, le=10_000)] = Field(14, description="at most so many backups are kept")


class DetectorConfig(Section):
    """The detector, which finds vehicles in a frame."""

    runtime: Literal["onnx", "ultralytics"] = Field("onnx", description='"onnx" or "ultralytics"')
    model: PlainText = Field("yolo11n", description="a name of `smartpark models list`, or the path of a file")
    models_dir: Path | None = Field(
        None, description="folder of the weights; default: the daemon's state directory, else the user's data folder"
    )
    image_size: Annotated[int, Field(ge=64, le=2048)] = Field(
        640, description="the frame's longer side as the network sees it, in pixels"
    )
    confidence: Fraction = Field(0.05, description="boxes below this are dropped; tracks use weak boxes too")
    iou: Fraction = Field(
        0.7, description="of two boxes of a class that overlap more than this, the weaker is dropped (NMS)"
    )
    classes: tuple[PlainText, ...] | None = Field(
        None, min_length=1, description="class names to keep; default: all that the weights know"
    )
    threads: Annotated[int, Field(ge=0, le=64)] = Field(0, description="threads of the network; 0: one for each core")


class TrackerConfig(Section):
    """The tracker, which joins detections to tracks."""

    sure_confidence: Fraction = Field(0.3, description="boxes from this on are matched first, weaker boxes after them")
    merge_iou: Fraction = Field(0.6, description="boxes of any class that overlap more than this are one vehicle")
    lost_seconds: Seconds = Field(2.0, description="how long an unseen track is kept")
    rest_seconds: Seconds = Field(6.0, description="how long an unseen track is kept that stood still")
    flow_width: Annotated[int, Field(ge=64, le=2048)] = Field(
        320, description="the frame's longer side where motion is looked for, in pixels"
    )
    retrace_seconds: Seconds = Field(1.5, description="how far back a new track is followed to where it came from")
    ignored_classes: tuple[PlainText, ...] = Field(
        (
            *("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
            *("backpack", "umbrella", "handbag", "tie", "suitcase"),
        ),
        description="class names that are never a vehicle: animals, and what people carry",
    )


class CountingConfig(Section):
    """The counting, which makes events of tracks that cross a gate."""

    bicycles: bool = Field(False, description="true: bicycles count too")
    vehicle_classes: tuple[PlainText, ...] = Field(
        # A car park has no trains or boats: YOLO takes buses and lorries for them at unusual angles.
        ("car", "motorcycle", "bus", "truck", "train", "boat"),
        min_length=1,
        description="class names that are vehicles; of anything else, size and motion decide whether it is one",
    )
    least_evidence: Annotated[float, Field(ge=0.0, le=10.0, allow_inf_nan=False)] = Field(
        0.02, description="confidence x seconds with which a vehicle must have been seen"
    )
    decide_seconds: Annotated[float, Field(ge=0.0, le=10.0, allow_inf_nan=False)] = Field(
        0.6, description="how long after the line a crossing is held back, to see whether two tracks are one vehicle"
    )


class MechanismsConfig(Section):
    """Parts of detection, tracking and counting; each can be switched off to see what it brings. Leave them on."""

    optical_flow: bool = Field(True, description="tracks follow what moves in the picture")
    retrace: bool = Field(True, description="a new track is followed back to where it came from")
    unseen_crossing: bool = Field(True, description="first seen just beyond the line and moving away: has crossed it")
    one_vehicle: bool = Field(True, description="two tracks in one place at the line are one vehicle")
    long_vehicles: bool = Field(True, description="a cab and its trailer become one vehicle")
    partial_boxes: bool = Field(True, description="what hides a part of a vehicle does not shift its middle")
    group_boxes: bool = Field(True, description="a box about two vehicles that have boxes of their own is dropped")
    stitching: bool = Field(True, description="a lost track goes on in a new one that continues it")
    early_decision: bool = Field(True, description="a crossing is not held back where nothing else is near the line")
    motion_gating: bool = Field(True, description="the detector rests while nothing moves near the gates")
    region_of_interest: bool = Field(True, description="the detector looks at the part of the frame about the gates")


class MqttConfig(Section):
    """The broker."""

    enabled: bool = Field(True, description="false runs without a broker; events wait in the outbox")
    host: PlainText = Field("localhost", description="the broker's host name or address")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(1883, description="1883, or 8883 with TLS")
    client_id: Identifier | None = Field(None, description="default: smartpark-<device.id>; unique at the broker")
    username: PlainText | None = Field(None, description="better as SMARTPARK_MQTT_USERNAME or a systemd credential")
    password: SecretStr | None = Field(None, description="better as SMARTPARK_MQTT_PASSWORD or a systemd credential")
    tls: bool = Field(False, description="encrypt and check the broker's certificate")
    ca_file: Path | None = Field(None, description="PEM file of the authority; default: the system's")
    keepalive_seconds: Annotated[int, Field(ge=5, le=3600)] = Field(30, description="MQTT keep-alive")
    topic_prefix: Identifier = Field("smartpark", description="first level of every topic")
    drain_seconds: Seconds = Field(5.0, description="how long a stop waits for the outbox to become empty")
    unknown_available: Literal["--", "last"] = Field("--", description="floor/<slug>/available while a gate is blind")


class FloorConfig(Section):
    """A floor of the car park; its row in the database is made at the first start."""

    name: PlainText = Field(description="unique; what people read on boards")
    total_slots: Annotated[int, Field(ge=0, le=1_000_000)] = Field(description="places, 0 or more")
    description: Annotated[str, StringConstraints(max_length=1000)] = Field("", description="free text")
    is_active: bool = Field(True, description="false: never recommended")
    opening_vehicles: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        0, description="vehicles already inside at the very first start"
    )

    @model_validator(mode="after")
    def _opening_fits(self) -> FloorConfig:
        if self.opening_vehicles > self.total_slots:
            raise ValueError(
                f"opening_vehicles is {self.opening_vehicles}, more than total_slots ({self.total_slots}); lower it"
            )
        return self


class GateConfig(Section):
    """A line in a camera's picture at which vehicles are counted.

    Coordinates are fractions of the frame, with the origin at the top left.
    """

    id: Identifier = Field(description="unique within its camera")
    line: tuple[tuple[Fraction, Fraction], ...] = Field(
        min_length=2,
        description="two or more [x, y] points, fractions of the frame from 0 (left, top) to 1 (right, bottom)",
    )
    inside: tuple[Fraction, Fraction] = Field(
        description="[x, y] of a point on the floor's side: a crossing towards it is an entry"
    )
    floor: PlainText = Field(description="name of the floor that the gate leads into")
    outside_floor: PlainText | None = Field(
        None, description="name of the floor on the other side: a crossing is an exit there and an entry here"
    )
    anchor: Literal["bottom_center", "center"] = Field(
        "center", description="the point of a vehicle's box that must cross"
    )
    dead_band: Fraction = Field(
        0.2, description="strip on either side of the line in which no side is decided; share of the box's size"
    )

    @field_validator("line")
    @classmethod
    def _no_piece_without_length(cls, line: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        for number, (a, b) in enumerate(itertools.pairwise(line), start=1):
            if a == b:
                raise ValueError(f"points {number} and {number + 1} are the same; remove one")
        return line

    @model_validator(mode="after")
    def _inside_has_a_side(self) -> GateConfig:
        if abs(signed_distance([Point(*p) for p in self.line], Point(*self.inside))) < _ON_THE_LINE:
            raise ValueError(
                f"inside {list(self.inside)} is on the line or on its extension; move it to the floor's side"
            )
        return self


class CameraConfig(CameraSource):
    """Where frames come from, and the gates in the picture."""

    id: Identifier = Field(description="unique")
    fps: Annotated[float, Field(gt=0, le=240)] | None = Field(
        None, description="at most so many frames a second are processed; default: as many as the machine can"
    )
    stale_seconds: Seconds = Field(
        10.0, description="a live camera without frames for so long is down, and is opened again"
    )
    max_lag_seconds: Seconds = Field(
        1.0, description="pictures of a live camera that come later than this are dropped up to the newest key frame"
    )
    transport: Literal["tcp", "udp"] = Field("tcp", description="how RTSP sends its packets: tcp loses none")
    verify: bool = Field(True, description="check the certificate of rtsps:// and https:// cameras")
    ca_file: Path | None = Field(None, description="PEM file of the authority; default: the system's")
    region: tuple[Fraction, Fraction, Fraction, Fraction] | None = Field(
        None,
        description="[left, top, right, bottom] of the part of the frame that is looked at; default: about the gates",
    )
    gates: tuple[GateConfig, ...] = Field((), description="[[cameras.gates]] tables")

    @model_validator(mode="after")
    def _region_has_the_lines(self) -> CameraConfig:
        left, top, right, bottom = self.region or (0.0, 0.0, 1.0, 1.0)
        if left >= right or top >= bottom:
            raise ValueError(f"region {self.region} is empty: give left, top, right, bottom as fractions of the frame")
        for gate in self.gates:
            if not all(left <= x <= right and top <= y <= bottom for x, y in gate.line):
                raise ValueError(f"region {self.region} leaves out a part of the line of gate {gate.id!r}; enlarge it")
        return self


class Config(Section):
    """The whole of ``smartpark.toml``."""

    site: SiteConfig = SiteConfig()
    device: DeviceConfig = Field(default_factory=DeviceConfig)
    database: DatabaseConfig = DatabaseConfig()
    backup: BackupConfig = BackupConfig()
    detector: DetectorConfig = DetectorConfig()
    tracker: TrackerConfig = TrackerConfig()
    counting: CountingConfig = CountingConfig()
    mechanisms: MechanismsConfig = MechanismsConfig()
    picture: PictureConfig = PictureConfig()
    mqtt: MqttConfig = MqttConfig()
    metrics: MetricsConfig = MetricsConfig()
    floors: tuple[FloorConfig, ...] = Field((), description="[[floors]] tables")
    cameras: tuple[CameraConfig, ...] = Field((), description="[[cameras]] tables")

    @property
    def backup_folder(self) -> Path:
        """The folder that backups are written to, and restored from when the database is damaged."""
        return self.backup.folder or self.database.path.absolute().parent / "backups"

    def picture_file(self, camera_id: str) -> Path:
        """The file that keeps what a camera usually shows, beside the database."""
        return self.database.path.absolute().parent / "pictures" / f"{camera_id}.npz"

    @property
    def client_id(self) -> str:
        """The MQTT client id, always the same for a device: the broker keeps a session and a last will for each id."""
        return self.mqtt.client_id or f"smartpark-{self.device.id}"

    @property
    def cameras_by_floor(self) -> dict[str, tuple[str, ...]]:
        """The ids of the cameras with a gate of a floor, by the name of each floor."""
        gates = [(camera.id, (gate.floor, gate.outside_floor)) for camera in self.cameras for gate in camera.gates]
        names = {floor.name for floor in self.floors}
        return {name: tuple(dict.fromkeys(key for key, floors in gates if name in floors)) for name in names}

    def camera(self, camera_id: str) -> CameraConfig | None:
        """The camera with that id; None when there is none."""
        return next((camera for camera in self.cameras if camera.id == camera_id), None)
