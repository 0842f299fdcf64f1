"""Events of the Responses form, and its whole answers, into ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic_core import from_json

from adapters.errors import Origin
from adapters.events import (
    Event,
    Keepsake,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageUpdate,
)
from adapters.finish import finish_reason
from adapters.openai.responses import DIALECT
from adapters.openai.usage import read_usage
from adapters.reading import Reading
from adapters.text import mend
from catalog.plaintext import one_line

_TEXT = ("response.output_text.delta", "response.refusal.delta")
_THOUGHTS = ("response.reasoning_text.delta", "response.reasoning_summary_text.delta")
_ENDS = ("response.completed", "response.failed", "response.incomplete")
_USUAL = b'{"type":"response.output_text.delta"'
_DELTA = b'"delta":"'
_PARAGRAPH = "\n\n"
_MOST_KEPT = 4 * 1024 * 1024
"""Bytes of output that are given back with the next turn."""


@dataclass(slots=True)
class _Call:
    index: int
    call_id: str
    written: bool = False
    """Some of its arguments came."""


class ResponsesReader(Reading):
    """Implements adapters.http_stream.Reader for one answer."""

    FORM = "that is not of the Responses form"
    CHECK = "URL, type and option api"

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self._calls: dict[str, _Call] = {}
        """By item id; by call id where a server names no item."""
        self._said = False
        """Some of the answer's text came in deltas."""
        self._told: set[str] = set()
        """The kinds of items of which something was told, in deltas or whole."""
        self._thought: str | None = None
        """The kind of reasoning that is shown: a summary and the reasoning itself would be the same thing twice."""
        self._summary: object = None

    def frame(self, name: str, data: bytes) -> Sequence[Event]:
        """The events of one frame. The usual piece of text takes the short way past the JSON parser."""
        if self._said and not self._text.held and (quick := _usual_text(data)):
            return (TextDelta(quick),)
        try:
            event = from_json(data)
        except ValueError:
            return self._odd(name, data)
        if not isinstance(event, dict):
            return ()
        if event.get("type") == _TEXT[0] and isinstance(text := event.get("delta"), str):
            return self._say(text)
        return self._event(str(event.get("type") or name), event)

    def whole(self, body: object) -> Sequence[Event]:
        """An answer that came as one document, or the error it holds."""
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        if not isinstance(body, dict) or not isinstance(body.get("output"), list):
            raise self._refused(body)
        events = list(self._end(body))
        if self.error is not None:
            raise self.error
        return [*events, *self.close()]

    def _chunk(self, name: str, chunk: object) -> Sequence[Event]:
        return self._event(str(chunk.get("type") or name), chunk) if isinstance(chunk, dict) else ()

    def _event(self, kind: str, event: Mapping[str, object]) -> Sequence[Event]:
        if kind in _TEXT:
            return self._say(_string(event.get("delta")))
        if kind in _THOUGHTS:
            return self._think(kind, event.get("summary_index"), _string(event.get("delta")))
        if kind.startswith("response.function_call_arguments."):
            return self._arguments(kind, event)
        if kind in ("response.output_item.added", "response.output_item.done"):
            return self._item(event.get("item"), whole=kind.endswith("done"))
        answer = event.get("response")
        if kind in _ENDS and isinstance(answer, dict):
            return self._end(answer)
        if kind == "error" or (event.get("error") and "response" not in event):
            told = event.get("error") or {name: event.get(name) for name in ("code", "message", "param")}
            self._fail({"error": told})
        elif isinstance(answer, dict):
            self._serve(answer.get("model"))
        return ()

    def _say(self, text: str) -> Sequence[Event]:
        self._said = True
        self._told.add("message")
        text = self._text.feed(text)
        return (TextDelta(text),) if text else ()

    def _think(self, kind: str, part: object, text: str) -> Sequence[Event]:
        self._thought = self._thought or kind
        self._told.add("reasoning")
        if kind != self._thought:
            return ()
        if self._summary is not None and part is not None and part != self._summary:
            text = _PARAGRAPH + text
        self._summary = part if part is not None else self._summary
        text = self._thinking.feed(text)
        return (ThinkingDelta(text),) if text else ()

    def _arguments(self, kind: str, event: Mapping[str, object]) -> Sequence[Event]:
        call = self._calls.get(_string(event.get("item_id")))
        if call is None:
            if len(self._calls) != 1 or "item_id" in event:
                return ()
            call = next(iter(self._calls.values()))  # a server that has one call and names it once
        text = _string(event.get("delta" if kind.endswith("delta") else "arguments"))
        if kind.endswith("done") and call.written:
            return ()
        call.written = call.written or bool(text)
        return (ToolCallDelta(call.index, arguments=mend(text)),) if text else ()

    def _item(self, item: object, *, whole: bool) -> Sequence[Event]:
        if not isinstance(item, dict):
            return ()
        kind = _string(item.get("type"))
        if kind == "reasoning" and whole and self._thought is None:
            return self._reasoning(item)
        if kind == "message" and whole and not self._said:
            self._told.add(kind)
            text = self._text.feed("".join(_texts(item.get("content"))))
            return (TextDelta(text),) if text else ()
        if kind != "function_call":
            return ()
        self._told.add(kind)
        call_id = one_line(_string(item.get("call_id")), 256)
        key = _string(item.get("id")) or call_id
        text = _string(item.get("arguments"))
        call = self._known(item)
        if call is not None:
            if call.written or not text:
                return ()
            call.written = True
            return (ToolCallDelta(call.index, arguments=mend(text)),)
        call = self._calls[key] = _Call(len(self._calls), call_id, bool(text))
        name = one_line(_string(item.get("name")), 256)
        return (ToolCallDelta(call.index, call_id or None, name or None, mend(text)),)

    def _known(self, item: Mapping[str, object]) -> _Call | None:
        """The call that this item is, by its own id or by that of the call."""
        found = self._calls.get(_string(item.get("id")))
        call_id = one_line(_string(item.get("call_id")), 256)
        if found is None and call_id:
            found = next((call for call in self._calls.values() if call.call_id == call_id), None)
        return found

    def _reasoning(self, item: Mapping[str, object]) -> Sequence[Event]:
        """Reasoning that came in one piece: its summary, else itself."""
        parts = [_texts(item.get("summary")), _texts(item.get("content"))]
        text = _PARAGRAPH.join(next((found for found in parts if found), ()))
        if not text:
            return ()
        if self._summary is not None:
            text = _PARAGRAPH + text
        self._summary = "whole"
        self._told.add("reasoning")
        return (ThinkingDelta(mend(text)),)

    def _end(self, answer: Mapping[str, object]) -> Sequence[Event]:
        """The last event's response holds all of it: what came in deltas is not said again."""
        self._serve(answer.get("model"))
        events: list[Event] = []
        output = answer.get("output")
        items = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
        told = frozenset(self._told)
        for item in items:  # vLLM's calls have other ids here than those they came with
            if _string(item.get("type")) not in told or self._known(item) is not None:
                events += self._item(item, whole=True)
        usage = read_usage(answer.get("usage"))
        if usage is not None:
            self.usage = self.usage.updated(usage)
            events.append(UsageUpdate(self.usage))
        self.done = True
        failure, status = answer.get("error"), answer.get("status")
        if failure or status == "failed":
            self._fail({"error": failure or {"message": "", "code": "server_error"}})
            return events
        self._reason(answer)
        if self.error is None and (kept := self._keepsake(items)) is not None:
            events.append(kept)
        return events

    def _reason(self, answer: Mapping[str, object]) -> None:
        details = answer.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        raw = _string(reason) or _string(answer.get("status")) or "completed"
        self.raw_finish_reason = one_line(raw, 60)
        self.ended = True
        self.finish_reason = finish_reason(raw, tools=bool(self._calls))
        if self.finish_reason == "error":
            self._stopped()

    def _keepsake(self, items: list[dict[str, object]]) -> Keepsake | None:
        """The output as it came, where there is sealed reasoning in it."""
        if not any(item.get("type") == "reasoning" and item.get("encrypted_content") for item in items):
            return None
        content = mend(json.dumps(items, ensure_ascii=False))
        if len(content) > _MOST_KEPT:
            return None
        return Keepsake(DIALECT, self._origin.model or "", content)


def _usual_text(data: bytes) -> str | None:
    """The text of the most usual event; None when the parser has to look.

    A `"delta":"` that is there once is its field: inside a string its quotes would be escaped.
    """
    if not data.startswith(_USUAL) or not data.endswith(b"}"):
        return None
    start = data.find(_DELTA) + len(_DELTA)
    stop = data.find(b'"', start)
    between = data[start:stop]
    if start < len(_USUAL) or stop < 0 or b"\\" in between or data.find(_DELTA, start) >= 0:
        return None
    try:
        text = between.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(parts: object) -> list[str]:
    """The texts of a list of parts; a refusal counts as one."""
    if not isinstance(parts, list):
        return []
    found = [part.get("text") or part.get("refusal") for part in parts if isinstance(part, dict)]
    return [text for text in found if isinstance(text, str) and text]
