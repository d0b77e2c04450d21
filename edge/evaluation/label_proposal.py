"""A label for a clip, proposed: the crossings that the pipeline sees, and pictures by which a person judges them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from edge.config.schema import CameraConfig
from edge.core.errors import RefusedError
from edge.core.tracks import Reason
from edge.evaluation.drawing import Drawing, Shape, draw, save, sheet
from edge.evaluation.evaluate_clip import CAMERA, RUN, Wish, frames_of, watch
from edge.evaluation.line_proposal import Proposal, Ways, propose
from edge.evaluation.witness import moment_of
from edge.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge.config.schema import Config, GateConfig
    from edge.core.events import Direction
    from edge.core.frames import Frame, Image
    from edge.detection.detector import Detector
    from edge.evaluation.line_proposal import Way
    from edge.evaluation.witness import Witness

# The search for a line looks at so many frames a second of so many seconds.
SEARCH_FPS, SEARCH_SECONDS = 5.0, 120.0
# A contact sheet's frames: seconds from the crossing; pixels across.
MOMENTS, WIDTH = (-1.0, -0.5, 0.0, 0.5, 1.0), 400
# Refusals that a person may know better.
ARGUABLE = (Reason.PERSON, Reason.BICYCLE, Reason.NO_EVIDENCE)
OURS = re.compile(r"gate\.png|[0-9]+\.[0-9]{2}s-(refused-)?(entry|exit)-.*\.jpg")


@dataclass(frozen=True, slots=True)
class Proposed:
    """A crossing that the pipeline saw. ``refused``: why it did not count it, else empty."""

    direction: Direction
    at: float
    track_id: str
    label: str
    confidence: float
    refused: str = ""

    @property
    def file(self) -> str:
        """The name of its contact sheet."""
        refused = "refused-" if self.refused else ""
        return f"{self.at:06.2f}s-{refused}{self.direction}-{self.track_id}.jpg"

    @property
    def comment(self) -> str:
        """What the pipeline knows of it."""
        return f"{self.track_id}, {self.label}, confidence {self.confidence:.2f}"


def find_line(clip: Path, config: Config, detector: Detector) -> tuple[Proposal | None, list[Way]]:
    """A line for the clip, proposed from the first minutes, and the ways that vehicles took; None without any."""
    camera = CameraConfig(id=CAMERA, source=str(clip), fps=SEARCH_FPS)
    ways = Ways(config)
    pipeline = Pipeline(camera, config, RUN, detector, lambda _: None, ways.watch)
    for frame in takewhile(lambda frame: frame.monotonic <= SEARCH_SECONDS, frames_of(camera)):
        pipeline.process(frame)
    found = ways.found()
    return propose(found, ways.size), found


def find_crossings(
    clip: Path, gate: GateConfig, config: Config, detector: Detector, progress: Callable[[float], None] | None = None
) -> tuple[list[Proposed], Witness]:
    """The crossings that the pipeline counts, and those that it refuses for what they are; by time."""
    camera = CameraConfig(id=CAMERA, source=str(clip), gates=(gate,))
    _, witness = watch(clip.stem, camera, Wish(config), detector, progress)
    found = [
        Proposed(
            *(verdict.crossing.direction, moment_of(verdict), verdict.track_id),
            *(verdict.crossing.label, verdict.crossing.confidence),
            "" if verdict.counted else verdict.reason.value,
        )
        for verdict in witness.told()
        if verdict.crossing is not None and (verdict.counted or verdict.reason in ARGUABLE)
    ]
    return found, witness


def make_pictures(
    clip: Path, gate: GateConfig, crossings: Sequence[Proposed], witness: Witness, folder: Path, *, force: bool
) -> None:
    """Write a contact sheet of each crossing, and ``gate.png`` with the line on a grid.

    With ``force`` the pictures of an earlier time go; nothing else in the folder is touched.
    """
    clear(folder, force=force)
    frames = frames_of(CameraConfig(id=CAMERA, source=str(clip)))
    todo = sorted((one.at + offset, number, offset) for number, one in enumerate(crossings) for offset in MOMENTS)
    pictures: dict[int, list[Image]] = {}
    left = dict.fromkeys(range(len(crossings)), len(MOMENTS))
    last: Frame | None = None
    for frame in frames:
        if last is None:
            save(folder / "gate.png", draw(frame.image, _overview(gate, witness)))
        while todo and todo[0][0] <= frame.monotonic:
            _, number, offset = todo.pop(0)
            one = crossings[number]
            pictures.setdefault(number, []).append(_small(frame, gate, one, witness, offset))
            left[number] -= 1
            if not left[number]:
                save(folder / one.file, sheet(pictures.pop(number), len(MOMENTS)))
        last = frame
    # The clip ends before some sheets are full.
    for number, some in pictures.items():
        save(folder / crossings[number].file, sheet(some, len(MOMENTS)))


def grid_picture(clip: Path, ways: Sequence[Way], path: Path) -> None:
    """Write a frame of the clip with a grid to read coordinates from, and the ways that vehicles took."""
    for frame in islice(frames_of(CameraConfig(id=CAMERA, source=str(clip))), 1):
        tracks = tuple(Shape(None, before=way.points) for way in ways)
        save(path, draw(frame.image, Drawing(tracks=tracks, text=("Fractions of the frame, as in --line",), grid=True)))


def clear(folder: Path, *, force: bool) -> None:
    """Make the folder, or empty it of an earlier label's pictures: ``RefusedError`` unless ``force``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        old = [path for path in folder.iterdir() if OURS.fullmatch(path.name)]
        if old and not force:
            raise RefusedError(f"{folder}: there are pictures of an earlier label; remove them, or use --force")
        for path in old:
            path.unlink()
    except OSError as error:
        raise RefusedError(f"{folder} cannot be written: {error.strerror}; choose another place with --out") from error


def write(path: Path, text: str) -> None:
    """Write a text file; it gets its name when all is written. Raises ``RefusedError`` where that cannot be."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise RefusedError(f"{path} cannot be written: {error.strerror}; choose another place with --out") from error


def label_text(clip: Path, out: Path, gate: GateConfig, crossings: Sequence[Proposed], pictures: Path) -> str:
    """The label file, valid at once; its comments tell the person what to do."""
    refused = [one for one in crossings if one.refused]
    said = "\n".join(f"# {one.at:.2f}  {one.direction}: {one.refused} ({one.comment})" for one in refused)
    if refused:
        said = (
            f"\n# Crossed the line and were not counted. If one is a vehicle, write its second into its list.\n{said}\n"
        )
    extra = "".join(
        f"{key} = {_toml(getattr(gate, key))}\n"
        for key in ("anchor", "dead_band")
        if getattr(gate, key) != type(gate).model_fields[key].default
    )
    return f"""# Proposed by `smartpark label`: what the pipeline saw. It is the truth when a person has put it right.
# Pictures: {pictures.name}/
#
# 1. gate.png shows the line. If it is not where you want it, make a new proposal with --line and --inside; also if
#    entries and exits are the wrong way round: `inside` must lie on the floor's side.
# 2. Watch the clip. There is a picture of each crossing below, named by its second. Delete those that are none, move
#    those that went the other way, and add those that are missing.
# 3. What you cannot tell (cut by the frame's edge, on the line when the clip begins or ends) goes into `uncertain`:
#    it may be counted or not.
# 4. smartpark evaluate {out.name}
clip = {_toml(os.path.relpath(clip.absolute(), out.absolute().parent))}

# Fractions of the frame, origin at the top left. A crossing towards the side of `inside` is an entry.
[gate]
line = {_toml([list(point) for point in gate.line])}
inside = {_toml(list(gate.inside))}
{extra}
# Seconds from the first frame, when the middle of the vehicle is on the line; a second off is near enough.
[truth]
entries = {_listed(crossings, "entry")}
exits = {_listed(crossings, "exit")}
uncertain = []
{said}"""


def _listed(crossings: Sequence[Proposed], direction: str) -> str:
    lines = [
        f"    {one.at:.2f},  # {one.comment}" for one in crossings if one.direction == direction and not one.refused
    ]
    return "\n".join(["[", *lines, "]"]) if lines else "[]"


def _toml(value: str | float | list[list[float]] | list[float]) -> str:
    if not isinstance(value, str):
        return str(value)
    escaped = "".join(
        f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c for c in re.sub(r'(["\\])', r"\\\1", value)
    )
    return f'"{escaped}"'


def _overview(gate: GateConfig, witness: Witness) -> Drawing:
    ways = tuple(
        Shape(None, before=tuple(trail[n].box.center for n in range(0, len(trail), max(1, len(trail) // 30))))
        for name, trail in witness.places.items()
        if any(verdict.track_id == name and verdict.counted for verdict in witness.verdicts)
    )
    text = ("The line, and the way of what was counted. Fractions of the frame, as in --line.",)
    return Drawing(gate.line, gate.inside, tracks=ways, text=text, grid=True)


def _small(frame: Frame, gate: GateConfig, one: Proposed, witness: Witness, offset: float) -> Image:
    trail = witness.places.get(one.track_id)
    track = Shape(trail.box_at(frame.monotonic) if trail is not None else None, subject=True)
    text = (f"{frame.monotonic:.2f} s{'  ' + one.direction if offset == 0 else ''}",)
    return draw(frame.image, Drawing(gate.line, gate.inside, tracks=(track,), text=text), WIDTH)
