"""The Models mode: every model of every provider in one table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tui.screens.base import ModeScreen


class ModelsScreen(ModeScreen):
    """The frame of the mode."""

    MODE = "models"
    HEADING = "Models"

    def compose_body(self) -> ComposeResult:
        yield Static("Opening …")
