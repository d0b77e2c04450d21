"""Defines a snapshot: what a camera shows at one moment, what is known about it, and how the daemon sends both."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.config.schema import GateConfig
from edge.core.shapes import Box
from edge.host.control_socket import ControlAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.frames import Detection, Frame, Image
    from edge.core.tracks import Track

# A region of the picture in fractions of it: left, top, right, bottom.
Region = tuple[float, float, float, float]

DETECTED = "detected"
_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class SnapshotBox:
    """A box in the picture, in its pixels. ``state`` is that of a track, or ``DETECTED``, which has no ``track_id``."""

    box: Box
    label: str
    confidence: float
    state: str = DETECTED
    track_id: str = ""

    @staticmethod
    def of_track(track: Track) -> SnapshotBox:
        """The box of a track."""
        return SnapshotBox(track.box, track.label, track.confidence, track.state.value, track.track_id)

    @staticmethod
    def of_detection(detection: Detection) -> SnapshotBox:
        """The box of a detection."""
        return SnapshotBox(detection.box, detection.label, detection.confidence)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A camera's picture (BGR), and what is drawn over it and written below it.

    ``captured_at`` is aware UTC. ``origin`` says in a few words where the picture comes from, ``problem`` what is wrong
    with the camera, "" for nothing. ``notes`` are sentences for the user.
    """

    camera_id: str
    image: Image
    captured_at: datetime
    origin: str
    problem: str = ""
    gates: tuple[GateConfig, ...] = ()
    region: Region | None = None
    boxes: tuple[SnapshotBox, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DaemonPicture:
    """What the daemon knows of a camera's newest processed frame: the frame itself and its tracks.

    ``age`` is in seconds, None for a recording. ``gates`` and ``region`` are those with which the daemon counts.
    """

    frame: Frame
    age: float | None
    state: str
    problem: str
    gates: tuple[GateConfig, ...]
    region: Region | None
    boxes: tuple[SnapshotBox, ...]

    def to_answer(self) -> ControlAnswer:
        """The answer to a request over the daemon's socket; the image is copied, and nothing is encoded."""
        width, height = self.frame.size
        fields = {
            "width": width,
            "height": height,
            "captured_at": self.frame.captured_at.isoformat(),
            "age": self.age,
            "state": self.state,
            "problem": self.problem,
            "gates": [gate.model_dump(mode="json") for gate in self.gates],
            "region": self.region,
            "boxes": [
                {**asdict(box), "box": [float(edge) for edge in box.box], "confidence": float(box.confidence)}
                for box in self.boxes
            ],
        }
        return ControlAnswer(fields, self.frame.image.tobytes())


def region_shown(view: Box, size: tuple[int, int]) -> Region | None:
    """The ``view`` of a frame of ``size`` (width, height) as fractions; None where it is the whole frame."""
    width, height = size
    shares = view.x1 / width, view.y1 / height, view.x2 / width, view.y2 / height
    return None if shares == (0.0, 0.0, 1.0, 1.0) else shares


def snapshot_of_answer(camera_id: str, answer: ControlAnswer, gates: tuple[GateConfig, ...]) -> Snapshot:
    """The snapshot of an answer that ``DaemonPicture.to_answer`` made, with the ``gates`` of the configuration's file.

    Raises ``ValueError`` for an answer that is none: the daemon is of another version.
    """
    fields: Mapping[str, Any] = answer.fields
    try:
        width, height = int(fields["width"]), int(fields["height"])
        image = np.frombuffer(answer.body, dtype=np.uint8).reshape((height, width, _CHANNELS))
        boxes = tuple(
            SnapshotBox(Box(*box["box"]), box["label"], box["confidence"], box["state"], box["track_id"])
            for box in fields["boxes"]
        )
        running = tuple(GateConfig.model_validate(gate) for gate in fields["gates"])
        region, age = fields["region"], fields["age"]
        return Snapshot(
            camera_id,
            image,
            datetime.fromisoformat(fields["captured_at"]),
            f"the daemon's picture, {f'{age:.1f} s old, ' if age is not None else ''}camera {fields['state']}",
            fields["problem"],
            gates,
            None if region is None else (region[0], region[1], region[2], region[3]),
            boxes,
            () if running == gates else (_OTHER_GATES,),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError("the daemon's answer is no snapshot") from error


_OTHER_GATES = (
    "the gates are drawn as the file has them now; the daemon still counts with others: restart it to use these"
)
