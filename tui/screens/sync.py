"""The Sync mode: how fresh each provider's model list is, and what each sync changed."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tui.screens.base import ModeScreen


class SyncScreen(ModeScreen):
    """The frame of the mode."""

    MODE = "sync"
    HEADING = "Sync"

    def compose_body(self) -> ComposeResult:
        yield Static("Opening …")
