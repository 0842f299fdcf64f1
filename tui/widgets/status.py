"""The two lines at the top: what matters most right now, and the modes one can go to."""

from __future__ import annotations

from decimal import Decimal

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.formatting import cents, count, width
from tui.keymap import MODES
from tui.messages import StatusFacts


def segments(mode: str, facts: StatusFacts) -> list[tuple[str, str]]:
    """(text, style) of the status line, most important first."""
    parts = [(mode, "bold")]
    if facts.offline:
        parts.append(("⊘ OFFLINE", "bold $warning"))
    if facts.alerts:
        parts.append((f"! {count(facts.alerts, 'alert')}", "bold $error"))
    if facts.work:
        parts.append((facts.work, "$accent"))
    for word, spent, limit in (
        ("today", facts.today, facts.day_limit),
        ("month", facts.month, facts.month_limit),
    ):
        if facts.asked or spent is not None:
            over = spent is not None and limit is not None and spent >= limit
            parts.append((_spend(word, spent, limit), "$error" if over else ""))
    if facts.runs:
        speed = f" {facts.tok_per_s:.0f} tok/s" if facts.tok_per_s else ""
        parts.append((f"{count(facts.runs, 'run')}{speed}", "$success"))
    return parts


def _spend(word: str, spent: Decimal | None, limit: Decimal | None) -> str:
    return f"{word} {cents(spent)}" + (f" / {cents(limit)}" if limit is not None else "")


def line(parts: list[tuple[str, str]], cells: int) -> list[tuple[str, str]]:
    """As many parts as fit, whole, with ` · ` between them; the rest, from the right, is dropped."""
    shown: list[tuple[str, str]] = []
    used = 0
    for text, style in parts:
        gap = 3 if shown else 0
        if shown and used + gap + width(text) > cells:
            break
        if gap:
            shown.append((" · ", "$dim"))
        shown.append((text, style))
        used += gap + width(text)
    return shown


class StatusLine(Widget):
    """The top line."""

    ALLOW_SELECT = False
    facts: reactive[StatusFacts] = reactive(StatusFacts())
    title: reactive[str] = reactive("")

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title

    def render(self) -> Content:
        return Content.assemble(*line(segments(self.title, self.facts), self.size.width))


class ModesLine(Widget):
    """The modes with their digits; a click goes there."""

    ALLOW_SELECT = False

    class Chosen(Message):
        """A mode was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, current: str) -> None:
        super().__init__()
        self.current = current

    def _parts(self) -> list[tuple[str, str, str]]:
        whole = sum(len(mode.digit) + 1 + len(mode.title) + 2 for mode in MODES) - 2
        narrow = whole > self.size.width
        return [
            (mode.name, mode.digit, mode.title if not narrow or mode.name == self.current else "")
            for mode in MODES
        ]

    def render(self) -> Content:
        spans: list[tuple[str, str]] = []
        for name, digit, title in self._parts():
            here = name == self.current
            spans.append((digit, "bold $accent" if here else "$accent"))
            if title:
                spans += [(" ", ""), (title, "bold underline" if here else "$dim")]
            spans.append(("  ", ""))
        return Content.assemble(*spans)

    def on_click(self, event: Click) -> None:
        x = event.get_content_offset_capture(self).x
        start = 0
        for name, digit, title in self._parts():
            end = start + len(digit) + (len(title) + 1 if title else 0) + 2
            if start <= x < end:
                self.post_message(self.Chosen(name))
                return
            start = end
