"""How commands are found: a group knows its commands' names and summaries, and imports one only to run it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Nouns(click.Group):
    """A group whose commands keep the order they were written in, and that names the nearest one to a typo.

    `later` are commands that stand in modules of their own (name → `module:attribute`), imported when they are called.
    """

    def __init__(self, *args: Any, later: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.later = dict(later or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [*self.commands, *self.later]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.later:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.later[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            from difflib import get_close_matches

            near = get_close_matches(name, self.list_commands(ctx), n=1)
            way_on = f"Did you mean {near[0]!r}?" if near else f"Try '{ctx.command_path} --help'."
            raise click.UsageError(f"No such command {name!r}. {way_on}", ctx)
        return super().resolve_command(ctx, args)


class WithDefault(Nouns):
    """A group that is a command itself: what does not begin with the name of one of its commands is that command's."""

    def __init__(self, *args: Any, default: click.Command, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in self.list_commands(ctx):
            return super().parse_args(ctx, ["--", "", *args])
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0]:
            return None, self.default, args[1:]
        return super().resolve_command(ctx, args)


class LazyGroup(Nouns):
    """A group that imports `cli.commands.NAME` only when NAME is asked for.

    `summaries` maps each name to its line in `--help`, so that help needs no import.
    """

    def __init__(self, *args: Any, summaries: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in self.summaries:
            return None
        command = importlib.import_module(f"cli.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))
