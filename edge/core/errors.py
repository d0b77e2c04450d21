"""Defines the exceptions of the product, one for each reaction of a caller."""

from __future__ import annotations


class SmartParkError(Exception):
    """Base of every error that the product raises on purpose. Its text is a message for the user."""


class ConfigError(SmartParkError):
    """The configuration is wrong. Restarting does not help: the process exits with 78 (``EX_CONFIG``).

    ``problems`` holds one line per fault, each with the file, the key and what to do.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RefusedError(SmartParkError):
    """A request cannot be carried out (an unknown floor, a wrong digest); nothing was changed."""


class ModelError(SmartParkError):
    """The detector's weights are missing or damaged, or the runtime cannot load them."""


class SourceError(SmartParkError):
    """A camera or clip cannot be opened or read. A live camera may come back: the caller tries again."""


class StoreError(SmartParkError):
    """The database cannot be opened, or is not one of this product."""
