"""Every command of the database has a help of its own."""

from __future__ import annotations

from typing import Any

import pytest

from edge.cli.db.commands import db
from edge.cli.events import events
from edge.cli.floors import floors

COMMANDS = [(group.name, name) for group in (db, events, floors) for name in sorted(group.commands)]


def test_all_verbs_are_there(shell: Any) -> None:
    """The help of a noun names its verbs."""
    for noun, verbs in {
        "floors": "list show recommended create update correct adjust activate deactivate delete restore",
        "events": "list stats occupancy export cleanup record",
        "db": "create check describe stats query verify migrate audit seed reset drop reinit",
    }.items():
        text = shell(noun, "--help").stdout
        for verb in verbs.split():
            assert f"\n  {verb} " in text, verb


@pytest.mark.parametrize(("noun", "verb"), COMMANDS)
def test_a_command_says_what_it_does(shell: Any, noun: str, verb: str) -> None:
    """A sentence, its options, and no traceback without a database."""
    text = shell(noun, verb, "-h").stdout
    assert f"Usage: smartpark {noun} {verb}" in text
    assert "--config" in text
    assert "..." not in text.splitlines()[2]
