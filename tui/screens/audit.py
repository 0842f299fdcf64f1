"""The Audit mode: who did what, live, and the proof that the record is whole."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tui.screens.base import ModeScreen


class AuditScreen(ModeScreen):
    """The frame of the mode."""

    MODE = "audit"
    HEADING = "Audit"

    def compose_body(self) -> ComposeResult:
        yield Static("Opening …")
