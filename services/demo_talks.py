"""The demo's conversations, with the runs that made their answers: code, a table, thinking, a tool call, other scripts, a link."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from adapters.fake_answers import ANSWERS
from adapters.fake_play import Answer
from services import clock
from services.demo_habits import HABITS, Habit
from services.demo_history import attempt
from store.conversations import ConversationRow, Conversations, MessageRow
from store.db import Tx
from store.ledger import AttemptRow


@dataclass(frozen=True, slots=True)
class _Turn:
    prompt: str
    ref: str
    minutes_ago: int
    ttft: int
    tool_result: str = ""
    """What the called tool gave back; empty: no tool is called."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation, ready to be written, and the runs that made it."""

    row: ConversationRow
    messages: tuple[MessageRow, ...]
    runs: tuple[AttemptRow, ...]


_TALKS: tuple[tuple[str, tuple[_Turn, ...]], ...] = (
    (
        "What a request costs",
        (
            _Turn("Write a Python function for the cost of one request.", "openai-prod/gpt-6.1-sol", 96, 540),
            _Turn("Compare a small and a large model for that job.", "openai-prod/gpt-6-luna", 92, 300),
        ),
    ),
    (
        "An umbrella for Kraków?",
        (_Turn("What is the weather in Kraków? Do I need a coat?", "openai-prod/gpt-6.1-sol", 410, 610, "4 °C, light rain until 16:00"),),
    ),
    (
        "Release notes, with what to decide",
        (_Turn("Summarise the release notes; link what matters.", "anthropic/claude-opus-5-5", 1_300, 1_240),),
    ),
    (
        "Why a control room",
        (_Turn("What is a control room good for?", "anthropic/claude-sonnet-5-5", 1_520, 810),),
    ),
    (
        "Polski, 日本語, emoji 🎌",
        (_Turn("Show me some Polish and Japanese, with emoji.", "homelab/qwen3:8b", 4_330, 270),),
    ),
    (
        "Ticket 4711: charged twice",
        (_Turn("Triage this ticket: the customer was charged twice.", "mistral/mistral-large-3", 7_400, 690),),
    ),
)  # fmt: skip


def talks(now: int) -> list[Talk]:
    """The conversations, the last used one first."""
    return [_talk(f"demo-talk-{number}", title, turns, now) for number, (title, turns) in enumerate(_TALKS)]


def _talk(talk_id: str, title: str, turns: tuple[_Turn, ...], now: int) -> Talk:
    messages: list[MessageRow] = []
    runs: list[AttemptRow] = []
    for turn in turns:
        at = now - turn.minutes_ago * clock.MINUTE_MS
        messages.append(MessageRow(None, talk_id, len(messages), "user", turn.prompt, at=at))
        if turn.tool_result:
            call = next(answer for answer in ANSWERS if answer.calls and answer.fits(turn.prompt)).calls[0]
            calls = [{"id": call.id, "name": call.name, "arguments": call.arguments}]
            run = _run(f"{talk_id}-{len(runs)}", turn, at, 96, 22, talk_id)
            said = _answer(talk_id, len(messages), turn, Answer(""), replace(run, finish_reason="tool_calls"))
            messages.append(replace(said, tool_calls_json=json.dumps(calls)))
            at += 9_000
            messages.append(
                MessageRow(
                    None, talk_id, len(messages), "tool", turn.tool_result, tool_call_id=call.id, at=at
                )
            )
            runs.append(run)
        answer = next(answer for answer in ANSWERS if answer.text and answer.fits(turn.prompt))
        run = _run(f"{talk_id}-{len(runs)}", turn, at, 14 + 210 * len(runs), len(answer.text) // 4, talk_id)
        messages.append(_answer(talk_id, len(messages), turn, answer, run))
        runs.append(run)
    row = ConversationRow(talk_id, title, turns[-1].ref, None, "{}", messages[0].at, messages[-1].at)
    return Talk(row, tuple(messages), tuple(runs))


def _run(run_id: str, turn: _Turn, at: int, sent: int, back: int, talk_id: str) -> AttemptRow:
    habit = _habit(turn.ref)
    row = attempt(run_id, at, habit, tokens=(sent, back), ttft=turn.ttft, cached=None)
    return replace(row, caller="tui", conversation_id=talk_id, labels_json=None)


def _habit(ref: str) -> Habit:
    return next(habit for habit in HABITS if f"{habit.provider}/{habit.model}" == ref)


def _answer(talk_id: str, position: int, turn: _Turn, answer: Answer, run: AttemptRow) -> MessageRow:
    return MessageRow(
        None,
        talk_id,
        position,
        "assistant",
        answer.text,
        thinking=answer.thinking,
        run_id=run.run_id,
        model_ref=turn.ref,
        at=run.at + (run.duration_ms or 0),
        finish_reason=run.finish_reason,
        cost_nanos=run.cost_nanos,
        grade=run.grade,
        input=run.input,
        output=run.output,
        ttft_ms=run.ttft_ms,
        duration_ms=run.duration_ms,
    )


async def write_talks(store: Conversations, tx: Tx, wanted: list[Talk]) -> None:
    """Write the conversations with their messages."""
    for talk in wanted:
        await store.create(tx, talk.row)
        for message in talk.messages:
            await store.append(tx, message)
