"""How the check of the audit log's chain is told: how far it is, and what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.worker import Worker

from catalog.errors import SwitchroomError
from tui.formatting import Tone, bar, count, duration, whole
from tui.widgets.note import Part

if TYPE_CHECKING:
    from store.audit import Verification
    from tui.screens.audit import AuditScreen

EVERY_S = 0.1
"""Between two paintings of how far the check is."""


def progress(done: int, total: int, seconds: float) -> str:
    """`checking ▇▇▇░░░░░ 12 000 of 48 000, 4 000 a second, 9 s left · ctrl+c stops`."""
    share = done / max(1, total)
    words = f"checking {bar(share, 12)} {whole(done)} of {whole(total)}"
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


class ChainCheck:
    """At most one check at a time; it goes on when the user switches mode, and ctrl+c stops it."""

    def __init__(self, screen: AuditScreen) -> None:
        self._screen = screen
        self._worker: Worker[None] | None = None
        self.words: Part = ("v checks that it is whole", "dim")
        """How far it is, or what came of the last one."""

    @property
    def active(self) -> bool:
        return self._worker is not None and self._worker.is_running

    def start(self) -> None:
        """Check the whole chain."""
        if self.active:
            self._screen.app.tell("The check is under way.", hint="ctrl+c stops it", tone="dim")
        else:
            self._worker = self._screen.run_worker(self._run(), group="check", exit_on_error=True)

    def stop(self) -> bool:
        """Stop it; False when none is under way."""
        if self._worker is None or not self.active:
            return False
        self._worker.cancel()
        self._tell(("the check was stopped, v begins it anew", "warn"))
        return True

    def _tell(self, words: Part) -> None:
        self.words = words
        self._screen.say()

    async def _run(self) -> None:
        began = told = time.monotonic()

        def progressed(done: int, total: int) -> None:
            nonlocal told
            if (now := time.monotonic()) - told >= EVERY_S:
                told = now
                self._tell((progress(done, total, now - began), "accent"))

        app, before = self._screen.app, self.words
        try:
            found = await app.services.audit.verify(progressed)
        except SwitchroomError as error:
            self._tell(before)
            app.tell_error(error)
            return
        words, tone = verdict(found)
        self._tell((f"{words}, checked {time.strftime('%H:%M:%S')}", tone))
        if found.intact:
            app.tell(
                f"{words[2:]}.",
                title="The audit log is whole",
                hint="X writes it to a file that can be checked too",
            )
        else:
            self._explain(found)

    def _explain(self, found: Verification) -> None:
        from tui.modals.confirm import Confirm

        screen = self._screen
        screen.app.tell(
            verdict(found)[0], title="The audit log was changed", hint="9, then v checks it again", tone="bad"
        )

        def answered(yes: bool | None) -> None:
            if yes:
                screen.app.do(screen.show_row(found.first_broken or 0))

        window = Confirm("The audit log was changed", explanation(found), yes="show that row", no="back")
        screen.app.push_screen(window, answered)
