"""The Settings mode: every setting with its sentence, its default and where its value comes from."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tui.screens.base import ModeScreen


class SettingsScreen(ModeScreen):
    """The frame of the mode."""

    MODE = "settings"
    HEADING = "Settings"

    def compose_body(self) -> ComposeResult:
        yield Static("Opening …")
