"""A terminal that went away ends the program; one that comes back after a stop is taken over as it should be."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread

if TYPE_CHECKING:
    from textual.app import App

EVERY_S = 2.0


def terminal_gone(descriptor: int) -> bool:
    """True when the descriptor was a terminal and its other end is closed."""
    try:
        termios.tcgetattr(descriptor)
    except termios.error:
        return True
    return False


async def watch_terminal(leave: Callable[[], None]) -> None:
    """Call `leave` once the terminal of standard input is gone; returns at once where there never was one."""
    try:
        descriptor = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
    except (OSError, ValueError):
        return
    if descriptor < 0 or not os.isatty(descriptor):
        return
    while not terminal_gone(descriptor):  # noqa: ASYNC110 – there is no event for it
        await asyncio.sleep(EVERY_S)
    leave()


class LastingWriter(WriterThread):
    """Goes on taking what is written once the terminal is gone: Textual's own thread dies of it, and the program then
    waits for ever at a queue that nobody empties, where it should be ending."""

    def run(self) -> None:
        gone = False
        while (text := self._queue.get()) is not None:
            if not gone:
                try:
                    self._file.write(text)
                    if self._queue.empty():
                        self._file.flush()
                except OSError:
                    gone = True
        with contextlib.suppress(OSError):
            self._file.flush()


def outlive_terminal() -> None:
    """Write through a `LastingWriter` from now on."""
    linux_driver.WriterThread = LastingWriter  # type: ignore[attr-defined]


def mind_stops(app: App[Any]) -> None:
    """Take the terminal again after a stop, and only then.

    A terminal that goes away sends SIGCONT behind its SIGHUP. Textual's own handler takes the lost terminal over a
    second time, and the thread that reads from it spins for ever, also while the program is ending.
    """
    driver: Any = app._driver  # noqa: SLF001
    if not hasattr(driver, "_must_signal_resume"):
        return

    def goes_on(_number: int, _frame: FrameType | None) -> None:
        if not app.is_running or app._exit or terminal_gone(driver.fileno):  # noqa: SLF001
            return
        if not driver._must_signal_resume:  # noqa: SLF001 - stopped by a signal that nobody can see coming
            driver.suspend_application_mode()
            driver._must_signal_resume = True  # noqa: SLF001
        driver.resume_application_mode()

    with contextlib.suppress(ValueError):  # not in the main thread: there are no signals to mind
        signal.signal(signal.SIGCONT, goes_on)
