"""Reads TOML files that people write, and says what is wrong with them in lines that help to correct the file.

Each error is one line: the file, the key, what is wrong, what is right. The configuration, the label files of clips and
the baselines of their counts share these functions.
"""

from __future__ import annotations

import difflib
import tomllib
from typing import TYPE_CHECKING, Any, get_args

from edge.config.section import Section
from edge.core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

# The values of these keys are never repeated in a message.
_SECRET_KEYS = {"password", "username", "source"}

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
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror}); check the path and its rights"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8"]) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not valid TOML: {error}; correct that place"]) from error


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
    if kind != "missing" and not _SECRET_KEYS & {str(part) for part in location}:
        value = f" (it is {_value_at(raw, location)!r:.80})"
    remedy = "add it: " if kind == "missing" else "expected: "
    known = model.model_fields.get(field or "")
    description = (known.description if known else None) or "see the example smartpark.toml"
    return f"{place}: {fault}{value}; {remedy}{description}"


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
