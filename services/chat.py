"""One exchange of a conversation: the prompt is stored before it is sent, and the answer when the run ends, whoever watches."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from adapters.events import Message, ToolCall
from catalog.errors import SwitchroomError
from catalog.money import to_nanos
from services.clock import now_ms
from store.conversations import MessageRow

if TYPE_CHECKING:
    from services.container import Services
    from services.run import Run
    from services.run_events import RunRequest, RunResult

log = logging.getLogger(__name__)

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

    async def send(self, request: RunRequest, prompt: str | None) -> Exchange:
        """Store the prompt (None: ask the last turn again) and an empty answer, and start the run.

        `request.messages` hold the whole conversation, the prompt included; `request.conversation_id` is set.
        """
        conversation = request.conversation_id
        if conversation is None:
            raise ValueError("an exchange belongs to a conversation")
        conversations = self._services.conversations
        asked = None
        if prompt is not None:
            asked = await conversations.append(
                MessageRow(None, conversation, -1, "user", prompt, at=now_ms())
            )
        answer = await conversations.append(
            MessageRow(
                None,
                conversation,
                -1,
                "assistant",
                "",
                state="streaming",
                model_ref=request.model,
                at=now_ms(),
            )
        )
        run = self._services.runs.start(request)
        self._streaming[conversation] = run
        task = asyncio.create_task(self._keep(run, answer), name=f"answer of {run.id}")
        self._writers.add(task)
        task.add_done_callback(self._writers.discard)
        return Exchange(run, asked, answer, task)

    def running(self, conversation_id: str) -> Run | None:
        """The run in flight of a conversation."""
        return self._streaming.get(conversation_id)

    async def _keep(self, run: Run, answer: MessageRow) -> None:
        """Write the answer when the run has ended. A refusal leaves no answer at all."""
        assert answer.id is not None
        conversations = self._services.conversations
        try:
            result = await run.result()
        except SwitchroomError:
            result = None
        if self._streaming.get(answer.conversation_id) is run:
            del self._streaming[answer.conversation_id]
        try:
            if result is None:
                await conversations.truncate_after(answer.conversation_id, answer.position - 1)
            else:
                await conversations.update_message(answer.conversation_id, answer.id, **_written(result))
        except SwitchroomError:
            log.exception("an answer could not be stored")

    async def aclose(self) -> None:
        """Wait until every answer is written; the runs have ended by then."""
        if self._writers:
            await asyncio.wait(self._writers, timeout=5)


def _written(result: RunResult) -> dict[str, object]:
    calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in result.tool_calls]
    return {
        "text": result.text,
        "thinking": result.thinking,
        "tool_calls_json": json.dumps(calls) if calls else None,
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


def history(rows: Sequence[MessageRow], prompt: str | None = None) -> tuple[Message, ...]:
    """The messages to send: empty answers are left out, neighbours of the same person joined.

    Tool calls nobody answered are not sent back: every vendor refuses a call without its result. Reasoning goes
    along for the vendors that want it back; the others' adapters leave it out.
    """
    turns = [row for row in rows if row.text.strip() and row.role in ("user", "assistant")]
    if prompt is not None:
        turns.append(MessageRow(None, "", -1, "user", prompt))
    return tuple(_joined(tuple(same)) for _, same in groupby(turns, key=lambda turn: turn.role))


def _joined(turns: Sequence[MessageRow]) -> Message:
    return Message(
        "user" if turns[0].role == "user" else "assistant",
        "\n\n".join(turn.text for turn in turns),
        thinking="\n\n".join(turn.thinking for turn in turns if turn.thinking) or None,
    )
