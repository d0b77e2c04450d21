"""Puts what ``sensitivity.py`` counted into a document for JSON, a Markdown table, and a summary in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.tuned_numbers import Acts, Numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.tuned_numbers import TunedNumber

SIDES = {"minus": 0.8, "plus": 1.2}
DRAW = "draw"  # the name of a task that changes all numbers
SPREAD = 0.1
_SHOWN = {Acts.ON_FRAMES: " (frames)", Acts.IN_THE_DETECTOR: " (model)"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each set's count: its errors, and how many of its events are not those of the defaults.

    An event is the same if its direction, time to the microsecond, vehicle type and confidence are. ``identical`` tells
    whether its track has the same number too, so that not a byte of any event differs.
    """

    errors: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    identical: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """Numbers to count with, what they are called, and what must be done anew for them."""

    name: str
    side: str
    value: float
    acts: Acts
    numbers: Numbers


def document(
    before: Outcome, numbers: Sequence[TunedNumber], results: Sequence[tuple[Task, Outcome]], skipped: Sequence[str]
) -> dict[str, Any]:
    """Everything that was found, for JSON: the numbers with the most sensitive first, and the draws."""
    by_name: dict[str, dict[str, Any]] = {}
    draws = []
    for task, outcome in results:
        row = {"value": task.value, **asdict(outcome)}
        if task.name == DRAW:
            draws.append({"seed": task.value, **row})
        else:
            by_name.setdefault(task.name, {})[task.side] = row
    rows = [
        {"name": number.name, "value": number.value, "acts": number.acts.value, **by_name.get(number.name, {})}
        for number in numbers
        if number.name in by_name
    ]
    rows.sort(key=lambda row: _rank(row, before))
    return {
        "before": before.errors,
        "numbers": rows,
        "draws": sorted(draws, key=lambda draw: draw["seed"]),
        "not_in_recordings": list(skipped),
    }


def _rank(row: dict[str, Any], before: Outcome) -> tuple[int, int, str]:
    """Sorts the most sensitive first: by the errors that a side adds or removes, then by the events it changes."""
    sides = [row[side] for side in SIDES if side in row]
    added = [sum(abs(errors - before.errors[name]) for name, errors in side["errors"].items()) for side in sides]
    return -max(added, default=0), -sum(sum(side["changed"].values()) for side in sides), row["name"]


def table(found: dict[str, Any], top: int | None = None) -> str:
    """The numbers as a Markdown table; errors of each set as ``before: after -20 % / after +20 %``."""
    sets = list(found["before"])
    titles = ["number", "value", "-20 %", "+20 %"]
    titles += [f"{name}: {errors} errors" for name, errors in found["before"].items()] + ["events changed"]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for row in found["numbers"][:top]:
        sides = [row.get(side) for side in SIDES]
        cells = [f"`{row['name']}`{_SHOWN.get(Acts(row['acts']), '')}", f"{row['value']:g}"]
        cells += [f"{side['value']:g}" if side else "-" for side in sides]
        for name in sets:
            cells.append(" / ".join(str(side["errors"].get(name, "-")) if side else "-" for side in sides))
        cells.append(" / ".join(str(sum(side["changed"].values())) if side else "-" for side in sides))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def summary(found: dict[str, Any]) -> str:
    """What the table comes to: numbers that change errors, events or nothing, and the errors of the draws."""
    rows, before = found["numbers"], found["before"]
    sides = {row["name"]: [row[side] for side in SIDES if side in row] for row in rows}
    same = [name for name, there in sides.items() if not any(any(side["changed"].values()) for side in there)]
    identical = sum(all(all(side["identical"].values()) for side in there) for there in sides.values())
    errors = [
        name
        for name, there in sides.items()
        if any(side["errors"][name_of] != before[name_of] for side in there for name_of in side["errors"])
    ]
    lines = [
        f"{len(rows)} numbers: {len(errors)} change an error, {identical} not a byte, {len(same)} change no event:"
    ]
    lines += [", ".join(f"`{name}`" for name in sorted(same)) or "none"]
    if found["not_in_recordings"]:
        lines.append("not in recordings: " + ", ".join(f"`{name}`" for name in found["not_in_recordings"]))
    for name in before:
        drawn = sorted(draw["errors"][name] for draw in found["draws"])
        if drawn:
            lines.append(
                f"{len(drawn)} draws within +-{SPREAD:.0%}, {name}: {before[name]} errors before, after"
                f" {drawn[0]} to {drawn[-1]}, median {drawn[len(drawn) // 2]}"
            )
    return "\n".join(lines)
