"""The choice of a theme: the one under the cursor is shown at once, on the whole screen."""

from __future__ import annotations

from tui.modals.pick import Pick
from tui.widgets.table import VirtualTable


class ThemePick(Pick[str]):
    """Ends in the name of a theme, or None: then whoever asked puts the old one back."""

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        if event.key is not None and event.key in self.app.available_themes and self.app.theme != event.key:
            self.app.theme = event.key
