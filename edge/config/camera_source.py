"""This module defines the keys of a camera that say where its frames come from, and keeps what is secret out of texts.

``schema.py`` takes them into the section of a camera.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    Field,
    SecretStr,
    StringConstraints,
    field_serializer,
    field_validator,
)

from edge.config.camera_address import CameraAddress, SourceKind, parse_address
from edge.config.section import Section
from edge.core.errors import shown_name

if TYPE_CHECKING:
    from collections.abc import Iterator

# A camera's address, which may carry tokens, all the parameters of a simulated scene, or a long path with every byte
# percent-encoded.
Address = Annotated[str, StringConstraints(min_length=1, max_length=16_384, pattern=r"^[^\x00-\x1f\x7f]+$")]


class CameraSource(Section):
    """The address of a camera, and its user name and password."""

    source: Address = Field(description="a file, rtsp:// or http:// URL, /dev/video0, or sim:ramp?...")
    username: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="better as a systemd credential camera.<id>.username"
    )
    password: SecretStr | None = Field(None, description="better as a systemd credential camera.<id>.password")

    @field_validator("source")
    @classmethod
    def _source_can_be_parsed(cls, source: str) -> str:
        """The source; of a stream with user name and password percent-encoded, so that it can be read in one way."""
        address = parse_address(source)
        return address.url if address.kind is SourceKind.STREAM else source

    @field_validator("username", "password")
    @classmethod
    def _no_control_characters(cls, secret: SecretStr | str | None) -> SecretStr | str | None:
        text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret or ""
        if any(unicodedata.category(char) == "Cc" for char in text):
            raise ValueError("holds a control character; remove it")
        return secret

    @field_serializer("source", when_used="json")
    def _source_without_secrets(self, _: str) -> str:
        return self.public_source

    @field_serializer("username", when_used="json")
    def _username_without_text(self, username: str | None) -> str | None:
        return None if username is None else str(SecretStr(username))

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What a representation holds: no secret."""
        for key, value in super().__repr_args__():
            if key == "source":
                yield key, self.public_source
            elif key == "username" and value is not None:
                yield key, SecretStr(value)
            else:
                yield key, value

    @property
    def address(self) -> CameraAddress:
        """The parts of the source, with ``username`` and ``password`` in the place of those in its text."""
        address = parse_address(self.source)
        user = address.user if self.username is None else self.username
        password = address.password if self.password is None else self.password.get_secret_value()
        return replace(address, user=user, password=password)

    @property
    def secret_url(self) -> str:
        """The source with the camera's user name and password in it; it must never be logged."""
        return self.address.url

    @property
    def public_source(self) -> str:
        """The source as it may stand in a log: without user and password, path and query without their values."""
        return shown_name(self.address.shown)
