"""`switchroom offline`: keep every connection on this machine, or stop doing so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.lazy import Nouns
from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from services.container import Services


@click.group(cls=Nouns)
def command() -> None:
    """Keep every connection on this machine, or stop doing so."""


def _switch(session: Session, on: bool) -> int:
    async def work(services: Services) -> None:
        await services.offline.set(on)
        word = "offline" if on else "online"
        session.changed(
            {"offline": on, "source": "remembered" if on else None}, did=f"Now {word}.", would=f"go {word}"
        )

    return session.run(work, asks=False)


@command.command("on")
@changes
def go_offline(session: Session) -> int:
    """Go offline, and stay so."""
    return _switch(session, on=True)


@command.command("off")
@changes
def go_online(session: Session) -> int:
    """Go online again."""
    return _switch(session, on=False)


@command.command("status")
@reads
def show_offline(session: Session) -> int:
    """Whether it is offline, and what makes it so."""

    async def work(services: Services) -> None:
        state, source = services.offline.state, services.offline.source
        session.emit(
            {"offline": state, "source": source}, lambda: f"offline ({source})" if state else "online"
        )

    return session.run(work, asks=False)
