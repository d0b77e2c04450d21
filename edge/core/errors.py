"""Defines the exceptions of the product, one for each reaction of a caller, and how their messages show a name."""

from __future__ import annotations

_LONGEST_SHOWN = 300  # characters of a name in a message


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


class DaemonError(SmartParkError):
    """The running daemon cannot be asked: none listens, it does not answer, or this user may not connect."""


def shown_name(text: object) -> str:
    """A text of the outside (a file's name) as it may stand in a message: on one line, without control characters.

    Bytes that are not UTF-8 become ``\\xNN``; of a very long text the middle is left out.
    """
    raw = str(text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in raw)
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[: _LONGEST_SHOWN // 2]}...{shown[-_LONGEST_SHOWN // 2 :]}"
    return shown
