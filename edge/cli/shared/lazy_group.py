"""A click group imports a command only when that command is called, so that ``--help`` and ``--version`` are quick."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CommandPlace:
    """Where a command is defined (``package.module:name``), and its line in the group's help."""

    location: str
    summary: str


class LazyGroup(click.Group):
    """A group of commands that are known by name and summary until one of them is called."""

    def __init__(self, *arguments: Any, places: Mapping[str, CommandPlace], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._places = dict(places)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, sorted."""
        return sorted(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None when there is none."""
        place = self._places.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.location.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands from their summaries, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._places[name].summary) for name in self.list_commands(ctx)])
