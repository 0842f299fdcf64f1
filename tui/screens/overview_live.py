"""The runs in flight as the feed tells of them: how fast each has been second by second, and the panel that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tui.formatting import cut_middle, fit
from tui.widgets.spark import spark

if TYPE_CHECKING:
    from services.container import Services

_KEPT = 40
"""Seconds of speed that are remembered of a run."""


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run in flight, as far as it has come."""

    id: str
    model: str
    tokens: int = 0
    speeds: tuple[float, ...] = ()
    """Tokens in each second so far, the last last."""


class LivePanel(Widget):
    """A line for each run: its model, its speed, and how that has been."""

    ALLOW_SELECT = False

    def __init__(self, calm: str) -> None:
        super().__init__(id="now")
        self._calm = calm
        self._runs: tuple[LiveRun, ...] = ()

    def show(self, runs: Sequence[LiveRun]) -> None:
        """Draw these from now on; what is equal is not painted again."""
        if tuple(runs) != self._runs:
            self._runs = tuple(runs)
            self.refresh()

    def render(self) -> Content:
        if not self._runs:
            return Content.styled(self._calm, "$dim")
        cells, rows = self.size.width, self.size.height
        shown = self._runs if len(self._runs) <= rows else self._runs[: max(0, rows - 1)]
        trace = 14 if cells >= 50 else 8
        spans: list[tuple[str, str]] = []
        for run in shown:
            model = run.model if cells >= 50 else run.model.partition("/")[2] or run.model
            room = max(4, cells - trace - 12)
            spans.append((fit(cut_middle(model, room), room), ""))
            speed, style = ("waiting", "$dim") if not run.speeds else (f"{run.speeds[-1]:.0f} tok/s", "")
            spans += [(f"{speed:>10}  ", style), (spark(run.speeds, trace), "$success"), ("\n", "")]
        if len(shown) < len(self._runs):
            spans.append((f"+{len(self._runs) - len(shown)} more", "$dim"))
        return Content.assemble(*spans)


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
