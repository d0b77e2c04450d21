"""This module defines the states of a camera whose pictures are wrong, and which of them make it blind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class PictureCode(StrEnum):
    """What is wrong with the pictures of a camera; the gravest first."""

    DARK = "dark"
    WASHED_OUT = "washed_out"
    COVERED = "covered"
    FROZEN = "frozen"
    CORRUPT = "corrupt"
    TOO_FEW_FRAMES = "too_few_frames"
    OTHER_SCENE = "other_scene"
    TURNED_AWAY = "turned_away"
    MOVED = "moved"
    BLURRED = "blurred"
    FEWER_FRAMES = "fewer_frames"
    OLD_FRAMES = "old_frames"


_REFOCUS = "focus the camera, or clean its lens"
_ACCEPT = (
    "turn the camera back; or draw its gates anew and restart the daemon; or accept the picture with"
    " `smartpark cameras accept {camera}`"
)
# What a state means and what to do. ``value`` is what was measured last.
_TEXTS = {
    PictureCode.DARK: (
        "the picture is dark, its brightest parts have {value:.0f} of 255; light the place, and check the lens and the"
        " camera's infrared lamps"
    ),
    PictureCode.WASHED_OUT: (
        "{value:.0%} of the picture is white; correct the camera's exposure, or turn it away from the light"
    ),
    PictureCode.COVERED: (
        "the camera is covered: {value:.0%} of what it usually shows cannot be seen; clean the lens, and remove what"
        " stands in front of it"
    ),
    PictureCode.FROZEN: (
        "the picture is frozen: frames come, but only pictures that were shown before, for {value:.0f} s; restart the"
        " camera"
    ),
    PictureCode.CORRUPT: (
        "the pictures are corrupt: blocks, green or flat parts show in them, or the decoder reports errors ({value:.0%}"
        " of the frames); check the network between camera and device, or lower the camera's bit rate"
    ),
    PictureCode.TOO_FEW_FRAMES: (
        "{value:.1f} frames a second are processed, {limit:g} are needed for a reliable count; lower"
        " detector.image_size or the number of cameras, or raise the camera's own frame rate"
    ),
    PictureCode.OTHER_SCENE: "the camera shows another scene than before; " + _ACCEPT,
    PictureCode.TURNED_AWAY: "the camera was turned away: its picture has moved by {value:.0%} of its width; "
    + _ACCEPT,
    PictureCode.MOVED: "the camera was moved: its picture has shifted by {value:.1%} of its width; " + _ACCEPT,
    PictureCode.BLURRED: "the picture is blurred, it has {value:.0%} of its usual sharpness; " + _REFOCUS,
    PictureCode.FEWER_FRAMES: (
        "{value:.1f} frames a second are processed, the camera's fps is set to {limit:g}; raise the camera's own frame"
        " rate, lower detector.image_size, or set a lower fps"
    ),
    PictureCode.OLD_FRAMES: (
        "frames are processed {value:.0f} s after they were taken; lower the camera's resolution or its frame rate"
    ),
}

_REASONS = {
    PictureCode.DARK: "the picture is dark",
    PictureCode.WASHED_OUT: "the picture is washed out",
    PictureCode.COVERED: "the camera is covered",
    PictureCode.FROZEN: "the picture is frozen",
    PictureCode.CORRUPT: "the pictures are corrupt",
    PictureCode.TOO_FEW_FRAMES: "too few frames are processed",
    PictureCode.OTHER_SCENE: "the camera shows another scene",
    PictureCode.TURNED_AWAY: "the camera was turned",
    PictureCode.MOVED: "the camera was moved",
    PictureCode.BLURRED: "the picture is blurred",
    PictureCode.FEWER_FRAMES: "fewer frames are processed than set",
    PictureCode.OLD_FRAMES: "the frames are old",
}

# A camera in one of these states cannot be counted. The others are warnings:
# - a moved camera still has its gate in the picture, and traffic crosses a line that is some percent off; whether the
#   count is right depends on the gate, so people must look, but a floor is not unknown because of it;
# - a blurred picture loses small vehicles first, and a lens that is out of focus at night would make each night blind;
#   when nothing can be recognised any more the picture has lost its structure, and is `covered`;
# - fewer frames than were set are enough as long as they are not too few;
# - an old frame is counted like a new one, only later.
BLIND_CODES = frozenset(
    {
        *(PictureCode.DARK, PictureCode.WASHED_OUT, PictureCode.COVERED, PictureCode.FROZEN, PictureCode.CORRUPT),
        *(PictureCode.TOO_FEW_FRAMES, PictureCode.OTHER_SCENE, PictureCode.TURNED_AWAY),
    }
)


@dataclass(frozen=True, slots=True)
class PictureState:
    """A state in which a camera is.

    ``since`` (aware UTC) and ``since_monotonic`` (seconds, as ``Frame.monotonic``) are when it began, which is earlier
    than when it was noticed. ``text`` says what is wrong and what to do, in one line.
    """

    code: PictureCode
    since: datetime
    since_monotonic: float
    text: str

    @property
    def reason(self) -> str:
        """The state in a few words that stay the same while it lasts: "the picture is frozen"."""
        return _REASONS[self.code]

    @property
    def blind(self) -> bool:
        """Whether the camera's gates cannot be counted in this state."""
        return self.code in BLIND_CODES


def state_text(code: PictureCode, camera: str, value: float, limit: float) -> str:
    """The text of a state: ``value`` was measured, ``limit`` is what it is held against."""
    return _TEXTS[code].format(camera=camera, value=value, limit=limit)
