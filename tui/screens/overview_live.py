"""The runs in flight as the feed tells of them, and how fast each has been second by second."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.screens.overview_lines import LiveRun

if TYPE_CHECKING:
    from services.container import Services

_KEPT = 40
"""Seconds of speed that are remembered of a run."""


class LiveRuns:
    """What is in flight."""

    def __init__(self) -> None:
        self.runs: dict[str, LiveRun] = {}
        self._counted: dict[str, int] = {}
        """Tokens at the last tick."""

    def seed(self, services: Services) -> None:
        """Take in what was begun before anybody listened."""
        if services.busy:
            for run in services.runs.active():
                self.runs.setdefault(run.id, LiveRun(run.id, run.request.model))

    def apply(self, event: object) -> bool:
        """Take an event in; True when another run began or ended."""
        match type(event).__name__:
            case "RunStarted":
                self.runs[event.run_id] = LiveRun(event.run_id, event.model)  # type: ignore[attr-defined]
                return True
            case "RunProgress":
                run = self.runs.get(event.run_id)  # type: ignore[attr-defined]
                if run is not None:
                    self.runs[run.id] = replace(run, tokens=event.output_tokens)  # type: ignore[attr-defined]
            case "RunEnded":
                ended = event.result.run_id  # type: ignore[attr-defined]
                self._counted.pop(ended, None)
                return self.runs.pop(ended, None) is not None
        return False

    def tick(self) -> None:
        """A second has passed."""
        for run in list(self.runs.values()):
            new = run.tokens - self._counted.get(run.id, 0)
            self._counted[run.id] = run.tokens
            if run.tokens:
                self.runs[run.id] = replace(run, speeds=(*run.speeds, float(max(0, new)))[-_KEPT:])

    @property
    def speed(self) -> float:
        """Tokens a second of all runs together; 0: none has come yet."""
        return sum(run.speeds[-1] for run in self.runs.values() if run.speeds)

    def rows(self) -> list[LiveRun]:
        return list(self.runs.values())
