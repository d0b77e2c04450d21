"""This module defines the section ``[metrics]`` of ``smartpark.toml``: metrics for Prometheus."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.config.section import PlainText, Section


class MetricsConfig(Section):
    """Metrics for Prometheus, which fetches them over HTTP."""

    enabled: bool = Field(False, description="true: http://<host>:<port>/metrics is served")
    host: PlainText = Field("127.0.0.1", description="the address to listen on; nothing there asks for a password")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(9464, description="the port to listen on")
