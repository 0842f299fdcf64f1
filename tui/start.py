"""How the program begins and ends: run in the terminal until a key, a signal or a lost terminal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from catalog.errors import SwitchroomError
from tui import terminal
from tui.app import SwitchroomApp
from tui.hangup import outlive_terminal, watch_terminal
from tui.services_host import opener


async def _run(app: SwitchroomApp) -> int:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def leave() -> None:
        told.set()
        app.exit(0, return_code=130)

    for number in (signal.SIGTERM, signal.SIGHUP):
        with contextlib.suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(number, leave)
    watch = asyncio.create_task(watch_terminal(leave))
    try:
        try:
            # GNU screen keeps a lone esc to itself until the next key as soon as a program asks for the mouse
            await app.run_async(mouse=not terminal.in_gnu_screen())
        finally:
            watch.cancel()
            await app.close_services()
        if app.start_error is not None:
            raise app.start_error
    except (OSError, SwitchroomError):
        if not told.is_set():  # told to go, perhaps without a terminal: nobody is left to hear of it
            raise
    return 130 if told.is_set() else app.return_code or 0


def run_tui(demo: bool = False) -> int:
    """Run the program to its end and return its exit status; raises the SwitchroomError that kept it from starting."""
    from services.paths import resolve

    terminal.refuse_unable()
    terminal.name_colours()
    outlive_terminal()
    paths = resolve()
    services = opener(paths, demo=demo, live=demo)
    app = SwitchroomApp(paths, demo, services_opener=services)
    app.greets = True
    return asyncio.run(_run(app))
