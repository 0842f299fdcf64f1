"""One command's run: the flags every command has, the services it opens, and how signals end it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from cli.output import json_text, show

if TYPE_CHECKING:
    from services.container import Services

Outcome = int | None
"""An exit status; None is 0."""


@dataclass(frozen=True, slots=True)
class Session:
    """What was asked of this one command, apart from its own options."""

    json: bool
    read_only: bool
    dry_run: bool = False
    reason: str | None = None
    """Goes into the audit log with the change; None: no reason was given."""

    def require_writable(self) -> None:
        """Refuse a change in a read-only session, before anything is read, contacted or stored."""
        if self.read_only:
            from catalog.errors import ReadOnlyError

            raise ReadOnlyError("This session is read-only: nothing was changed.", hint=_READ_ONLY_HINT)

    def emit(self, document: Mapping[str, object], text: Callable[[], str]) -> None:
        """The command's one result: the document with --json, else the text."""
        if self.json:
            click.echo(json_text(document))
        else:
            show(text())

    def changed(self, document: Mapping[str, object], *, did: str, would: str) -> None:
        """The result of a command that changes something, or would."""
        if self.dry_run:
            document = {**document, "dry_run": True}
        self.emit(document, lambda: f"Would {would}. Nothing was changed." if self.dry_run else did)

    @asynccontextmanager
    async def services(self) -> AsyncIterator[Services]:
        """All services, closed in order at the end; runs in flight are settled."""
        from services.container import open_services

        async with open_services(
            actor="cli", read_only=self.read_only, dry_run=self.dry_run, reason=self.reason
        ) as services:
            yield services

    def run(self, work: Callable[[Services], Awaitable[Outcome]], *, asks: bool = True) -> int:
        """Open the services, do the work, close them; the exit status.

        `asks`: the vault's passphrase may be asked for on the terminal.
        """

        async def whole() -> Outcome:
            async with self.services() as services:
                if asks:
                    _let_ask(services)
                try:
                    return await work(services)
                except Exception as problem:
                    _log_unexpected(problem)
                    raise

        return run_until_signal(whole())


def _let_ask(services: Services) -> None:
    from cli.secret_input import PROMPTS, ask_passphrase

    services.passphrase_source = lambda: ask_passphrase(PROMPTS[services.credentials.asking_for])


def _log_unexpected(problem: Exception) -> None:
    """A mistake of ours goes to the log with its traceback; the user gets one line."""
    import logging

    from catalog.errors import SwitchroomError

    if not isinstance(
        problem, (SwitchroomError, click.ClickException, click.exceptions.Exit, BrokenPipeError)
    ):
        logging.getLogger(__name__).error("a command failed", exc_info=problem)


IMPATIENT_S = 1.0
"""A second signal after this long means now; an earlier one is the same wish, sent twice by a parent or terminal."""


def run_until_signal(work: Coroutine[Any, Any, Outcome]) -> int:
    """Run the work; SIGINT, SIGTERM and SIGHUP cancel it, so that what is in flight is settled on the way out.

    A further signal, a while later, breaks off even a write to a reader that stopped reading.
    """
    import asyncio
    import signal
    import time

    first: float | None = None

    async def guarded() -> Outcome:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None

        def stop(*_: object) -> None:
            nonlocal first
            if first is None:
                first = time.monotonic()
                loop.call_soon_threadsafe(task.cancel)
            elif time.monotonic() - first > IMPATIENT_S:
                raise KeyboardInterrupt

        before = {
            number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            return await work
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    return asyncio.run(guarded()) or 0


def reads(function: Callable[..., Outcome]) -> Callable[..., None]:
    """A command that changes nothing: --json and --read-only."""
    return _with_session(function, changing=False)


def changes(function: Callable[..., Outcome]) -> Callable[..., None]:
    """A command that changes something: --dry-run and --reason too, and it is refused when read-only."""

    @wraps(function)
    def writable(session: Session, *args: Any, **values: Any) -> Outcome:
        session.require_writable()
        return function(session, *args, **values)

    return may_change(writable)


def may_change(function: Callable[..., Outcome]) -> Callable[..., None]:
    """As `changes`, for a command that only sometimes changes something and then asks `require_writable`."""
    wrapped = _with_session(function, changing=True)
    wrapped = click.option("--reason", metavar="TEXT", help="Why; kept in the audit log.")(wrapped)
    return click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")(wrapped)


def _with_session(function: Callable[..., Outcome], *, changing: bool) -> Callable[..., None]:
    @wraps(function)
    def command(*args: Any, as_json: bool, read_only: bool, **values: Any) -> None:
        whole = click.get_current_context().find_root().params.get("read_only", False)
        session = Session(
            json=as_json,
            read_only=read_only or whole or read_only_environment(),
            dry_run=values.pop("dry_run") if changing else False,
            reason=values.pop("reason") if changing else None,
        )
        status = function(session, *args, **values)
        click.get_current_context().exit(status or 0)

    command = click.option("--read-only", is_flag=True, help="Refuse every change.")(command)
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


_READ_ONLY_HINT = "Leave out --read-only and unset SWITCHROOM_READ_ONLY to change something."


def read_only_environment() -> bool:
    """True when SWITCHROOM_READ_ONLY says so; unset, empty and the words for no mean it does not."""
    return os.environ.get("SWITCHROOM_READ_ONLY", "").strip().lower() not in ("", "0", "false", "no", "off")
