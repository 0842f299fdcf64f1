"""Downloads in the status line, whatever mode is in front: how far they are, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.plaintext import one_line

if TYPE_CHECKING:
    from services.local_models import Pull
    from tui.app import SwitchroomApp


class PullWork:
    """Draws what the service of local models does; it owns nothing of it."""

    def __init__(self, app: SwitchroomApp) -> None:
        self._app = app
        self._shown = False
        """The line of work is about a download."""
        self._told: set[int] = set()

    def feed_event(self, event: object) -> None:
        """A download began, got on, or is over."""
        if type(event).__name__ != "PullChanged":
            return
        local = self._app.services.local_models
        for pull in local.pulls():
            if pull.over and id(pull) not in self._told:
                self._told.add(id(pull))
                self._tell(pull)
        active = local.pulls(active=True)
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
            self._app.tell(
                f"The download of {name} is stopped. What has arrived is kept.",
                hint="{P:local.pull|models.pull} and the same name go on from there",
                tone="warn",
            )
        elif pull.error is not None:
            self._app.tell_error(pull.error)


def _words(pulls: tuple[Pull, ...]) -> str:
    from tui.screens.local_models_lines import PullLine, pull_words

    first = pulls[0]
    words = f"pulling {one_line(first.model, 24)} {pull_words(PullLine.of(first), 8)}"
    return words + (f" · {len(pulls) - 1} more" if len(pulls) > 1 else "")
