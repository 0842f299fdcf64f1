"""Downloads in the status line, whatever mode is in front: how far they are, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from catalog.plaintext import one_line
from catalog.sizes import size_words
from tui.formatting import bar, cut_middle, time_left

if TYPE_CHECKING:
    from services.pulls import Pull
    from tui.app import SwitchroomApp


class PullWork:
    """Draws what the service of local models does; it owns nothing of it."""

    def __init__(self, app: SwitchroomApp) -> None:
        self._app = app
        self._shown = False
        """The line of work is about a download."""
        self._told: WeakSet[Pull] = WeakSet()
        self.active = 0
        """Downloads under way."""

    def feed_event(self, event: object) -> None:
        """A download began, got on, or is over."""
        if type(event).__name__ != "PullChanged":
            return
        local = self._app.services.local_models
        for pull in local.pulls():
            if pull.over and pull not in self._told:
                self._told.add(pull)
                self._tell(pull)
        active = local.pulls(active=True)
        self.active = len(active)
        if active:
            if self._shown or not self._app.facts.work:
                self._shown = True
                self._app.set_work(_words(active))
        elif self._shown:
            self._shown = False
            self._app.set_work("")

    def _tell(self, pull: Pull) -> None:
        name = one_line(pull.model, 60)
        if pull.state == "done":
            self._app.tell(f"{name} is at {pull.provider}.", hint="{3:mode.models} lists it", tone="ok")
        elif pull.state == "stopped":
            kept = (
                "What has arrived is kept."
                if pull.keeps_parts
                else "Whole files are kept, a cut one begins anew."
            )
            self._app.tell(
                f"The download of {name} is stopped. {kept}",
                hint="{P:local.pull|models.pull} then enter goes on from there",
                tone="dim",  # it was wanted: nothing to be warned of
            )
        elif pull.error is not None:
            self._app.tell_error(pull.error)


def _words(pulls: tuple[Pull, ...]) -> str:
    """`pulling qwen3:30b ▇▇░░░░ 23 % 628 MB/s 23s left`: short, so that it stands beside the mode at 80 columns."""
    first = pulls[0]
    parts = [f"pulling {cut_middle(one_line(first.model, 200), 20)}"]
    if first.state == "reconnecting":
        parts.append("broken off, trying again")
    elif first.share is not None:
        parts.append(f"{bar(first.share, 6)} {int(first.share * 100)} %")
        if first.rate is not None:
            parts.append(f"{size_words(first.rate)}/s")
        if first.left_s is not None and first.left_s >= 1:
            parts.append(f"{time_left(first.left_s).replace(' ', '')} left")
    if len(pulls) > 1:
        parts.append(f"· {len(pulls) - 1} more")
    return " ".join(parts)
