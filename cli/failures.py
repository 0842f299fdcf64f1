"""What a failure looks like: its exit status, its one line on standard error and its JSON document."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence

import click

from catalog.errors import StoreError, SwitchroomError, UsageError
from catalog.plaintext import one_line
from catalog.redact import redact
from cli.output import json_line, json_text

INTERRUPTED = 130
"""The user stopped it: Ctrl-C, or a signal that asks to end."""

UNWRITABLE = 7
"""Standard output takes nothing more: its disk is full, say."""

_STATUS: Mapping[str, int] = {
    "usage": 2,
    "import": 2,
    "budget": 3,
    "offline": 3,
    "unpriced": 3,
    "privacy": 3,
    "read_only": 3,
    "invalid_credentials": 4,
    "permission": 4,
    "not_found": 6,
    "vault_locked": 7,
    "store": 7,
}
"""Error code → exit status; every other code is a vendor's or the network's failure: 5."""


class InterruptedByUserError(SwitchroomError):
    """Ctrl-C, SIGINT or SIGTERM before there was anything to show."""

    code = "interrupted"
    default_title = "Interrupted"


def status_of(error: SwitchroomError) -> int:
    """The exit status of an error (CLI contract)."""
    if isinstance(error, InterruptedByUserError):
        return INTERRUPTED
    return exit_status(error.code)


def exit_status(code: str) -> int:
    """The exit status of an error's code."""
    return _STATUS.get(code, 5)


def document(error: SwitchroomError) -> dict[str, object]:
    """The `error` document, with anything like a key masked."""
    return {key: redact(value) if isinstance(value, str) else value for key, value in error.as_dict().items()}


def say(error: SwitchroomError) -> None:
    """The one line on standard error."""
    complain(f"{error.message} {error.hint}" if error.hint else error.message)


def complain(words: str) -> None:
    """The one line on standard error about what a result says already, in full, on standard output."""
    click.echo(one_line(redact(f"switchroom: {words}"), 1000), err=True)


def report(problem: BaseException, arguments: Sequence[str]) -> int:
    """Tell the user what ended the program; the exit status."""
    if isinstance(problem, click.exceptions.NoArgsIsHelpError) and not _asked(arguments, "--json"):
        click.echo(problem.format_message(), err=True)
        return 2
    error = _as_ours(problem)
    say(error)
    if _asked(arguments, "--jsonl"):
        click.echo(json_line({"event": "finished", "error": document(error)}))
    elif _asked(arguments, "--json"):
        click.echo(json_text({"error": document(error)}))
    sys.stdout.flush()
    return status_of(error)


def _asked(arguments: Sequence[str], flag: str) -> bool:
    """True when the flag stands among the arguments, read without click: it may be click that refused them."""
    before_values = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return flag in before_values


def _as_ours(problem: BaseException) -> SwitchroomError:
    match problem:
        case SwitchroomError():
            return problem
        case click.exceptions.NoArgsIsHelpError():
            return UsageError("A command is missing.", hint=_help_hint(problem))
        case click.UsageError():
            return UsageError(problem.format_message(), hint=_help_hint(problem))
        case click.ClickException():
            return UsageError(problem.format_message())
        case click.Abort() | KeyboardInterrupt() | asyncio.CancelledError():
            return InterruptedByUserError("Interrupted.")
        case BaseExceptionGroup():
            return _as_ours(problem.exceptions[0])
        case _:
            return _unexpected(problem)


def _help_hint(problem: click.UsageError) -> str | None:
    if problem.ctx is None or "--help" in problem.format_message():
        return None
    return f"Try '{problem.ctx.command_path} --help'."


def _unexpected(problem: BaseException) -> SwitchroomError:
    """A mistake of ours: named by its type and place, without the values that were in its hands."""
    place = problem.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = (
        f"{place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}" if place is not None else "nowhere"
    )
    words = f"Something went wrong inside Switchroom ({type(problem).__name__} in {where})."
    if isinstance(problem, OSError) and problem.strerror:
        words = f"{problem.strerror}: {problem.filename}" if problem.filename else f"{problem.strerror}."
    return StoreError(
        words,
        title="Something went wrong",
        hint="The log may say more; 'switchroom config path' says where it is.",
    )
