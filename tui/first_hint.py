"""The one line that greets somebody who is here for the first time, gone for good once one of its keys was used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.widgets.footer import KeyLine

if TYPE_CHECKING:
    from tui.life import Life

KEY = "greeted"
"""Where it is remembered (store.state)."""


class FirstHint:
    """Shows the line above the keys of the first screen, and takes it away."""

    def __init__(self, app: Life) -> None:
        self._app = app
        self._line: Static | None = None
        self._used = False

    async def greet(self) -> None:
        """Show it, unless somebody was greeted before."""
        app = self._app
        if app.screen.is_modal or await app.services.state.get(KEY):
            self._used = True
        if self._used:
            return
        spans: list[tuple[str, str]] = []
        for key, words in (
            (app.key_for("app.help"), "keys"), (app.key_for("app.palette"), "commands"),
            ("digits", "switch modes"), (app.key_for("app.quit"), "quits"),
        ):  # fmt: skip
            spans += [("   " if spans else "", ""), (key, "$key"), (f" {words}", "$dim")]
        self._line = Static(Content.assemble(*spans), id="first-hint")
        await app.screen.mount(self._line, before=app.screen.query_one(KeyLine))

    def used(self) -> None:
        """One of its keys was pressed: it is known now."""
        if self._used:
            return
        self._used = True
        if self._line is not None:
            self._line.remove()
        if self._app.greets and self._app.opened and not self._app.services.db.read_only:
            self._app.run_worker(self._remember(), group="greeted")

    async def _remember(self) -> None:
        services = self._app.services
        try:
            async with services.db.transaction() as tx:
                await services.state.set(tx, KEY, value=True)
        except SwitchroomError:
            return  # a busy store: somebody is greeted twice
