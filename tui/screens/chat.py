"""The Chat mode: a streaming conversation, what the next prompt will cost, and the keys that act on the turns."""

from __future__ import annotations

import asyncio
import gc
import os
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static, TextArea

from catalog.errors import SwitchroomError, UnpricedError
from catalog.plaintext import one_line
from services.chat import CONTINUE
from tui.formatting import cut_end, cut_middle, width
from tui.screens import chat_actions as actions
from tui.screens.base import ModeScreen
from tui.screens.chat_state import ChatState
from tui.screens.chat_turns import LiveTurn, blocks_of
from tui.screens.chat_words import Params, estimate_words, suggested
from tui.widgets import markdown_code
from tui.widgets.prompt import PromptBox
from tui.widgets.transcript import Transcript
from tui.widgets.transcript_blocks import Block, TextBlock, Thinking

if TYPE_CHECKING:
    from services.chat import Exchange
    from services.container import Services
    from services.run import Run
    from store.conversations import ConversationRow

ESTIMATE_AFTER = 0.12
"""Seconds without a key before the estimate is made anew."""


class ChatScreen(ModeScreen):
    """One conversation at a time; the others are a key away."""

    MODE = "chat"
    HEADING = "Chat"
    CSS_PATH = "chat.tcss"
    AUTO_FOCUS = "#prompt"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,enter", "prompt", "prompt", id="chat.prompt", tooltip="Back to the prompt"),
        Binding("tab", "other", "prompt or answers", show=False, id="chat.other", tooltip="From the prompt to the answers and back"),
        Binding("r", "retry", "retry", id="chat.retry", tooltip="Ask the last prompt again; the answer is replaced"),
        Binding("e", "edit", "edit", id="chat.edit", tooltip="Edit the last prompt and send it again"),
        Binding("full_stop", "go_on", "continue", id="chat.continue", tooltip="Ask for the rest of a cut answer"),
        Binding("t", "thinking", "thinking", show=False, id="chat.thinking", tooltip="Fold or unfold the reasoning"),
        Binding("slash", "search", "search", id="chat.search", tooltip="Search the conversation"),
        Binding("n", "found(1)", "next", show=False, id="chat.next", tooltip="Next place found"),
        Binding("N", "found(-1)", "previous", show=False, id="chat.previous", tooltip="Place found before"),
        Binding("ctrl+t", "models", "model", id="chat.models", tooltip="Choose the model, with what it would cost"),
        Binding("escape", "leave", "stop/leave", id="chat.leave", tooltip="Stop the answer, else leave the prompt"),
        Binding("ctrl+g", "conversations", "conversations", id="chat.conversations", tooltip="Find, open, rename, delete a conversation"),
        Binding("ctrl+n", "new", "new", id="chat.new", tooltip="A new conversation with the same model"),
        Binding("ctrl+o", "editor", "editor", id="chat.editor", tooltip="Write the prompt in $EDITOR"),
        Binding("f4", "params", "parameters", id="chat.params", tooltip="System prompt, temperature, max tokens, effort"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.state = ChatState()
        self.run: Run | None = None
        """The run this screen is drawing."""
        self.suggestions: list[str] = []
        """Models the last error named as the way on."""
        self._live: LiveTurn | None = None
        self._wanted: str | None = None
        """The model asked for before the services were open."""
        self._timer: Timer | None = None
        self._ready = False
        self._sending = False
        """A prompt is on its way to the store: what the feed says meanwhile is our own doing."""
        self._warm = False

    def compose_body(self) -> ComposeResult:
        yield Static("", id="chat-head")
        yield Transcript(id="transcript")
        search = Input(placeholder="search the conversation", id="chat-search")
        search.cursor_blink = False
        yield search
        prompt = PromptBox()
        prompt.placeholder = "Ask something"
        yield prompt

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def prompt(self) -> PromptBox:
        return self.query_one(PromptBox)

    # -- life ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:
        setting = services.settings.appearance.low_bandwidth
        slow = setting == "on" or (setting == "auto" and "SSH_CONNECTION" in os.environ)
        self.transcript.low_bandwidth = slow
        chat = services.settings.chat
        self.state.params = Params(temperature=chat.temperature, max_tokens=chat.max_tokens)
        default = await services.models.default()
        self._ready = True
        self.run_worker(self._use(self._wanted or default), group="model", exclusive=True)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.prompt.focus()

    def feed_event(self, event: object) -> None:
        name = type(event).__name__
        if not self._ready:
            return
        if name in {"BudgetsChanged", "RunEnded", "StoreChangedElsewhere"}:
            self.run_worker(self._measure(), group="measure", exclusive=True)
        elif name in {"ModelsChanged", "ProvidersChanged"}:
            ref = self.state.view.ref if self.state.view is not None else None
            self.run_worker(self._use(ref, quiet=True), group="model", exclusive=True)
        elif name == "ConversationsChanged" and self.run is None and not self._sending:
            row = self.state.row
            if row is not None and getattr(event, "id", None) in (None, row.id):
                self.run_worker(self._reload(row), group="reload", exclusive=True)

    def interrupt(self) -> bool:
        if self.run is None:
            return False
        self.run.cancel()
        return True

    # -- model and parameters --------------------------------------------------------------------

    def choose_model(self, ref: str) -> None:
        """Talk to this model from now on."""
        if self._ready:
            self.run_worker(self._chosen(ref), group="model", exclusive=True)
        else:
            self._wanted = ref

    async def _chosen(self, ref: str) -> None:
        await self._use(ref)
        self.suggestions = []
        if self.state.row is not None:
            await self.app.services.conversations.update(self.state.row.id, model_ref=ref)
        if not self.state.messages:
            self.show_turns()
        self.prompt.focus()

    async def _use(self, ref: str | None, *, quiet: bool = False) -> None:
        services = self.app.services
        try:
            ref = ref or await services.models.default()
            self.state.view = await services.models.get(ref) if ref is not None else None
            if ref is not None:
                await services.estimates.prepare(ref)
        except SwitchroomError as error:
            self.state.view = None
            if not quiet:
                self.app.tell_error(error)
        if not self.state.messages and self.run is None:
            self.show_turns()
        await self._measure()

    async def set_params(self, params: Params) -> None:
        """Send these from now on, and keep them with the conversation."""
        self.state.params = params
        self.state.changed()
        if self.state.row is not None:
            import json

            await self.app.services.conversations.update(
                self.state.row.id, system=params.system, params_json=json.dumps(params.stored)
            )
        self.set_head()
        self._estimate()

    async def _measure(self) -> None:
        """What is left of the limits."""
        view = self.state.view
        try:
            self.state.headroom = (
                await self.app.services.budgets.headroom(view.provider) if view is not None else None
            )
        except SwitchroomError:
            self.state.headroom = None
        self.set_head()
        self._estimate()

    # -- what is shown ---------------------------------------------------------------------------

    def set_head(self) -> None:
        """The line above the conversation: with whom, with which parameters, about what."""
        head = self.query_one("#chat-head", Static)
        cells = max(20, head.size.width or self.app.size.width - 2)
        view = self.state.view
        name = cut_middle(view.ref if view is not None else "no model", max(12, cells // 2))
        params = self.state.params.words
        row = self.state.row
        title = one_line(row.title, 80) if row is not None and row.title else "new conversation"
        room = cells - width(name) - 4 - (width(params) + 2 if params else 0)
        if room < 8:
            params, room = "", cells - width(name) - 4
        title = cut_end(title, max(0, room))
        used = width(name) + 2 + (width(params) + 2 if params else 0) + width(title) + 1
        head.update(
            Content.assemble(
                (name, "bold $primary"),
                (" ▾", "$key"),
                (f"  {params}" if params else "", "$dim"),
                (" " * max(1, cells - used + 1), ""),
                (title, "$dim"),
            )
        )

    def on_resize(self) -> None:
        self.set_head()

    def show_turns(self) -> None:
        """Show the stored conversation, or what can be done with an empty one."""
        rows = self.state.messages
        self.transcript.show(list(blocks_of(rows)) if rows else self._welcome())
        self.set_head()

    def _welcome(self) -> list[Block]:
        if not self._ready:
            return [TextBlock([("Opening …", "dim")], gap=True)]
        if self.state.view is None:
            return [
                TextBlock([("No model yet.", "title")], gap=True),
                TextBlock([("Add a provider first: ", "said"), ("esc", "key"), (", then ", "said"), ("2", "key"), (" and ", "said"), ("a", "key"), (".", "said")]),
                TextBlock([("A local server needs no key. Without any, switchroom --demo shows how it works.", "hint")]),
            ]  # fmt: skip
        view = self.state.view
        keys = (
            ("enter", "sends", "ctrl+j or \\ enter: a new line"),
            ("ctrl+t", "another model", "with prices, and what it changes per run"),
            ("ctrl+g", "conversations", "search, open, rename, delete"),
            ("f4", "parameters", "system prompt, temperature, max tokens"),
            ("esc", "stops an answer, else leaves the prompt", "then 1–9 go to the modes, y copies, ? helps"),
        )
        name = one_line(view.info.name or view.info.id, 80)
        blocks: list[Block] = [
            TextBlock([("Talk to ", "said"), (name, "model")], gap=True),
            TextBlock([("", "")]),
        ]
        blocks += [
            TextBlock([(key.ljust(8), "key"), (what, "said"), (f"  {more}", "hint")])
            for key, what, more in keys
        ]
        return blocks

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(ESTIMATE_AFTER, self._estimate)

    def _estimate(self) -> None:
        prompt = self.prompt
        words, warns = "", False
        if self._ready and self.state.view is not None:
            estimate = self.state.estimate(self.app.services, prompt.text)
            words, warns = estimate_words(estimate, self.state.headroom)
        if self.state.editing is not None:
            words = f"editing: sends in its place, esc keeps it as it was · {words}"
        prompt.set_class(warns, "-warn")
        if words != (prompt.border_title or ""):
            prompt.border_title = Content(f" {words} ") if words else ""

    # -- conversations ---------------------------------------------------------------------------

    async def open_conversation(self, row: ConversationRow) -> None:
        """Show another conversation; a run in flight goes on and is stored."""
        self._detach()
        state = self.state
        state.row, state.params, state.editing = row, Params.of(row), None
        state.messages = await self.app.services.conversations.messages(row.id)
        state.changed()
        self.show_turns()
        if row.model_ref:
            await self._use(row.model_ref)
        self._estimate()
        self.prompt.focus()

    async def _reload(self, row: ConversationRow) -> None:
        conversations = self.app.services.conversations
        try:
            fresh = await conversations.open(row.id)
        except SwitchroomError:
            self.new_conversation()
            return
        messages = await conversations.messages(row.id)
        current = self.state.row
        if self.run is not None or self._sending or current is None or current.id != row.id:
            return
        self.state.row = fresh
        if messages != self.state.messages:
            self.state.messages = messages
            self.state.changed()
            self.show_turns()
        self.set_head()

    def new_conversation(self) -> None:
        """An empty conversation with the same model and parameters."""
        self._detach()
        self.state.row, self.state.messages, self.state.editing = None, [], None
        self.state.changed()
        self.show_turns()
        self._estimate()
        self.prompt.focus()

    def _detach(self) -> None:
        """Stop drawing the run; it goes on without us."""
        if self._live is not None:
            self._live.stop_drawing()
        self._live = self.run = None

    # -- sending ---------------------------------------------------------------------------------

    def on_prompt_box_sent(self, event: PromptBox.Sent) -> None:
        event.stop()
        if self._may_send():
            self.prompt.clear()
            self._start(event.text)

    def _may_send(self) -> bool:
        if not self._ready:
            self.app.tell("Still opening. Try again in a moment.", tone="warn")
        elif self.state.view is None:
            self.app.tell(
                "There is no model to ask.",
                hint="esc, 2, a adds a provider; ctrl+t picks a model",
                tone="warn",
            )
        elif self.run is not None or self._sending:
            self.app.tell("The answer is still coming.", hint="esc stops it", tone="warn")
        else:
            return True
        return False

    def _start(self, text: str | None) -> None:
        self._sending = True
        if not self._warm:
            self._warm = True
            gc.freeze()  # what is loaded by now stays: a full collection over it would hold a stream up for 80 ms
            self.run_worker(asyncio.to_thread(markdown_code.warm), group="warm")
        self.app.do(self._send(text))

    async def _send(self, text: str | None) -> None:
        """Send a prompt; None asks the last turn again."""
        services, state = self.app.services, self.state
        assert state.view is not None
        try:
            if state.row is None:
                params = state.params
                state.row = await services.conversations.create(
                    model_ref=state.view.ref, system=params.system, params=params.stored
                )
            await self._cut()
            if not state.messages:
                self.transcript.show([])
            exchange = await services.chat.send(state.request(text), text)
        except SwitchroomError as error:
            self.app.tell_error(error)
            if text is not None and not self.prompt.text:
                self.prompt.text = text
            return
        finally:
            self._sending = False
        self.run = exchange.run
        if exchange.prompt is not None:
            state.messages.append(exchange.prompt)
            self.transcript.add(*blocks_of([exchange.prompt]))
        self.transcript.action_bottom()
        await self._watch(exchange)

    async def _cut(self) -> None:
        """Drop the turns that an edited prompt replaces."""
        state = self.state
        if state.editing is None or state.row is None:
            return
        await self.app.services.conversations.truncate_after(state.row.id, state.editing - 1)
        state.messages = list(state.kept())
        state.editing = None
        state.changed()
        self.transcript.show(list(blocks_of(state.messages)))

    async def _watch(self, exchange: Exchange) -> None:
        """Draw a run to its end, or until another conversation is shown."""
        run, row = exchange.run, self.state.row
        live = self._live = LiveTurn(self.transcript, run.request.model, exchange.answer.position)
        refusal: SwitchroomError | None = None
        try:
            async for event in run.events():
                if self.run is run:
                    live.take(event)
        except SwitchroomError as error:
            refusal = error
            if self.run is run:
                live.refused(error)
        await asyncio.wait([exchange.stored])
        if self.run is not run:
            return
        self.run = self._live = None
        problem = refusal or (live.result.error if live.result is not None else None)
        self.suggestions = suggested(problem) if problem is not None else []
        if row is not None:
            self.state.row = await self.app.services.conversations.open(row.id)
            self.state.messages = await self.app.services.conversations.messages(row.id)
        self.state.changed()
        await self._measure()
        if isinstance(refusal, UnpricedError):
            await actions.offer_unpriced(self)

    # -- keys ------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        if self.run is not None:
            self.run.cancel()
        elif self.query_one("#chat-search").has_class("-open"):
            self._close_search()
        elif self.state.editing is not None:
            self.state.editing = None
            self.state.changed()
            self.prompt.clear()
            self._estimate()
        elif self.prompt.has_focus:
            self.transcript.focus()

    def action_prompt(self) -> None:
        self.prompt.focus()

    def action_other(self) -> None:
        (self.transcript if self.prompt.has_focus else self.prompt).focus()

    def action_new(self) -> None:
        self.new_conversation()

    def action_models(self) -> None:
        if self._ready:
            self.app.do(actions.pick_model(self))

    def action_params(self) -> None:
        self.app.do(actions.change_params(self))

    def action_conversations(self) -> None:
        if self._ready:
            self.app.do(actions.pick_conversation(self))

    def action_editor(self) -> None:
        self.app.do(actions.edit_outside(self))

    async def action_copy(self) -> None:
        await actions.copy(self)

    def action_thinking(self) -> None:
        if not self.transcript.toggle_thinking():
            self.app.tell("There is no reasoning to unfold.", tone="dim")

    def on_transcript_clicked(self, event: Transcript.Clicked) -> None:
        if isinstance(event.block, Thinking):
            event.block.toggle()
            self.transcript.replaced(event.block)

    def action_retry(self) -> None:
        """The last prompt again: its answer is replaced."""
        asked = self.last_asked()
        if asked is None:
            self.app.tell("There is nothing to ask again yet.", hint="i goes to the prompt", tone="dim")
        elif self._may_send():
            self.state.editing = asked + 1
            self._start(None)

    def action_edit(self) -> None:
        asked = self.last_asked()
        if asked is None:
            self.app.tell("There is no prompt to edit yet.", hint="i goes to the prompt", tone="dim")
        elif self._may_send():
            self.state.editing = asked
            self.state.changed()
            self.prompt.text = next(row.text for row in self.state.messages if row.position == asked)
            self.prompt.move_cursor(self.prompt.document.end)
            self.prompt.focus()
            self._estimate()

    def action_go_on(self) -> None:
        last = self.state.messages[-1] if self.state.messages else None
        if last is None or last.role != "assistant" or not last.text:
            self.app.tell("There is no answer to continue.", hint="r asks the last prompt again", tone="dim")
        elif self._may_send():
            self._start(CONTINUE)

    def last_asked(self) -> int | None:
        """The position of the user's last turn."""
        return next((row.position for row in reversed(self.state.messages) if row.role == "user"), None)

    # -- search ----------------------------------------------------------------------------------

    def action_search(self) -> None:
        field = self.query_one("#chat-search", Input)
        field.add_class("-open")
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not event.value:
            self._close_search()
            return
        self.transcript.focus()
        self.action_found(1)

    def action_found(self, step: int) -> None:
        word = self.query_one("#chat-search", Input).value
        if not word:
            self.action_search()
        elif not self.transcript.search(word, back=step < 0):
            self.app.tell(f"“{one_line(word, 40)}” is not in this conversation.", tone="dim")

    def _close_search(self) -> None:
        field = self.query_one("#chat-search", Input)
        field.remove_class("-open")
        field.value = ""
        self.transcript.search("")
        self.transcript.focus()
