"""How the audit log leaves the program: whole and signed, or the entries that are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.formatting import count
from tui.modals.ask import Ask
from tui.modals.confirm import Confirm

if TYPE_CHECKING:
    from tui.screens.audit import AuditScreen


async def export(screen: AuditScreen, total: int, loaded: int) -> None:
    """Ask which, and where to."""
    app = screen.app
    from tui.screens.provider_actions import choose

    ways = [
        ("whole", f"The whole log, signed: {count(total, 'entry', 'entries')} as JSON lines"),
        ("shown", f"What is loaded here: {count(loaded, 'entry', 'entries')} as CSV, JSON or JSON lines"),
    ]
    chosen = await choose(app, "Write the audit log to a file", ways)
    if chosen == "whole":
        await _whole(screen)
    elif chosen == "shown" and (what := screen.exported()) is not None:
        from tui.exporting import export as write

        await write(app, what)


async def _whole(screen: AuditScreen) -> None:
    app = screen.app
    from tui.exporting import proposed, wrong_with

    typed = await app.push_screen_wait(
        Ask(
            "File for the whole log",
            "One entry a line, the signature last. Anyone with data/audit.key can check it:\nswitchroom audit verify FILE",
            value=proposed("switchroom-audit", ".jsonl"),
            check=lambda text: wrong_with(text, (".json", ".jsonl")),
        )
    )
    if typed is None:
        return
    path, there = _target(typed)
    if there and not await app.push_screen_wait(
        Confirm(f"Write over {path.name}?", f"{path} is there already.", yes="write over it", no="leave it")
    ):
        return
    screen.work.write(path)


def _target(typed: str) -> tuple[Path, bool]:
    """The file that was named, and whether it is there already."""
    path = Path(typed.strip()).expanduser()
    return path, path.exists()
