"""What of a stored conversation is sent again."""

from __future__ import annotations

import json
from dataclasses import replace

from adapters.events import Message, ToolCall
from services.chat_history import history, unanswered
from store.conversations import MessageRow


def turn(role: str, text: str, thinking: str | None = None) -> MessageRow:
    return MessageRow(None, "c", 0, role, text, thinking=thinking)


def test_reasoning_goes_along_for_the_vendors_that_want_it_back() -> None:
    rows = [turn("user", "2+2?"), turn("assistant", "4", "Two and two …"), turn("user", "Sure?")]
    assert history(rows)[1] == Message("assistant", "4", thinking="Two and two …")


def test_prompts_in_a_row_are_joined_and_of_several_answers_the_last_is_sent() -> None:
    rows = [
        turn("user", "One"),
        turn("assistant", "  ", "hm"),
        turn("user", "Two"),
        turn("assistant", "Half", "a"),
        turn("assistant", "an answer"),
        turn("assistant", ""),
    ]
    assert history(rows, "Three") == (
        Message("user", "One\n\nTwo"),
        Message("assistant", "an answer"),
        Message("user", "Three"),
    )


def calling(*ids: str) -> MessageRow:
    calls = [{"id": one, "name": "look", "arguments": "{}"} for one in ids]
    return replace(turn("assistant", ""), tool_calls_json=json.dumps(calls))


def result(call: str, text: str) -> MessageRow:
    return replace(turn("tool", text), tool_call_id=call)


def test_tool_calls_are_sent_back_once_each_has_its_result() -> None:
    asked, calls = turn("user", "Look"), calling("a", "b")
    half = [asked, calls, result("a", "1")]
    assert [call.id for call in unanswered(half)] == ["b"]
    assert history(half) == (Message("user", "Look"),)
    whole = [*half, result("b", "2")]
    assert unanswered(whole) == ()
    assert history(whole) == (
        Message("user", "Look"),
        Message("assistant", "", tool_calls=(ToolCall("a", "look", "{}"), ToolCall("b", "look", "{}"))),
        Message("tool", "1", tool_call_id="a"),
        Message("tool", "2", tool_call_id="b"),
    )
