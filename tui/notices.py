"""What the user is told: toasts with their history, the status line's facts, and what goes to the clipboard."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import App

from catalog.errors import SwitchroomError
from catalog.plaintext import one_line
from catalog.redact import redact
from tui import clipboard
from tui.formatting import Tone
from tui.messages import Notice, StatusFacts

if TYPE_CHECKING:
    from tui.screens.base import ModeScreen

_SEVERITY: dict[str, str] = {"bad": "error", "warn": "warning"}


class Notices(App[int]):
    """The part of the app that speaks."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = StatusFacts()
        self.notices: list[Notice] = []

    @property
    def screen_reader(self) -> bool:
        """True when a screen reader is in use: numbers as tables, nothing that ticks."""
        return False

    def with_keys(self, text: str) -> str:
        """A sentence that names keys as `{a:providers.add}`, with the keys of now."""
        return text

    def mode_screens(self) -> list[ModeScreen]:
        """The modes that have been entered so far."""
        from tui.screens.base import ModeScreen

        stacks = self._screen_stacks.values()
        return [screen for stack in stacks for screen in stack if isinstance(screen, ModeScreen)]

    def set_facts(self, new: StatusFacts) -> None:
        """Show new facts in the status lines; equal ones cost nothing."""
        if self.screen_reader:
            new = replace(new, tok_per_s=None)  # a number that ticks is read out again and again
        if new == self.facts:
            return
        self.facts = new
        for screen in self.mode_screens():
            if screen.is_mounted:
                screen.set_facts()

    def set_work(self, text: str) -> None:
        """Long work under way, shown in every mode; empty when it is over."""
        self.set_facts(replace(self.facts, work=text))
        if not text:
            for screen in self.mode_screens():
                screen.work_ended()

    def tell_alert(self, event: object) -> None:
        """What the services want the user to hear now (`services.feed.Alert`)."""
        tones: dict[str, Tone] = {"error": "bad", "warning": "warn"}
        tone = tones.get(getattr(event, "kind", ""), "")
        self.tell(
            getattr(event, "message", ""), title=getattr(event, "title", ""), hint=getattr(event, "hint", None) or "", tone=tone
        )  # fmt: skip

    def tell(self, message: str, *, title: str = "", hint: str = "", tone: Tone = "ok") -> None:
        """Tell the user what happened and the next key, in a toast that stays in the history (`!`)."""
        notice = Notice(
            int(time.time() * 1000), tone, one_line(redact(title), 80), one_line(redact(message), 400), one_line(redact(self.with_keys(hint)), 200)
        )  # fmt: skip
        self.notices.append(notice)
        del self.notices[:-500]
        if tone in _SEVERITY:
            self.set_facts(replace(self.facts, alerts=self.facts.alerts + 1))
        words = f"{notice.message}\n{notice.hint}" if notice.hint else notice.message
        self.notify(words, title=notice.title, severity=_SEVERITY.get(tone, "information"), markup=False)  # type: ignore[arg-type]

    def tell_error(self, error: SwitchroomError) -> None:
        """An error as the user should see it: title, sentence, next key."""
        self.tell(
            error.message, title=error.title, hint=error.hint or "{!:app.alerts} for details", tone="bad"
        )

    def hush(self) -> None:
        """A window opens: what only said that something is done goes, so that it covers nothing. `!` still has it."""
        for notification in list(self._notifications):
            if notification.severity == "information":
                self._unnotify(notification, refresh=False)
        self._refresh_notifications()

    async def copy(self, text: str) -> None:
        """Put the text on the user's clipboard, secrets masked."""
        driver = self._driver
        copied = await clipboard.copy(text, driver.write if driver is not None else lambda _sequence: None)
        self._clipboard = copied
        self.tell(f"Copied {one_line(copied, 60)}", tone="")

    def copy_to_clipboard(self, text: str) -> None:
        """Textual's own ways of copying (a marked stretch, an input) mask secrets too."""
        super().copy_to_clipboard(redact(text))
