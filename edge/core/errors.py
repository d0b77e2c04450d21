"""The exceptions of the product: one small tree, so that a caller can catch by what it can do about it."""

from __future__ import annotations


class SmartParkError(Exception):
    """Root of every error that the product raises on purpose; its text is fit for a person."""


class ConfigError(SmartParkError):
    """The configuration is wrong. Restarting does not help: the process exits with 78 (``EX_CONFIG``).

    ``problems`` holds one line per fault, each with the file, the key and the remedy.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RefusedError(SmartParkError):
    """What was asked for is not possible (an unknown floor, a wrong digest); nothing was changed."""


class ModelError(SmartParkError):
    """The detector's weights are missing, damaged, or not what the runtime can load."""


class SourceError(SmartParkError):
    """A camera or clip cannot be opened or read. For a live camera this is the world's trouble: try again."""


class StoreError(SmartParkError):
    """The database cannot be opened or is not ours."""
