"""The Overview mode: what matters now, the worst first, each line opened with enter."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tui.screens.base import ModeScreen


class OverviewScreen(ModeScreen):
    """The frame of the mode."""

    MODE = "overview"
    HEADING = "Overview"

    def compose_body(self) -> ComposeResult:
        yield Static("Opening …")
