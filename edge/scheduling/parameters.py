"""Holds the tuned numbers of scheduling: one field a number, with unit, meaning and the reason for its value."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RegionParameters:
    """How much of the frame about the gates is looked at.

    A track needs room to begin before the line. With these margins no count of the labelled clips and the scenes
    changes. Where vehicles fill the picture every margin cuts some of them: with 0.2 frames up to four crossings of 124
    were lost, and in the scenes, whose gate is almost as high as the frame, up to three of 635 with 0.36.
    """

    # Margin about a gate's line in lengths of the line, which is about as long as a lane is wide.
    line_margin: float = 1.0
    least_margin: float = 0.1  # smallest margin, as a share of the frame's longer side
    most_margin: float = 0.4  # largest margin, as a share of the frame's longer side
    most_area: float = 0.75  # share of the frame's area from which on the whole frame is looked at


@dataclass(frozen=True, slots=True)
class MovementParameters:
    """When something moves in the region's small grey picture.

    Fitted so that every crossing of the labelled clips is preceded by movement for a second or more, or by as long as
    the vehicle is in the region, and that nothing moves in them where nobody drives or walks.
    """

    width: int = 160  # pixels of the longer side of the small picture
    thinned_width: int = 320  # pixels: a larger picture is first thinned out to no less; averaging all of it costs more
    surroundings: int = 31  # pixels about a pixel over which its brightness is compared, so that light changes nothing
    least_brightness: float = 10.0  # grey levels added to the surroundings: keeps the noise of dark places small
    level: float = 80.0  # grey level of a pixel that is as bright as its surroundings
    variances: float = 16.0  # squared deviation in variances from which on a pixel is no background (OpenCV's default)
    cell: int = 5  # pixels of the side of the square that must have changed; a motorcycle far away is as large
    cell_share: float = 0.6  # share of that square's pixels that must have changed; rain changes single pixels
    # s, time constant of the background's weights: what stands, or sways, becomes the background in a tenth of it.
    learn_seconds: float = 100.0
    # s, the same while a vehicle is near a gate: what stands before a barrier must be seen for a minute.
    learn_seconds_occupied: float = 600.0


@dataclass(frozen=True, slots=True)
class MotionGateParameters:
    """When the detector need not look."""

    still_seconds: float = 1.0  # s without movement after which it stops looking; a vehicle at a barrier stands longer
    # s between two looks while nothing moves. It must be below LONG_GAP_SECONDS, after which all tracks end: parked
    # vehicles keep their tracks.
    look_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class TurnParameters:
    """Which camera's frame the detector takes next."""

    # s that a frame waits at most behind frames that are needed more: above 3 looks a second for each of four cameras.
    longest_wait: float = 0.3


@dataclass(frozen=True, slots=True)
class SchedulingParameters:
    """All numbers of this room."""

    region: RegionParameters = field(default_factory=RegionParameters)
    movement: MovementParameters = field(default_factory=MovementParameters)
    gate: MotionGateParameters = field(default_factory=MotionGateParameters)
    turns: TurnParameters = field(default_factory=TurnParameters)


DEFAULT_SCHEDULING = SchedulingParameters()
