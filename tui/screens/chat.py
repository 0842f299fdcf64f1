"""The Chat mode: a streaming conversation, what the next prompt will cost, and the keys that act on the turns."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static, TextArea

from catalog.errors import SwitchroomError
from tui.formatting import width
from tui.look import low_bandwidth
from tui.screens import chat_actions as actions
from tui.screens.chat_count import PromptCount
from tui.screens.chat_reading import ChatReading
from tui.screens.chat_tools import pick_tools
from tui.screens.chat_turns import blocks_of, head_line, welcome
from tui.screens.chat_words import Params, estimate_words
from tui.widgets.line import Line
from tui.widgets.prompt import PromptBox
from tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from services.container import Services
    from store.conversations import ConversationRow

ESTIMATE_AFTER = 0.12
"""Seconds without a key before the estimate is made anew."""


class ChatScreen(ChatReading):
    """One conversation at a time; the others are a key away."""

    MODE = "chat"
    HEADING = "Chat"
    CSS_PATH = "chat.tcss"
    AUTO_FOCUS = "#prompt"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,enter", "prompt", "prompt", id="chat.prompt", tooltip="Back to the prompt"),
        Binding("escape", "leave", "stop/leave", id="chat.leave", tooltip="Stop the answer, else leave the prompt"),
        Binding("tab", "other", "prompt or answers", show=False, id="chat.other", tooltip="From the prompt to the answers and back"),
        Binding("a", "answer_calls", "answer tools", id="chat.answer_calls", tooltip="Type the results of the tool calls; the model goes on with them"),
        Binding("r", "retry", "retry", id="chat.retry", tooltip="Ask the last prompt again; its answer is kept until the new one is complete"),
        Binding("e", "edit", "edit", id="chat.edit", tooltip="Edit the last prompt and send it again"),
        Binding("full_stop", "go_on", "continue", id="chat.continue", tooltip="Ask for the rest of a cut answer"),
        Binding("t", "thinking", "thinking", show=False, id="chat.thinking", tooltip="Fold or unfold the reasoning"),
        Binding("slash", "search", "search", id="chat.search", tooltip="Search the conversation"),
        Binding("n", "found(1)", "next", show=False, id="chat.next", tooltip="Next place found"),
        Binding("N", "found(-1)", "previous", show=False, id="chat.previous", tooltip="Place found before"),
        Binding("ctrl+t", "models", "model", id="chat.models", tooltip="Choose the model, with what it would cost"),
        Binding("ctrl+g", "conversations", "conversations", id="chat.conversations", tooltip="Find, open, rename, delete a conversation"),
        Binding("ctrl+n", "new", "new", id="chat.new", tooltip="A new conversation with the same model"),
        Binding("ctrl+o", "editor", "editor", id="chat.editor", tooltip="Write the prompt in $EDITOR"),
        Binding("f4", "params", "parameters", id="chat.params", tooltip="System prompt, temperature, max tokens, effort, tools"),
        Binding("f3", "tools", "tools", show=False, id="chat.tools", tooltip="Choose the tools that the model may call"),
        Binding("f5", "attach", "attach", id="chat.attach", tooltip="Attach images to the prompt, or take them away"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._wanted: str | None = None
        """The model asked for before the services were open."""
        self._timer: Timer | None = None
        self._count = PromptCount(self)
        self._under_window = False
        self._end_seen = True
        self._written = False
        """Something stands in the prompt."""

    def compose_body(self) -> ComposeResult:
        yield Static("", id="chat-head")
        yield Transcript(id="transcript")
        with Horizontal(id="chat-search"):
            yield Static("/", id="chat-slash")
            yield Line(placeholder="search the conversation", id="chat-find")
            yield Static("", id="chat-count")
        yield Static("", id="chat-attached")
        prompt = PromptBox()
        prompt.placeholder = "Ask something   (esc, then digits go to the modes)"
        yield prompt

    # -- life ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:
        self._take_appearance(services)
        chat = services.settings.chat
        self.state.params = Params(temperature=chat.temperature, max_tokens=chat.max_tokens)
        default = await services.models.default()
        self.ready = True
        self.run_worker(self._use(self._wanted or default), group="model", exclusive=True)

    def _take_appearance(self, services: Services) -> None:
        self.transcript.low_bandwidth = low_bandwidth(services.settings.appearance.low_bandwidth)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if not self._under_window:  # a window that closes leaves the cursor where it was
            self.set_focus(self.prompt)

    def on_screen_suspend(self) -> None:
        super().on_screen_suspend()
        self._under_window = self.app.screen.is_modal

    def feed_event(self, event: object) -> None:
        name = type(event).__name__
        if not self.ready:
            return
        if name == "SettingsChanged":
            self._take_appearance(self.app.services)
        elif name in {"BudgetsChanged", "RunEnded", "StoreChangedElsewhere"}:
            self.run_worker(self.measure(), group="measure", exclusive=True)
        if name == "RunEnded":
            self._count.again()  # of what was written meanwhile
        if name in {"ModelsChanged", "ProvidersChanged"}:
            ref = self.state.view.ref if self.state.view is not None else None
            self.run_worker(self._use(ref, quiet=True), group="model", exclusive=True)
        elif (
            name in {"ConversationsChanged", "StoreChangedElsewhere"}
            and self.run is None
            and not self._sending
        ):
            row = self.state.row
            if row is not None and getattr(event, "id", None) in (None, row.id):
                self.run_worker(self._reload(row), group="reload", exclusive=True)

    # -- model and parameters --------------------------------------------------------------------

    def choose_model(self, ref: str) -> None:
        """Talk to this model from now on."""
        if self.ready:
            self.run_worker(self._chosen(ref), group="model", exclusive=True)
        else:
            self._wanted = ref

    async def _chosen(self, ref: str) -> None:
        self.set_focus(self.prompt)
        await self._use(ref)
        self.suggestions = []
        if self.state.row is not None:
            await self.app.services.conversations.update(self.state.row.id, model_ref=ref)
        if not self.state.messages:
            self.show_turns()

    async def _use(self, ref: str | None, *, quiet: bool = False) -> None:
        services, state = self.app.services, self.state
        view = None
        try:
            ref = ref or await services.models.default()
            view = await services.models.get(ref) if ref is not None else None
            if ref is not None:
                await services.estimates.prepare(ref)
        except SwitchroomError as error:
            view = None
            if not quiet:
                self.app.tell_error(error)
        if self.state is not state:
            return
        state.view = view
        if not state.messages and self.run is None:
            self.show_turns()
        await self.measure()
        self._count.again()

    async def set_params(self, params: Params) -> None:
        """Send these from now on, and keep them with the conversation."""
        self.state.params = params
        self.state.changed()
        if self.state.row is not None:
            await self.app.services.conversations.update(
                self.state.row.id, system=params.system, params_json=json.dumps(params.stored)
            )
        self._show_head()
        self.show_estimate()
        self._count.again()

    async def measure(self) -> None:
        """What is left of the limits."""
        state = self.state
        view = state.view
        try:
            state.headroom = (
                await self.app.services.budgets.headroom(view.provider) if view is not None else None
            )
        except SwitchroomError:
            state.headroom = None
        self._show_head()
        self.show_estimate()

    # -- what is shown ---------------------------------------------------------------------------

    def _show_head(self) -> None:
        head = self.query_one("#chat-head", Static)
        head.update(head_line(self.state, head.size.width or self.app.size.width - 2))

    def on_resize(self) -> None:
        self._show_head()
        self.show_attached()

    def show_turns(self, *, keep: bool = False) -> None:
        rows, live = self.state.messages, self.live
        blocks = blocks_of(rows, live.turn if live is not None else None, reader=self.app.screen_reader)
        self.transcript.show(blocks if rows else welcome(self.state.view, self.ready), keep=keep)
        if live is not None:
            live.show()
        self._show_head()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(ESTIMATE_AFTER, self.show_estimate)
        self._count.again()
        if bool(event.text_area.text) != self._written:
            self._written = not self._written
            self.refresh_bindings()  # the colon is a key only in the empty prompt

    def show_estimate(self) -> None:
        prompt = self.prompt
        words, warns = "", False
        if self.ready and self.state.view is not None:
            estimate = self.state.estimate(self.app.services, prompt.text)
            words, warns = estimate_words(estimate, self.state.headroom)
        if self.state.editing is not None:
            words = f"editing: sends in its place, esc keeps it as it was · {words}"
        prompt.set_class(warns, "-warn")
        if not self._end_seen:
            way = "esc, then G" if prompt.has_focus else "G"
            below = f"↓ more below: {way}"
            both = f"{below} ── {words}" if words else below
            words = both if width(both) + 4 <= prompt.size.width else below
        if words != (prompt.border_title or "").strip():
            prompt.border_title = Content(f" {words} ") if words else ""

    def on_flowing_blocks_end_in_sight(self, event: Transcript.EndInSight) -> None:
        self._end_seen = event.seen
        self.show_estimate()

    def on_descendant_focus(self) -> None:
        self.show_estimate()
        self.show_keys()

    # -- conversations ---------------------------------------------------------------------------

    async def open_conversation(self, row: ConversationRow) -> None:
        """Show another conversation; a run in flight goes on and is stored."""
        conversations = self.app.services.conversations
        messages, streamed = await conversations.messages(row.id), row.id in self._lives
        if streamed and row.id not in self._lives:  # its answer was written meanwhile
            messages = await conversations.messages(row.id)
        self.leave_conversation(
            replace(self.state, row=row, params=Params.of(row), messages=messages, editing=None)
        )
        self.state.changed()
        self.show_turns()
        self.set_focus(self.prompt)  # before anything is waited for: what is typed next is for the prompt
        if row.model_ref:
            await self._use(row.model_ref)
        self.show_estimate()

    async def _reload(self, row: ConversationRow) -> None:
        if (found := await self.stored(row)) is None:
            return
        fresh, messages = found
        current = self.state.row
        if self.run is not None or self._sending or current is None or current.id != row.id:
            return
        self.state.row = fresh
        if messages != self.state.messages:
            self.state.messages = messages
            self.state.changed()
            self.show_turns(keep=True)
            self._count.again()
        self._show_head()

    def new_conversation(self) -> None:
        """An empty conversation with the same model and parameters."""
        self.leave_conversation(replace(self.state, row=None, messages=[], editing=None))
        self.state.changed()
        self.show_turns()
        self.show_estimate()
        self._count.again()
        self.set_focus(self.prompt)

    # -- keys ------------------------------------------------------------------------------------

    def action_prompt(self) -> None:
        if self.searching:
            self.accept_search()
        else:
            self.set_focus(self.prompt)

    def action_other(self) -> None:
        self.set_focus(self.transcript if self.prompt.has_focus else self.prompt)

    def action_new(self) -> None:
        self.new_conversation()

    def action_models(self) -> None:
        if self.ready:
            self.app.do(actions.pick_model(self))

    def action_params(self) -> None:
        if self.ready:
            self.app.do(actions.change_params(self))

    def action_tools(self) -> None:
        if self.ready:
            self.app.do(pick_tools(self))

    def action_conversations(self) -> None:
        if self.ready:
            self.app.do(actions.pick_conversation(self))

    def action_editor(self) -> None:
        self.app.do(actions.edit_outside(self))
