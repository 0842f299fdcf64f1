"""How a prompt becomes an exchange: stored, sent, drawn while it arrives, and asked again, edited or continued by keys."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.errors import NotFoundError, SwitchroomError, UnpricedError
from services.chat_history import history, to_send_on
from services.tool_loop import ToolLoop
from tui.screens import chat_actions as actions
from tui.screens.base import ModeScreen
from tui.screens.chat_live import LiveTurn
from tui.screens.chat_state import ChatState
from tui.screens.chat_turns import blocks_of, tool_result
from tui.screens.chat_words import suggested
from tui.widgets import markdown_code
from tui.widgets.prompt import PromptBox
from tui.widgets.transcript import Transcript
from tui.widgets.transcript_blocks import Block, Note

if TYPE_CHECKING:
    from services.attachments import Attached
    from services.chat import Exchange, Follow
    from services.run import Run
    from store.conversations import ConversationRow, MessageRow
    from tui.screens.chat_words import Params


class ChatRuns(ModeScreen):
    """The part of the chat screen that owns what is being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.state = ChatState()
        self.suggestions: list[str] = []
        """Models the last error named as the way on."""
        self._lives: dict[str, tuple[Run, LiveTurn]] = {}
        """Conversation → its run in flight and what it has drawn; they go on while another is shown."""
        self.ready = False
        """The services are open."""
        self._sending = False
        """A prompt is on its way to the store: what the feed says meanwhile is our own doing."""
        self._warm = False

    async def measure(self) -> None:
        """Ask what is left of the limits, and show head and estimate anew."""
        raise NotImplementedError

    def show_estimate(self) -> None:
        """What sending the prompt would use and cost."""
        raise NotImplementedError

    def choose_model(self, ref: str) -> None:
        """Talk to this model from now on."""
        raise NotImplementedError

    def show_keys(self) -> None:
        """Call the keys by what they do now."""
        raise NotImplementedError

    def show_turns(self, *, keep: bool = False) -> None:
        """Show the conversation, from its end or (`keep`) where the reader is."""
        raise NotImplementedError

    async def set_params(self, params: Params) -> None:
        """Send these from now on, and keep them with the conversation."""
        raise NotImplementedError

    async def open_conversation(self, row: ConversationRow) -> None:
        """Show another conversation."""
        raise NotImplementedError

    def new_conversation(self) -> None:
        """An empty conversation with the same model and parameters."""
        raise NotImplementedError

    async def stored(self, row: ConversationRow) -> tuple[ConversationRow, list[MessageRow]] | None:
        """The conversation as the store has it now. None: it was deleted, here or elsewhere, and is no longer shown."""
        conversations = self.app.services.conversations
        try:
            return await conversations.open(row.id), await conversations.messages(row.id)
        except NotFoundError as error:
            if self.state.row is not None and self.state.row.id == row.id:
                self.app.tell(error.message, hint="{ctrl+g:chat.conversations} shows the others", tone="dim")
                self.new_conversation()
            return None

    @property
    def live(self) -> LiveTurn | None:
        """What the run in flight of this conversation draws."""
        row = self.state.row
        found = self._lives.get(row.id) if row is not None else None
        return found[1] if found is not None else None

    @property
    def run(self) -> Run | None:
        """The run in flight of this conversation."""
        row = self.state.row
        found = self._lives.get(row.id) if row is not None else None
        return found[0] if found is not None else None

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def prompt(self) -> PromptBox:
        return self.query_one(PromptBox)

    def interrupt(self) -> bool:
        row = self.state.row
        if row is None or self.run is None:
            return False
        self.app.services.chat.stop(row.id)
        return True

    # -- sending ---------------------------------------------------------------------------------

    def on_prompt_box_sent(self, event: PromptBox.Sent) -> None:
        event.stop()
        if not self.may_send():
            return
        estimate = self.state.estimate(self.app.services, event.text)
        if estimate is not None and estimate.too_long:
            self.app.do(actions.offer_too_long(self, event.text, estimate))
        else:
            self.sure(lambda: self.send(event.text))

    def sure(self, send: Callable[[], None]) -> None:
        """Send; where images would go to a model that may not see them, once the user has agreed."""
        if self.state.blind:
            self.app.do(actions.offer_blind(self, send))
        else:
            send()

    def send(self, text: str) -> None:
        """Send what was written in the prompt, with the images attached to it."""
        self.prompt.clear()
        self._start(text, self.state.attached)
        self.attach((), instead=True)

    def attach(self, images: Sequence[Attached], *, instead: bool = False) -> None:
        """More images for the prompt, or these `instead` of those attached."""
        raise NotImplementedError

    def may_send(self) -> bool:
        if not self.ready:
            self.app.tell("Still opening. Try again in a moment.", tone="warn")
        elif self.state.view is None:
            self.app.tell(
                "There is no model to ask.",
                hint="{esc:prompt.leave}, {2:mode.providers}, {a:providers.add} adds a provider; {ctrl+t:chat.models} picks a model",
                tone="warn",
            )
        elif self.run is not None or self._sending:
            self.app.tell("The answer is still coming.", hint="{esc:chat.leave} stops it", tone="warn")
        else:
            return True
        return False

    def _start(self, text: str | None, attached: Sequence[Attached] = ()) -> None:
        self._sending = True
        if not self._warm:
            self._warm = True
            gc.freeze()  # what is loaded by now stays: a full collection over it would hold a stream up for 80 ms
            self.run_worker(asyncio.to_thread(markdown_code.warm), group="warm")
        # Not the group of what a key asks for: keys wait for the window that such work may open.
        self.app.run_worker(self._send(text, attached), group="exchange", exit_on_error=True)

    async def _send(self, text: str | None, attached: Sequence[Attached]) -> None:
        """Send a prompt; None sends the stored turns again, or on."""
        services, state = self.app.services, self.state
        assert state.view is not None
        # What is sent is what was there when the key was pressed, whatever is chosen while the store writes.
        request, replaces, kept = state.request(text), state.editing, list(state.kept())
        loop = ToolLoop(state.params.tools, services.settings.chat.tool_rounds)
        try:
            if attached or any(row.images for row in kept):
                images = await services.conversations.images(kept)
                request = replace(request, messages=history(kept, text, images=images, attached=attached))
            if state.row is None:
                params = state.params
                state.row = await services.conversations.create(
                    model_ref=request.model, system=params.system, params=params.stored
                )
            request = replace(request, conversation_id=state.row.id)
            exchange = await services.chat.send(request, text, replaces=replaces, images=attached, loop=loop)
        except SwitchroomError as error:
            self.app.tell_error(error)
            if text is None:
                state.editing = None  # the next prompt is a turn of its own
            elif self.state is state and not self.prompt.text:
                self.prompt.text = text
                self.attach(attached, instead=True)
            return
        finally:
            self._sending = False
        old = self._make_room(state, exchange, replaces) if self.state is state else []
        live = self._live(exchange, shown=self.state is state)
        self._lives[state.row.id] = exchange.run, live
        if self.state is state:
            self.transcript.follow_end()
        elif self._shows(state.row):  # it was left and shown again meanwhile
            self.show_turns()
        self.show_keys()
        last, drawn = await self._watch(state, exchange, live, old)
        if self._shows(state.row):
            first = replaces if last is exchange else None
            await self._after(self.state, last, drawn, first, attached)

    def _live(self, exchange: Exchange, *, shown: bool) -> LiveTurn:
        ref, turn = exchange.run.request.model, exchange.answer.position
        return LiveTurn(self.transcript, ref, turn, shown=shown, reader=self.app.screen_reader)

    def _shows(self, row: ConversationRow) -> bool:
        """True while this conversation is shown; left and shown again it has another state."""
        return self.state.row is not None and self.state.row.id == row.id

    def _make_room(self, state: ChatState, exchange: Exchange, replaces: int | None) -> list[Block]:
        """Show the prompt. The turns it takes the place of go, or give way to a line that stands for them."""
        transcript = self.transcript
        note: list[Block] = []
        if not state.messages:
            transcript.show([])
        elif replaces is not None:
            old = [row for row in state.messages if row.position >= replaces]
            if exchange.prompt is None and any(row.text.strip() for row in old):
                note = [
                    Note([("↺ the answer before is kept until the new one is complete", "event")], gap=True)
                ]
            blocks = transcript.blocks
            first = next(
                (n for n, block in enumerate(blocks) if block.turn is not None and block.turn >= replaces),
                len(blocks),
            )
            transcript.swap(list(blocks[first:]), note)
            if exchange.prompt is not None:
                state.messages = list(state.kept())
        state.editing = None
        if exchange.prompt is not None:
            state.messages.append(exchange.prompt)
            transcript.add(*blocks_of([exchange.prompt], reader=self.app.screen_reader))
        state.changed()
        return note

    async def _watch(
        self, state: ChatState, exchange: Exchange, live: LiveTurn, note: list[Block]
    ) -> tuple[Exchange, LiveTurn]:
        """Draw a run and those that send results of its tool calls, each to its end; the last one."""
        row = state.row
        assert row is not None
        while True:
            follow = await self._watch_one(state, row, exchange, live, note)
            if follow is None or follow.exchange is None:
                return exchange, live
            exchange, live, note = follow.exchange, self._lives[row.id][1], []

    async def _watch_one(
        self, state: ChatState, row: ConversationRow, exchange: Exchange, live: LiveTurn, note: list[Block]
    ) -> Follow | None:
        """Draw a run to its end, and then what the store holds of the conversation."""
        refusal: SwitchroomError | None = None
        try:
            async for event in exchange.run.events():
                live.take(event)
        except SwitchroomError as error:
            refusal = error
            live.refused(error)
        await asyncio.wait([exchange.stored])
        written = exchange.stored
        follow = None if written.cancelled() or written.exception() is not None else written.result()
        self._go_on(row, exchange, live, follow)
        self.show_keys()
        if not self._shows(row) or (fresh := await self.stored(row)) is None or not self._shows(row):
            return follow
        problem = refusal or (live.result.error if live.result is not None else None)
        self.suggestions = suggested(problem) if problem is not None else []
        self.state.row, self.state.messages = fresh
        self.state.changed()
        goes_on = follow is not None and follow.exchange is not None
        if goes_on:
            await self.measure()  # the round that is over has cost, and the first one has given a title
        if self.state is not state and goes_on:
            self.show_turns(keep=True)
        elif self.state is not state:  # it was left and shown again meanwhile
            self._redraw(live)
        elif note:
            asked = self.last_asked() or 0
            blocks = blocks_of(self.state.messages, live.turn, reader=self.app.screen_reader)
            kept = [block for block in blocks if block.turn is not None and asked < block.turn < live.turn]
            self.transcript.swap(note, kept)
        return follow

    def _go_on(self, row: ConversationRow, exchange: Exchange, live: LiveTurn, follow: Follow | None) -> None:
        """Below an answer: the results of its calls and the run that takes them along, or that they are waited for."""
        result = live.result
        calls = result.tool_calls if result is not None and result.state == "complete" else ()
        if follow is not None and self._shows(row):
            names = {call.id: call.name for call in calls}
            self.transcript.add(
                *(tool_result(names.get(r.tool_call_id or "", ""), r) for r in follow.results)
            )
        if follow is None or follow.exchange is None:
            self._lives.pop(row.id, None)
            if follow is None and calls:
                live.waits(exchange.loop.why if exchange.loop is not None else None)
            return
        self._lives[row.id] = follow.exchange.run, self._live(follow.exchange, shown=self._shows(row))

    async def _after(
        self,
        state: ChatState,
        exchange: Exchange,
        live: LiveTurn,
        replaces: int | None,
        attached: Sequence[Attached],
    ) -> None:
        """What follows a run: the limits anew; a refused edit gives the turns back that it would have replaced."""
        text = exchange.prompt.text if exchange.prompt is not None else None
        edited = live.error is not None and replaces is not None and text is not None
        if edited:
            self._redraw(live)
        await self.measure()
        if self.state is not state:
            return
        if isinstance(live.error, UnpricedError) and await actions.offer_unpriced(self):
            if self.state is state and self.may_send():
                if edited:
                    state.editing = replaces
                else:
                    results = to_send_on(state.messages)
                    state.editing = results if results is not None else (self.last_asked() or 0) + 1
                self._start(text if edited else None, attached if edited else ())
        elif edited and text is not None and not self.prompt.text:
            state.editing = replaces
            state.changed()
            self.prompt.text = text
            self.attach(attached, instead=True)
            self.show_estimate()

    def _redraw(self, live: LiveTurn) -> None:
        """Show what is stored, and below it the run as it was drawn."""
        rows = blocks_of(self.state.messages, live.turn, reader=self.app.screen_reader)
        self.transcript.show([*rows, *live.blocks], keep=True)

    def leave_conversation(self, state: ChatState) -> None:
        """Show another conversation; what runs in this one goes on unseen."""
        if self.live is not None:
            self.live.hide()
        self.state = state

    def last_asked(self) -> int | None:
        """The position of the user's last turn."""
        return next((row.position for row in reversed(self.state.messages) if row.role == "user"), None)
