"""How a prompt becomes an exchange: stored, sent, drawn while it arrives, and asked again, edited or continued by keys."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

from catalog.errors import NotFoundError, SwitchroomError, UnpricedError
from services.chat import CONTINUE
from tui.screens import chat_actions as actions
from tui.screens.base import ModeScreen
from tui.screens.chat_state import ChatState
from tui.screens.chat_turns import LiveTurn, blocks_of
from tui.screens.chat_words import suggested
from tui.widgets import markdown_code
from tui.widgets.prompt import PromptBox
from tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from services.chat import Exchange
    from services.run import Run
    from store.conversations import ConversationRow, MessageRow
    from tui.screens.chat_words import Params


class ChatRuns(ModeScreen):
    """The part of the chat screen that owns what is being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.state = ChatState()
        self.run: Run | None = None
        """The run this screen is drawing."""
        self.suggestions: list[str] = []
        """Models the last error named as the way on."""
        self._live: LiveTurn | None = None
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
                self.app.tell(error.message, hint="ctrl+g shows the others", tone="dim")
                self.new_conversation()
            return None

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def prompt(self) -> PromptBox:
        return self.query_one(PromptBox)

    def interrupt(self) -> bool:
        if self.run is None:
            return False
        self.run.cancel()
        return True

    # -- sending ---------------------------------------------------------------------------------

    def on_prompt_box_sent(self, event: PromptBox.Sent) -> None:
        event.stop()
        if self.may_send():
            self.prompt.clear()
            self._start(event.text)

    def may_send(self) -> bool:
        if not self.ready:
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
            if (fresh := await self.stored(row)) is None:
                return
            self.state.row, self.state.messages = fresh
        self.state.changed()
        await self.measure()
        if isinstance(refusal, UnpricedError):
            await actions.offer_unpriced(self)

    def detach(self) -> None:
        """Stop drawing the run; it goes on without us."""
        if self._live is not None:
            self._live.stop_drawing()
        self._live = self.run = None

    # -- once more -------------------------------------------------------------------------------

    def action_retry(self) -> None:
        """The last prompt again: its answer is replaced."""
        asked = self.last_asked()
        if asked is None:
            self.app.tell("There is nothing to ask again yet.", hint="i goes to the prompt", tone="dim")
        elif self.may_send():
            self.state.editing = asked + 1
            self._start(None)

    def action_edit(self) -> None:
        asked = self.last_asked()
        if asked is None:
            self.app.tell("There is no prompt to edit yet.", hint="i goes to the prompt", tone="dim")
        elif self.may_send():
            self.state.editing = asked
            self.state.changed()
            self.prompt.text = next(row.text for row in self.state.messages if row.position == asked)
            self.prompt.move_cursor(self.prompt.document.end)
            self.prompt.focus()
            self.show_estimate()

    def action_go_on(self) -> None:
        last = self.state.messages[-1] if self.state.messages else None
        if last is None or last.role != "assistant" or not last.text:
            self.app.tell("There is no answer to continue.", hint="r asks the last prompt again", tone="dim")
        elif self.may_send():
            self._start(CONTINUE)

    def last_asked(self) -> int | None:
        """The position of the user's last turn."""
        return next((row.position for row in reversed(self.state.messages) if row.role == "user"), None)
