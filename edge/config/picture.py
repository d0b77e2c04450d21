"""This module defines the section ``[picture]`` of ``smartpark.toml``: when a camera's picture is wrong."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.config.section import Fraction, Seconds, Section


class PictureConfig(Section):
    """The checks of the cameras' pictures; a camera whose picture fails a check is reported, or counted as blind."""

    enabled: bool = Field(True, description="false: the pictures are not checked")
    begin_seconds: Seconds = Field(
        5.0, description="how long a picture must be wrong; blurred or moved ones twice as long"
    )
    end_seconds: Seconds = Field(3.0, description="how long it must be right again")
    frozen_seconds: Seconds = Field(
        30.0, description="how long pictures are repeated to the pixel; longer than the time between key frames"
    )
    dark_level: Annotated[float, Field(ge=0.0, le=255.0)] = Field(
        24.0, description="the brightest parts are below this, of 255"
    )
    washed_out_share: Fraction = Field(0.6, description="this share of the picture is white")
    covered_share: Fraction = Field(0.85, description="this share of what the camera usually shows has no structure")
    corrupt_share: Fraction = Field(0.05, description="this share of the frames was not decoded without error")
    artefact_share: Fraction = Field(
        0.008, description="this share of the borders between a codec's blocks has a sharp step, above the usual"
    )
    blurred_share: Fraction = Field(0.65, description="less than this share of the usual sharpness is left")
    moved_share: Fraction = Field(0.025, description="the scene has moved by this share of the picture's width")
    turned_share: Fraction = Field(0.1, description="from here on the gates are not where they were: blind")
    relearn_hours: Annotated[float, Field(ge=0.0, le=8760.0)] = Field(
        24.0, description="a moved camera's picture is taken for the right one after so long; 0: never"
    )
    fps_share: Fraction = Field(0.7, description="less than this share of the camera's `fps` is processed")
    lag_seconds: Seconds = Field(3.0, description="frames are processed so long after they were taken")
