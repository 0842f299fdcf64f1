"""The Overview's part in what was found here: its line above the panels, its place in the welcome, and `a`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from tui.screens.base import ModeScreen
from tui.screens.overview_panels import hung, welcome

if TYPE_CHECKING:
    from services.discovery_views import Finding
    from services.registry import ProviderView
    from tui.screens.provider_choice import Choice


_BAR = 2
"""Cells of the bar that a long welcome is scrolled by."""


class WithFindings(ModeScreen):
    """A screen with a `#discovered` line and a `#welcome` for the time in which there is no provider."""

    def __init__(self) -> None:
        super().__init__()
        self._views: list[ProviderView] = []
        self._found: list[Choice] = []
        """Vendors whose key is in the environment, where nobody looks around by itself."""
        self._welcomed = Content("")
        self._looked = False
        """They were looked for."""
        self.key_words: dict[str, str] = {}

    @property
    def offers(self) -> tuple[Finding, ...]:
        """What was found here and can be added; empty before anybody looked."""
        made = self.app.services.__dict__.get("discovery") if self.app.opened else None
        return made.report.offers if made is not None and made.report is not None else ()

    def show_found(self) -> None:
        """What a look around added and offers: in the welcome of an empty store, else in a line of its own."""
        from tui.screens.discovered_words import banner

        services = self.app.services
        made = services.__dict__.get("discovery")  # what finds providers is not loaded for the first frame
        report = made.report if made is not None else None
        self.key_words = {"overview.add": "add what was found"} if self.offers else {}
        if not self._views:
            self._welcomed = welcome(self._found, report)
            self._show_welcome()
            if services.settings.discovery.at_start == "off" and report is None and not self._looked:
                self._looked = True
                self.run_worker(self._look_for_keys(), group="found", exit_on_error=True)
        spans = banner(report) if self._views else []
        line = self.query_one("#discovered", Static)
        line.display = bool(spans)
        line.update(Content.assemble(*spans))

    def _show_welcome(self) -> None:
        around = self.query_one("#welcome").styles.padding.width + _BAR
        self.query_one("#welcome Static", Static).update(hung(self._welcomed, self.size.width - around))

    def on_resize(self) -> None:
        if not self._views:
            self.call_after_refresh(self._show_welcome)  # a low screen has less beside it

    async def _look_for_keys(self) -> None:
        from tui.screens.provider_choice import choices

        services = self.app.services
        found = choices(services.catalog, await services.discovery.vendors())
        self._found = [choice for choice in found if choice.variable and not choice.obstacle]
        if self._found:
            self.show_found()

    def feed_event(self, event: object) -> None:
        if type(event).__name__ == "Discovered" and self.framed:
            self.show_found()
            self.refresh_bindings()

    def action_add(self) -> None:
        if self.offers:
            from tui.screens.discovered import found_here

            self.app.do(found_here(self.app))
            return
        from tui.screens.provider_wizard import add_provider

        first = self._found[0] if self._found else None  # as the welcome says; esc leads to the list of all
        self.app.run_worker(add_provider(self.app, first), group="action", exit_on_error=True)
