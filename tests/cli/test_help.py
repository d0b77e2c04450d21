"""Tests of the help: every command of the database has its own."""

from __future__ import annotations

from typing import Any

import pytest

from edge.cli.counts.blind import blind_group
from edge.cli.counts.events import event_group
from edge.cli.counts.floors import floor_group
from edge.cli.db.commands import database_group

COMMANDS = [
    (group.name, name)
    for group in (blind_group, database_group, event_group, floor_group)
    for name in sorted(group.commands)
]


def test_all_commands_are_listed(shell: Any) -> None:
    """The help of a group lists its commands."""
    for noun, verbs in {
        "floors": "list show recommended create update correct adjust activate deactivate delete restore",
        "blind": "list export",
        "events": "list stats occupancy export cleanup record",
        "db": "create check describe stats query verify migrate audit seed reset drop reinit",
    }.items():
        text = shell(noun, "--help").stdout
        for verb in verbs.split():
            assert f"\n  {verb} " in text, verb


@pytest.mark.parametrize("group", [(), ("floors",), ("events",), ("blind",), ("db",), ("models",)])
def test_the_summaries_are_not_cut_off(shell: Any, group: tuple[str, ...]) -> None:
    """On a terminal of 80 columns every command has a summary of one line."""
    lines = shell(*group, "--help").stdout.partition("Commands:\n")[2].splitlines()
    assert len(lines) >= 2
    assert [line for line in lines if "..." in line or line.startswith("   ")] == []


@pytest.mark.parametrize(("noun", "verb"), COMMANDS)
def test_a_command_says_what_it_does(shell: Any, noun: str, verb: str) -> None:
    """Its help names its options, needs no database, and its first line is not cut off."""
    text = shell(noun, verb, "-h").stdout
    assert f"Usage: smartpark {noun} {verb}" in text
    assert "--config" in text
    assert "..." not in text.splitlines()[2]
