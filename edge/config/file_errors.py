"""Reads TOML files that people write, and says what is wrong with them in lines that help to correct the file.

Each error is one line: the file, the key, what is wrong, what is right. The configuration, the label files of clips and
the baselines of their counts share these functions.
"""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from typing import TYPE_CHECKING, Any, get_args

from edge.config.section import Section
from edge.core.errors import ConfigError, shown_name

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

# The values of these keys are never repeated in a message.
_SECRET_KEYS = {"password", "username", "source"}

_LARGEST_FILE = 10_000_000  # bytes

# A text with any of these may be an address with a password that stands at the wrong key.
_ADDRESS_SIGNS = ("://", "@")

# Where a value comes from that is not the file's, by section and key: a variable, or a credential.
Origins = dict[tuple[str, str], str]

# What is wrong, by pydantic's type of error and filled in with its context; the field's description says what is right.
_FAULTS = {
    "missing": "is missing",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "too_short": "needs {min_length} or more, has {actual_length}",
    "string_too_short": "must not be empty",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "must hold no control characters, and an id no spaces and none of + # /",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list",
    "literal_error": "must be {expected}",
}


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises ``ConfigError`` that names the file, the place and what to do."""
    name = shown_name(path)
    try:
        text = _read_file(path).decode("utf-8")
    except OSError as error:
        raise ConfigError([f"{name}: cannot be read ({error.strerror}); check the path and its rights"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{name}: is not UTF-8 text (byte {error.start}); save it as UTF-8"]) from error
    try:
        return tomllib.loads(text)
    except ValueError as error:  # a TOMLDecodeError, or a number with thousands of digits
        raise ConfigError([f"{name}: is not valid TOML: {error}; correct that place"]) from error
    except RecursionError as error:
        raise ConfigError([f"{name}: its brackets are nested too deeply; correct it"]) from error


def _read_file(path: Path) -> bytes:
    """The content of a file or a pipe. Never waits for a pipe to which nothing writes, and reads no device."""
    if stat.S_ISCHR(path.stat().st_mode) or stat.S_ISBLK(path.stat().st_mode):
        raise ConfigError([f"{shown_name(path)}: is a device; name a file"])
    # A pipe is opened without waiting for its writer; one that is there already is then read to its end.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        os.set_blocking(file.fileno(), True)
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ConfigError([f"{shown_name(path)}: has more than {_LARGEST_FILE} bytes; name a TOML file"])
    return content


def validation_errors(
    error: ValidationError,
    root: type[BaseModel],
    raw: dict[str, Any],
    name: str,
    origins: Origins | None = None,
    *,
    above: int = 0,
) -> list[str]:
    """One line for each error that validating ``raw`` as ``root`` raised; ``name`` is the file's.

    ``above`` is the number of tables above a ``root`` whose names the author of the file chooses.
    """
    details = error.errors(include_url=False)
    # Where items of a list are wrong, pydantic also reports the list as too short; the items alone are reported.
    inner = {detail["loc"][: len(outer["loc"])] for detail in details for outer in details if outer is not detail}
    kept = [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in inner]
    return [_error_line(detail, *_model_at(root, detail["loc"][above:]), raw, name, origins or {}) for detail in kept]


def closest_word(word: str, known: list[str]) -> str | None:
    """The known word that was probably meant, if any is similar."""
    return next(iter(difflib.get_close_matches(word, known, n=1)), None)


def _error_line(
    detail: ErrorDetails, model: type[BaseModel], field: str | None, raw: dict[str, Any], name: str, origins: Origins
) -> str:
    location = detail["loc"]
    key = ""
    for part in location:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    origin = origins.get((str(location[0]), str(location[1]))) if len(location) > 1 else None
    place = f"environment: {origin}" if origin else f"{name}: {key}" if key else name
    kind = detail["type"]
    if kind == "extra_forbidden":
        meant = closest_word(str(location[-1]), list(model.model_fields))
        return f"{place}: unknown key; {f'did you mean {meant!r}?' if meant else 'remove it'}"
    message = detail["msg"].removeprefix("Value error, ")
    if kind == "value_error":
        return f"{place}: {message}"
    fault = _FAULTS.get(kind, message[:1].lower() + message[1:]).format(**detail.get("ctx", {}))
    value = ""
    found = _value_at(raw, location)
    if kind != "missing" and not _SECRET_KEYS & {str(part) for part in location} and _may_be_shown(found):
        value = f" (it is {found!r:.80})"
    remedy = "add it: " if kind == "missing" else "expected: "
    known = model.model_fields.get(field or "")
    description = (known.description if known else None) or "see the example smartpark.toml"
    return f"{place}: {fault}{value}; {remedy}{description}"


def quoted(value: Any) -> str:
    """A value as a message shows it: in quotes, or a stand-in where it may be an address with a password."""
    return f"{value!r:.80}" if _may_be_shown(value) else "(not shown: it may hold a password)"


def _may_be_shown(value: Any) -> bool:
    """Whether a value holds no secret: no table (a camera may stand in it), and no text that may be an address."""
    if isinstance(value, list):
        return all(_may_be_shown(item) for item in value)
    if isinstance(value, str):
        return not any(sign in value for sign in _ADDRESS_SIGNS)
    return not isinstance(value, dict)


def _value_at(raw: Any, location: tuple[int | str, ...]) -> Any:
    for part in location:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return None
    return raw


def _model_at(root: type[BaseModel], location: tuple[int | str, ...]) -> tuple[type[BaseModel], str | None]:
    """The section that holds the last named key of ``location``, and that key."""
    model = root
    key: str | None = None
    for part in location:
        if isinstance(part, int):
            continue
        if key is not None:
            inner = _section_of(model.model_fields[key].annotation) if key in model.model_fields else None
            if inner is None:
                return model, key
            model = inner
        key = part
    return model, key


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _section_of(arg)) is not None), None)
