"""What the user is told: toasts with their history, the status line's facts, and what goes to the clipboard."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import App

from catalog.errors import SwitchroomError
from catalog.plaintext import one_line
from catalog.redact import redact
from tui import clipboard
from tui.formatting import Tone
from tui.messages import AlertLine, Notice, StatusFacts

if TYPE_CHECKING:
    from tui.screens.base import ModeScreen

_SEVERITY: dict[str, str] = {"bad": "error", "warn": "warning"}


class Notices(App[int]):
    """The part of the app that speaks."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = StatusFacts()
        self.notices: list[Notice] = []
        self.alerts: tuple[AlertLine, ...] = ()
        """What needs a look now, as it was last read."""
        self._looked_at: frozenset[tuple[str, str]] = frozenset()
        """Key and tone of the alerts that were looked at; one that gets worse is new again."""
        self._unread = 0

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

    @property
    def unread(self) -> list[Notice]:
        """The messages of errors and warnings that nobody has read in `!` yet, and that no alert stands for."""
        told = [notice for notice in self.notices if notice.tone in _SEVERITY]
        standing = {alert.key for alert in self.alerts}
        new = told[-self._unread :] if self._unread else []
        return [notice for notice in new if not notice.causes or not standing.issuperset(notice.causes)]

    def set_alerts(self, alerts: Iterable[AlertLine]) -> None:
        """These need a look now; the others no longer do."""
        self.alerts = tuple(alerts)
        self._looked_at &= {(alert.key, alert.tone) for alert in self.alerts}
        self._count_alerts()

    def alerts_looked_at(self) -> None:
        """The window of alerts and messages shows all of them."""
        self._looked_at = frozenset((alert.key, alert.tone) for alert in self.alerts)
        self._unread = 0
        self._count_alerts()

    def _count_alerts(self) -> None:
        """The status line counts what is new: alerts not looked at, and messages not read."""
        new = sum((alert.key, alert.tone) not in self._looked_at for alert in self.alerts)
        self.set_facts(replace(self.facts, alerts=new + len(self.unread)))

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

    def tell(
        self,
        message: str,
        *,
        title: str = "",
        hint: str = "",
        tone: Tone = "ok",
        causes: tuple[str, ...] = (),
    ) -> None:
        """Tell the user what happened and the next key, in a toast that stays in the history (`!`)."""
        notice = Notice(
            int(time.time() * 1000), tone, one_line(redact(title), 80), one_line(redact(message), 400), one_line(redact(self.with_keys(hint)), 200), causes
        )  # fmt: skip
        self.notices.append(notice)
        del self.notices[:-500]
        if tone in _SEVERITY:
            self._unread += 1
            self._count_alerts()
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
