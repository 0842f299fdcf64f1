"""One exchange of a conversation: the prompt is stored before it is sent, and the answer when the run ends, whoever watches."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from adapters.events import Keepsake, Message, ToolCall
from catalog.errors import SwitchroomError
from catalog.money import to_nanos
from services.clock import now_ms
from services.feed import Alert
from store.conversations import MessageRow

if TYPE_CHECKING:
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
    stored: asyncio.Task[None]
    """Done when the answer is written."""


class ChatService:
    """Sends prompts of conversations. The face draws the run's events; nothing is lost when it goes away."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._writers: set[asyncio.Task[None]] = set()
        self._streaming: dict[str, Run] = {}
        """Conversation → its run in flight."""

    async def send(self, request: RunRequest, prompt: str | None, *, replaces: int | None = None) -> Exchange:
        """Store the prompt (None: the stored turns are sent as they are) and an empty answer, and start the run.

        `request.messages` hold the whole conversation, the prompt included; `request.conversation_id` is set.
        `replaces` is the position from which on older turns give way to this exchange: for an edited prompt unless
        the run is refused, for a retry only once the new answer is complete.
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
        written = await self._services.conversations.append_all(turns)
        asked, answer = written[0] if prompt is not None else None, written[-1]
        run = self._services.runs.start(request)
        self._streaming[conversation] = run
        task = asyncio.create_task(self._keep(run, asked, answer, replaces), name=f"answer of {run.id}")
        self._writers.add(task)
        task.add_done_callback(self._writers.discard)
        return Exchange(run, asked, answer, task)

    async def answer_calls(self, conversation_id: str, results: Mapping[str, str]) -> list[MessageRow]:
        """Store the results of tool calls, by call id; the next `send` without a prompt takes them along."""
        at = now_ms()
        return await self._services.conversations.append_all(
            [
                MessageRow(None, conversation_id, -1, "tool", text, tool_call_id=call, at=at)
                for call, text in results.items()
            ]
        )

    def running(self, conversation_id: str) -> Run | None:
        """The run in flight of a conversation."""
        return self._streaming.get(conversation_id)

    async def _keep(
        self, run: Run, asked: MessageRow | None, answer: MessageRow, replaces: int | None
    ) -> None:
        """Write the answer when the run has ended. A refusal leaves no answer at all."""
        conversation = answer.conversation_id
        try:
            result: RunResult | None = await run.result()
        except SwitchroomError:
            result = None
        if self._streaming.get(conversation) is run:
            del self._streaming[conversation]
        for wait in (*_STORE_AGAIN, None):
            try:
                await self._store(result, asked, answer, replaces)
                return
            except SwitchroomError as error:
                if wait is None:
                    log.exception("an answer could not be stored")
                    self._services.feed.publish(
                        Alert(
                            "error", "Answer not stored", f"{error.message} Copy the answer if it is needed."
                        )
                    )
                    return
            await asyncio.sleep(wait)

    async def _store(
        self, result: RunResult | None, asked: MessageRow | None, answer: MessageRow, replaces: int | None
    ) -> None:
        """Write what became of an exchange. Doing it once more changes nothing."""
        assert answer.id is not None
        conversation, conversations = answer.conversation_id, self._services.conversations
        first = asked.position if asked is not None else answer.position
        if result is None:
            last = answer.position if replaces is None else first
            await conversations.truncate_after(conversation, last - 1)
            return
        await conversations.update_message(conversation, answer.id, **_written(result))
        if replaces is not None:
            done = asked is not None or _succeeded(result)
            gone = [
                row.id
                for row in await conversations.messages(conversation)
                if replaces <= row.position < first and row.id is not None and (done or _empty(row))
            ]
            await conversations.remove(conversation, gone)

    async def aclose(self) -> None:
        """Wait until every answer is written; the runs have ended by then."""
        if self._writers:
            await asyncio.wait(self._writers, timeout=5)


def _succeeded(result: RunResult) -> bool:
    return result.state == "complete" and bool(result.text.strip() or result.tool_calls)


def _empty(row: MessageRow) -> bool:
    """True for an answer that holds nothing; results of tools stay with their calls."""
    return row.role == "assistant" and not row.text.strip() and not row.tool_calls_json


def _written(result: RunResult) -> dict[str, object]:
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


def stored_calls(row: MessageRow) -> tuple[ToolCall, ...]:
    """The tool calls of a stored turn."""
    calls = json.loads(row.tool_calls_json) if row.tool_calls_json else []
    return tuple(ToolCall(call["id"], call["name"], call["arguments"]) for call in calls)


def stored_keepsake(row: MessageRow) -> Keepsake | None:
    """What the vendor of a stored answer wants back with it. Only of a whole answer: half a one is not what it signed."""
    if row.keepsake_json is None or row.state != "complete":
        return None
    return Keepsake(**json.loads(row.keepsake_json))


def unanswered(rows: Sequence[MessageRow]) -> tuple[ToolCall, ...]:
    """The tool calls of the last answer that have no result yet."""
    given = set()
    for row in reversed(rows):
        if row.role == "tool":
            given.add(row.tool_call_id)
        elif row.role == "assistant":
            return tuple(call for call in stored_calls(row) if call.id not in given)
        else:
            break
    return ()


def history(rows: Sequence[MessageRow], prompt: str | None = None) -> tuple[Message, ...]:
    """The messages to send: empty answers are left out, prompts in a row joined, of several answers to one prompt the last.

    Tool calls go back with their results; those not all answered are left out, since every vendor refuses a call
    without its result. Reasoning goes along for the vendors that want it back; the others' adapters leave it out.
    """
    out: list[Message] = []
    for index, row in enumerate(rows):
        if row.role == "user" and row.text.strip():
            _ask(out, row.text)
        elif row.role == "assistant":
            calls = stored_calls(row)
            results = _results(rows[index + 1 :])
            answered = calls if calls and all(call.id in results for call in calls) else ()
            if not row.text.strip() and not answered:
                continue
            if out and out[-1].role == "assistant":
                out.pop()
            kept = stored_keepsake(row) if answered == calls else None
            out.append(
                Message("assistant", row.text, tool_calls=answered, thinking=row.thinking, keepsake=kept)
            )
            out += [Message("tool", results[call.id], tool_call_id=call.id) for call in answered]
    if prompt is not None:
        _ask(out, prompt)
    return tuple(out)


def _ask(out: list[Message], text: str) -> None:
    if out and out[-1].role == "user":
        text = f"{out.pop().text}\n\n{text}"
    out.append(Message("user", text))


def _results(rows: Sequence[MessageRow]) -> dict[str, str]:
    """The tool results that stand directly below an answer, by the call they belong to."""
    return {
        row.tool_call_id: row.text
        for row in takewhile(lambda row: row.role == "tool", rows)
        if row.tool_call_id is not None
    }
