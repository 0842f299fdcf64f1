"""The Usage mode: what was used and what it cost, as a chart and the table under it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tui.screens.base import ModeScreen


class UsageScreen(ModeScreen):
    """The frame of the mode."""

    MODE = "usage"
    HEADING = "Usage"

    def compose_body(self) -> ComposeResult:
        yield Static("Opening …")
