"""The long work on the audit log: proving that it is whole, and writing it out; how far it is, and what came of it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.worker import Worker

from catalog.errors import SwitchroomError
from tui.formatting import Tone, bar, count, duration, whole
from tui.widgets.note import Part

if TYPE_CHECKING:
    from store.audit import Verification
    from tui.screens.audit import AuditScreen

EVERY_S = 0.1
"""Between two paintings of how far it is."""


def progress(verb: str, done: int, total: int, seconds: float) -> str:
    """`checking ▇▇▇░░░░░ 12 000 of 48 000, 4 000 a second, 9 s left · ctrl+c stops`."""
    share = done / max(1, total)
    words = f"{verb} {bar(share, 12)} {whole(done)} of {whole(total)}"
    if seconds > 0.3 and 0 < done < total:
        rate = done / seconds
        words += f", {whole(round(rate))} a second, {duration(round((total - done) / rate * 1000))} left"
    return words + " · ctrl+c stops"


def verdict(found: Verification) -> tuple[str, Tone]:
    """`● 12 408 rows, intact`, or the first row that is not."""
    if found.intact:
        return f"● {count(found.rows, 'row')}, intact", "ok"
    return f"✕ broken at row {whole(found.first_broken or 0)}", "bad"


def explanation(found: Verification) -> str:
    """What a broken row means, and what to do about it."""
    first = found.first_broken or 0
    before = f"Rows 1 to {whole(first - 1)} are as Switchroom wrote them. " if first > 1 else ""
    return (
        f"{before}Row {whole(first)} is the first that is not: it was changed, removed or put in another place by "
        "something that is not Switchroom and does not have its key (data/audit.key). From there on the log proves "
        "nothing, whatever it says.\n\n"
        "What to do: keep the file as it is (X writes a copy of the log), compare it with an older export or backup "
        "(switchroom audit verify FILE checks one), and find out who can write to the data folder."
    )


class LogWork:
    """The long work on the log, one at a time: the check of its chain, or writing it to a file.

    It goes on when the user switches mode, and ctrl+c stops it.
    """

    def __init__(self, screen: AuditScreen) -> None:
        self._screen = screen
        self._worker: Worker[None] | None = None
        self._verb = ""
        self._known: Part = ("v checks that it is whole", "dim")
        """What is known of the chain."""
        self.words: Part = self._known
        """How far the work is; else what is known of the chain."""

    @property
    def active(self) -> bool:
        return self._worker is not None and self._worker.is_running

    def check(self) -> None:
        """Check the whole chain."""
        self._start("checking", self._check())

    def write(self, path: Path) -> None:
        """Write the whole log to a file."""
        self._start("writing", self._write(path))

    def stop(self) -> bool:
        """Stop it; False when none is under way."""
        if self._worker is None or not self.active:
            return False
        self._worker.cancel()
        if self._verb == "checking":
            self._known = ("the check was stopped, v begins it anew", "warn")
        self._tell(self._known)
        self._screen.app.tell(f"Stopped {self._verb} the log.", tone="dim")
        return True

    def _start(self, verb: str, work: Coroutine[Any, Any, None]) -> None:
        if self.active:
            work.close()
            self._screen.app.tell(
                f"Still {self._verb} the log.", hint="{ctrl+c:app.interrupt} stops it", tone="dim"
            )
            return
        self._verb = verb
        self._worker = self._screen.run_worker(work, group="log-work", exit_on_error=True)

    def _tell(self, words: Part) -> None:
        self.words = words
        self._screen.say()

    def _progress(self) -> Callable[[int, int], None]:
        began = told = time.monotonic()

        def progressed(done: int, total: int) -> None:
            nonlocal told
            if (now := time.monotonic()) - told >= EVERY_S:
                told = now
                self._tell((progress(self._verb, done, total, now - began), "accent"))

        return progressed

    async def _check(self) -> None:
        app = self._screen.app
        try:
            found = await app.services.audit.verify(self._progress())
        except SwitchroomError as error:
            self._tell(self._known)
            app.tell_error(error)
            return
        words, tone = verdict(found)
        self._known = (f"{words}, checked {time.strftime('%H:%M:%S')}", tone)
        self._tell(self._known)
        if found.intact:
            hint = "X writes it to a file that can be checked too"
            app.tell(f"{words[2:]}.", title="The audit log is whole", hint=hint)
        else:
            self._explain(found)

    async def _write(self, path: Path) -> None:
        app = self._screen.app
        try:
            rows = await app.services.audit.export(path, self._progress())
        except SwitchroomError as error:
            app.tell_error(error)
        else:
            hint = f"switchroom audit verify {shlex.quote(str(path))} checks it"
            app.tell(f"{count(rows, 'entry', 'entries')} in {path}", title="Audit log written", hint=hint)
        self._tell(self._known)

    def _explain(self, found: Verification) -> None:
        from tui.modals.confirm import Confirm

        screen = self._screen
        screen.app.tell(
            verdict(found)[0],
            title="The audit log was changed",
            hint="{9:mode.audit}, then {v:audit.verify} checks it again",
            tone="bad",
        )

        if not screen.is_current:
            return  # whoever is in another mode, typing perhaps, is told and not asked

        def answered(yes: bool | None) -> None:
            if yes:
                screen.app.do(screen.show_row(found.first_broken or 0))

        window = Confirm("The audit log was changed", explanation(found), yes="show that row", no="back")
        screen.app.push_screen(window, answered)
