"""One exchange of a conversation: the prompt is stored before it is sent, and the answer when the run ends, whoever watches."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from catalog.money import to_nanos
from services.chat_history import is_empty
from services.clock import now_ms
from services.feed import Alert
from services.tool_loop import ToolAnswer, ToolLoop, next_request
from store.conversations import MessageRow

if TYPE_CHECKING:
    from services.attachments import Attached
    from services.container import Services
    from services.run import Run
    from services.run_events import RunRequest, RunResult

log = logging.getLogger(__name__)

_STORE_AGAIN = (0.5, 2.0)
"""Seconds after which an answer is written once more where the store was busy; each try waits for it by itself too."""

CONTINUE = "Continue exactly where you stopped."
"""What *continue* says after a partial answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A prompt on its way. `prompt` is None when the last stored turn is asked again."""

    run: Run
    prompt: MessageRow | None
    answer: MessageRow
    """Stored with the state `streaming`; the service writes the rest when the run ends."""
    stored: asyncio.Task[Follow | None]
    """Done when the answer is written; its result is what followed by itself."""
    loop: ToolLoop | None = None
    """What answers tool calls; None: they wait for the user."""


@dataclass(frozen=True, slots=True)
class Follow:
    """The results that mocks gave to an answer's tool calls, and the run that sends them back."""

    results: tuple[MessageRow, ...]
    exchange: Exchange | None
    """None: the user stopped it before it was sent."""


class ChatService:
    """Sends prompts of conversations. The face draws the run's events; nothing is lost when it goes away."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._writers: set[asyncio.Task[Follow | None]] = set()
        self._streaming: dict[str, Run] = {}
        """Conversation → its run in flight."""
        self._loops: dict[str, ToolLoop] = {}
        """Conversation → what answers the tool calls of its run in flight."""

    async def send(
        self,
        request: RunRequest,
        prompt: str | None,
        *,
        replaces: int | None = None,
        images: Sequence[Attached] = (),
        loop: ToolLoop | None = None,
    ) -> Exchange:
        """Store the prompt (None: the stored turns are sent as they are) and an empty answer, and start the run.

        `request.messages` hold the whole conversation, the prompt included; `request.conversation_id` is set.
        `replaces` is the position from which on older turns give way to this exchange: for an edited prompt unless
        the run is refused, for a retry only once the new answer is complete. `images` are kept with the prompt.
        Tool calls that `loop` can answer are answered, each time by a run of its own, whoever watches.
        """
        conversation = request.conversation_id
        if conversation is None:
            raise ValueError("an exchange belongs to a conversation")
        at = now_ms()
        turns = [
            MessageRow(
                None, conversation, -1, "assistant", "", state="streaming", model_ref=request.model, at=at
            )
        ]
        if prompt is not None:
            turns.insert(0, MessageRow(None, conversation, -1, "user", prompt, at=at))
        written = await self._services.conversations.append_all(turns, images if prompt is not None else ())
        asked, answer = written[0] if prompt is not None else None, written[-1]
        run = self._services.runs.start(request)
        self._streaming[conversation] = run
        if loop is not None:
            self._loops[conversation] = loop
        task = asyncio.create_task(self._keep(run, asked, answer, replaces, loop), name=f"answer of {run.id}")
        self._writers.add(task)
        task.add_done_callback(self._writers.discard)
        return Exchange(run, asked, answer, task, loop)

    async def answer_calls(self, conversation_id: str, answers: Sequence[ToolAnswer]) -> list[MessageRow]:
        """Store the results of tool calls; the next `send` without a prompt takes them along."""
        at = now_ms()
        return await self._services.conversations.append_all(
            [
                MessageRow(
                    None,
                    conversation_id,
                    -1,
                    "tool",
                    answer.text,
                    tool_call_id=answer.call_id,
                    state="failed" if answer.failed else "complete",
                    finish_reason="mocked" if answer.mocked else None,
                    at=at,
                )
                for answer in answers
            ]
        )

    def stop(self, conversation_id: str) -> bool:
        """Stop the run in flight, and let no tool call be answered after it. False: nothing is in flight."""
        run, loop = self._streaming.get(conversation_id), self._loops.get(conversation_id)
        if loop is not None:
            loop.stopped = True
        if run is not None:
            run.cancel()
        return run is not None or loop is not None

    def running(self, conversation_id: str) -> Run | None:
        """The run in flight of a conversation."""
        return self._streaming.get(conversation_id)

    async def _keep(
        self,
        run: Run,
        asked: MessageRow | None,
        answer: MessageRow,
        replaces: int | None,
        loop: ToolLoop | None,
    ) -> Follow | None:
        """Write the answer when the run has ended, and go on where its calls are answered. A refusal leaves no answer."""
        conversation = answer.conversation_id
        try:
            result: RunResult | None = await run.result()
        except SwitchroomError:
            result = None
        try:
            written = await self._written(result, asked, answer, replaces)
        finally:
            if self._streaming.get(conversation) is run:
                del self._streaming[conversation]
        try:
            if written and result is not None and loop is not None:
                return await self._follow(run.request, result, loop)
            return None
        finally:
            if (
                loop is not None
                and self._loops.get(conversation) is loop
                and conversation not in self._streaming
            ):
                del self._loops[conversation]

    async def _follow(self, request: RunRequest, result: RunResult, loop: ToolLoop) -> Follow | None:
        """Send back what mocks answer to the calls of an answer; None: there is nothing to send by itself."""
        conversation = request.conversation_id
        answers = loop.after(result)
        if conversation is None or not answers:
            return None
        try:
            rows = tuple(await self.answer_calls(conversation, answers))
        except SwitchroomError as error:
            self._told(error)
            return None
        try:
            if loop.stopped:
                return Follow(rows, None)
            following = next_request(request, result, answers)
            return Follow(rows, await self.send(following, None, loop=loop))
        except SwitchroomError as error:  # the results are kept, and can be sent on
            self._told(error)
            return Follow(rows, None)

    def _told(self, error: SwitchroomError) -> None:
        log.warning("tool calls were not answered: %s", error.code)
        self._services.feed.publish(Alert("error", "Tool calls not answered", error.message))

    async def _written(
        self, result: RunResult | None, asked: MessageRow | None, answer: MessageRow, replaces: int | None
    ) -> bool:
        """Write what became of an exchange, again where the store was busy; False: it could not be written."""
        for wait in (*_STORE_AGAIN, None):
            try:
                await self._store(result, asked, answer, replaces)
                return True
            except SwitchroomError as error:
                if wait is None:
                    log.exception("an answer could not be stored")
                    self._services.feed.publish(
                        Alert(
                            "error", "Answer not stored", f"{error.message} Copy the answer if it is needed."
                        )
                    )
                    return False
            await asyncio.sleep(wait)
        return False

    async def _store(
        self, result: RunResult | None, asked: MessageRow | None, answer: MessageRow, replaces: int | None
    ) -> None:
        """Write what became of an exchange. Doing it once more changes nothing."""
        assert answer.id is not None
        conversation, conversations = answer.conversation_id, self._services.conversations
        first = asked.position if asked is not None else answer.position
        if result is None:
            ours = [answer] if asked is None or replaces is None else [asked, answer]
            await conversations.remove(conversation, [row.id for row in ours if row.id is not None])
            return
        await conversations.update_message(conversation, answer.id, **_fields(result))
        if replaces is not None:
            done = asked is not None or _succeeded(result)
            gone = [
                row.id
                for row in await conversations.messages(conversation)
                if replaces <= row.position < first and row.id is not None and (done or is_empty(row))
            ]
            await conversations.remove(conversation, gone)

    async def aclose(self) -> None:
        """Wait until every answer is written; the runs have ended by then, and no other follows."""
        for conversation in list(self._loops):
            self.stop(conversation)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while self._writers:
                    await asyncio.wait(set(self._writers))


def _succeeded(result: RunResult) -> bool:
    return result.state == "complete" and bool(result.text.strip() or result.tool_calls)


def _fields(result: RunResult) -> dict[str, object]:
    calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in result.tool_calls]
    return {
        "text": result.text,
        "thinking": result.thinking,
        "tool_calls_json": json.dumps(calls) if calls else None,
        "keepsake_json": json.dumps(asdict(result.keepsake)) if result.keepsake else None,
        "state": result.state,
        "run_id": result.run_id,
        "finish_reason": result.finish_reason,
        "cost_nanos": to_nanos(result.cost) if result.cost is not None else None,
        "grade": result.grade,
        "input": result.usage.input,
        "output": result.usage.output,
        "ttft_ms": result.ttft_ms,
        "duration_ms": result.answer_ms,
    }
