"""The command `switchroom`: what it starts, and how everything that can end it becomes one exit status."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

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
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("The terminal UI needs a terminal. Try 'switchroom --help'.")
    if read_only:
        os.environ["SWITCHROOM_READ_ONLY"] = "1"
    from tui.start import run_tui

    ctx.exit(run_tui(demo=demo))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("switchroom")
    except PackageNotFoundError:
        return "unknown (not installed)"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line to its exit status (CLI contract). Never raises, never prints a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _prepare_streams()
    try:
        if "_SWITCHROOM_COMPLETE" in os.environ:  # the shell asks for completions; click answers and exits
            root.main(arguments, prog_name="switchroom")
        # Not root.main(): that has answers of its own to Ctrl-C and to a closed pipe.
        with root.make_context("switchroom", arguments) as context:
            root.invoke(context)
        sys.stdout.flush()
    except (click.exceptions.Exit, SystemExit) as ended:
        status = ended.exit_code if isinstance(ended, click.exceptions.Exit) else ended.code
        return status if isinstance(status, int) else 0
    except BrokenPipeError:
        _silence_stdout()
        return 0
    except BaseException as problem:  # noqa: BLE001 - whatever it was, it becomes a line and a status
        return _failed(problem, arguments)
    return 0


def _failed(problem: BaseException, arguments: Sequence[str]) -> int:
    from cli.failures import UNWRITABLE, report

    if isinstance(problem, KeyboardInterrupt):
        _end_undisturbed()
    try:
        return report(problem, arguments)
    except BrokenPipeError:
        _silence_stdout()
        return 0
    except OSError:
        _silence_stdout()
        return UNWRITABLE


def _prepare_streams() -> None:
    """Standard streams that were closed lead nowhere; characters that one cannot say become `?`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - open until the program ends
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _end_undisturbed() -> None:
    """The user has said so; what is left is a line and the exit status, whoever reads and whatever else is pressed."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not _writable():
        _silence_stdout()


def _writable() -> bool:
    """False when a write would block: whoever reads standard output has stopped reading."""
    import select

    try:
        return bool(select.select([], [sys.stdout.fileno()], [], 0)[1])
    except (OSError, ValueError):
        return True


def _silence_stdout() -> None:
    """Nobody can read standard output any more: keep the interpreter's last flush from complaining about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
