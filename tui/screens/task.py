"""A translation or a transcript asked for in a small form; the window shows it when it comes, and what it cost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from catalog.errors import SwitchroomError
from catalog.plaintext import harmless
from tui.formatting import cut_middle, millis
from tui.modals.base import Modal
from tui.modals.form import Field
from tui.screens.task_form import Kind, TaskForm

if TYPE_CHECKING:
    from services.run import Run
    from services.run_events import RunResult
    from tui.app import SwitchroomApp

_MODELS: dict[Kind, str] = {
    "translate": "facebook/nllb-200-distilled-600M",
    "transcribe": "openai/whisper-large-v3",
}
"""What stands in the form at first."""
_SHOWN = 20_000
"""Characters of a text that are shown: more would take a screen seconds to lay out."""
_GRADES = {"own": "own hardware", "unknown": "cost unknown", "computed": "free"}


async def ask_task(app: SwitchroomApp, kind: Kind) -> None:
    """The form, then the run in its window."""
    slug = await _runner(app)
    if slug is None:
        app.tell(
            "No provider runs tasks: connect Hugging Face for translation and speech recognition.",
            title="Nobody to ask",
            hint="{a:providers.add} in Providers adds one",
            tone="dim",
        )
        return
    model = Field("model", "model", f"{slug}/{_MODELS[kind]}", f"{slug}/owner/model")
    if kind == "translate":
        fields = [
            model,
            Field("source", "from", "English", "a language, or the model's code"),
            Field("target", "to", "", "German, de, deu_Latn"),
        ]
        form = TaskForm(kind, "Translate a text", fields)
    else:
        fields = [model, Field("file", "recording", "", "a FLAC, WAV, MP3, Ogg, M4A or WebM file")]
        form = TaskForm(kind, "Transcribe a recording", fields)
    if await app.push_screen_wait(form) is not None and form.request is not None:
        app.push_screen(TaskWindow(kind, app.services.runs.start(form.request)))


async def _runner(app: SwitchroomApp) -> str | None:
    """The first provider that is on and runs tasks."""
    from adapters.abilities import RunsTasks
    from adapters.loader import can

    for row in await app.services.registry.rows():
        if row.enabled and await asyncio.to_thread(can, row.dialect, RunsTasks):
            return row.slug
    return None


class TaskWindow(Modal[None]):
    """The run while it goes on, then its text. Leaving stops what is not done yet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="task.copy", tooltip="Copy the text that came"),
    ]

    def __init__(self, kind: Kind, run: Run) -> None:
        verb = "Translated" if kind == "translate" else "Transcribed"
        super().__init__(f"{verb} by {cut_middle(run.request.model, 56)}")
        self._run = run
        self._seconds = 0
        self.text = ""

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(classes="lines"):
            yield Static("Asked; nothing has come yet.", markup=False, id="task-text")
        yield Static("", markup=False, classes="next", id="task-cost")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(".panel").add_class("wide")
        self._clock = self.set_interval(1.0, self._tick)
        self.run_worker(self._follow(), exit_on_error=True)

    def _tick(self) -> None:
        self._seconds += 1
        self.query_one("#task-cost", Static).update(
            f"waiting, {self._seconds} s; a model that is not loaded needs a minute"
        )

    async def _follow(self) -> None:
        try:
            result = await self._run.result()
        except SwitchroomError as error:
            self._over(error.message, error.hint or "")
            return
        self._done(result)

    def _done(self, result: RunResult) -> None:
        if result.error is not None:
            self._over(result.error.message, result.error.hint or "")
            return
        self.text = result.text.strip()
        shown = self.text[:_SHOWN]
        below = f"{millis(result.duration_ms)} · {_GRADES.get(result.grade, result.grade)}"
        if len(self.text) > _SHOWN:
            below += f" · the first {_SHOWN:,} of {len(self.text):,} characters; y copies all"
        self._over(harmless(shown) or "Nothing was said.", below)

    def _over(self, text: str, below: str) -> None:
        self._clock.stop()
        self.query_one("#task-text", Static).update(text)
        self.query_one("#task-cost", Static).update(below)

    async def action_copy(self) -> None:
        if self.text:
            await self.app.copy(self.text)

    def action_leave(self) -> None:
        self._run.cancel()
        super().action_leave()
