"""The command line's first level: what `switchroom` alone does, and which commands there are."""

from __future__ import annotations

import click

from cli.lazy import LazyGroup

COMMANDS = {
    "health": "Offline state, store, vault and each provider's last state.",
    "providers": "Connect, change and test providers.",
    "keys": "Give providers their keys; where each key is kept.",
    "vault": "The encrypted vault and the other places for keys.",
    "sync": "Ask the providers which models they have.",
    "models": "The known models: show, switch on and off, choose the default.",
    "estimate": "What a prompt would cost, before it is sent.",
    "chat": "Ask a model; the answer streams to standard output.",
    "task": "Translate a text or write down a recording.",
    "usage": "What was used and what it cost.",
    "budget": "Daily and monthly limits that hold.",
    "audit": "Who changed what; check that the record is whole.",
    "catalog": "The vendors that are known without asking anybody.",
    "config": "Where things are kept; the settings and their sources.",
    "offline": "Keep every connection on this machine, or stop doing so.",
}


@click.group(
    cls=LazyGroup,
    summaries=COMMANDS,
    invoke_without_command=True,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--demo", is_flag=True, help="Start on a throw-away store with scripted providers and history.")
@click.option("--read-only", is_flag=True, help="Refuse every change (or SWITCHROOM_READ_ONLY=1).")
@click.option("--version", is_flag=True, help="Print the version.")
@click.pass_context
def root(ctx: click.Context, demo: bool, read_only: bool, version: bool) -> None:
    """The control room for LLM providers, in a terminal.

    Without a command, the terminal UI starts.
    """
    if version:
        click.echo(f"switchroom {_version()}")
        ctx.exit(0)
    if ctx.invoked_subcommand is not None:
        if demo:
            raise click.UsageError("--demo starts the terminal UI and takes no command.")
        return
    from cli.screen import has_terminal, start

    if not has_terminal():
        raise click.UsageError("The terminal UI needs a terminal. Try 'switchroom --help'.")
    ctx.exit(start(demo=demo, read_only=read_only))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("switchroom")
    except PackageNotFoundError:
        return "unknown (not installed)"
