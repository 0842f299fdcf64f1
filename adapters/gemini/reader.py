"""Gemini's chunks and whole answers into events: text, thoughts, whole calls, verdicts of the filter, cumulative usage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from secrets import token_hex

from pydantic_core import from_json

from adapters.errors import Origin
from adapters.errors.mapping import excerpt
from adapters.events import Event, TextDelta, ThinkingDelta, ToolCallDelta, UsageUpdate
from adapters.finish import finish_reason
from adapters.gemini.endpoint import bare
from adapters.gemini.keep import Kept
from adapters.gemini.template import Template
from adapters.gemini.usage import read_usage
from adapters.reading import Reading
from adapters.text import mend
from catalog.plaintext import one_line
from catalog.usage import Usage

OWN_ID = "switchroom-"
"""How the ids begin that calls without one get; they are not sent to the vendor."""


class GeminiReader(Reading):
    """Implements adapters.http_stream.Reader for one answer.

    There is no terminal marker: a finish reason and then the end of the body is a complete answer.
    """

    def __init__(self, origin: Origin) -> None:
        self._usage = Usage()
        self._counted: bytes | None = None
        """The latest usual chunk, whose count is not in `_usage` yet: nearly every chunk counts, few ask."""
        super().__init__(origin)
        self._told = Usage()
        """The usage of the last event about it."""
        self._template = Template()
        self._plain = False
        """Text can be passed on as it is: something came before it, and nothing is held back."""
        self._kept = Kept()
        self._calls = 0
        self._closed = False

    @property
    def usage(self) -> Usage:
        if self._counted is not None:
            data, self._counted = self._counted, None
            with suppress(ValueError):  # only digits were not looked at, and they may be missing
                self._usage = self._usage.updated(read_usage(from_json(data).get("usageMetadata")))
        return self._usage

    @usage.setter
    def usage(self, usage: Usage) -> None:
        self._usage = usage

    def frame(self, name: str, data: bytes) -> Sequence[Event]:
        """The events of one chunk. The first lines are the way of nearly every chunk; the rest is in `_chunk`."""
        if self._plain and (text := self._template.text(data)) is not None:
            self._counted = data
            self._kept.say(text)
            return (TextDelta(text),)
        try:
            chunk = from_json(data)
        except ValueError:
            return self._odd(name, data)
        try:
            [candidate] = chunk["candidates"]
            [part] = candidate["content"]["parts"]
            text = part["text"]
            if (
                len(part) == 1
                and text.__class__ is str
                and text
                and "finishReason" not in candidate
                and "error" not in chunk
                and self._plain
                and (self.served_model is not None or "modelVersion" not in chunk)
            ):
                self._template.learn(data, text)
                self._counted = data
                self._kept.say(text)
                return (TextDelta(text),)
        except (KeyError, IndexError, TypeError, ValueError):
            pass
        return self._chunk("", chunk)

    def whole(self, body: object) -> Sequence[Event]:
        """An answer that came as one document, or as a list of chunks, or the error it holds."""
        chunks = body if isinstance(body, list) else [body]
        events: list[Event] = []
        for chunk in chunks:
            events += self._chunk("", chunk)
            if self.error is not None:
                raise self.error
        if not self.ended:
            if not events:
                raise self._refused(body)
            self._end(None)
        events += self.close()
        return events

    def close(self) -> Sequence[Event]:
        """Halves of characters that were held back, the last count, and what goes back with the next turn."""
        if self._closed:
            return ()
        self._closed = True
        events = list(super().close())
        self._count(events)
        if self.ended and self.error is None:
            kept = self._kept.keepsake(bare(self._origin.model or ""))
            if kept is not None:
                events.append(kept)
        return events

    def _chunk(self, name: str, chunk: object) -> Sequence[Event]:
        if isinstance(chunk, list):
            return [
                event for one in chunk[:1000] if isinstance(one, dict) for event in self._chunk(name, one)
            ]
        if not isinstance(chunk, dict) or self.done:
            return ()
        if chunk.get("error"):
            self._fail(chunk)
            return ()
        events: list[Event] = []
        model = chunk.get("modelVersion")
        if self.served_model is None and isinstance(model, str) and model:
            self.served_model = bare(one_line(model, 200)) or None
        candidates = chunk.get("candidates")
        candidate = candidates[0] if isinstance(candidates, list) and candidates else None
        if isinstance(candidate, dict):
            content = candidate.get("content")
            parts = content.get("parts") if isinstance(content, dict) else None
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict):
                    self._part(part, events)
        if (
            isinstance(candidate, dict)
            and isinstance(finish := candidate.get("finishReason"), str)
            and finish
        ):
            self._finished(finish, candidate.get("finishMessage"))
        elif candidate is None:
            self._blocked(chunk.get("promptFeedback"))
        if isinstance(chunk.get("usageMetadata"), dict):
            self.usage = self.usage.updated(read_usage(chunk["usageMetadata"], ended=self.ended))
            self._count(events)
        self._plain = not self._text.held and not self.ended
        return events

    def _count(self, events: list[Event]) -> None:
        if self.usage != self._told:
            self._told = self.usage
            events.append(UsageUpdate(self._told))

    def _part(self, part: dict[str, object], events: list[Event]) -> None:
        self._kept.take(part)
        text, call = part.get("text"), part.get("functionCall")
        if isinstance(text, str) and text:
            if part.get("thought") is True:
                if told := self._thinking.feed(text):
                    events.append(ThinkingDelta(told))
            elif told := self._text.feed(text):
                events.append(TextDelta(told))
        if isinstance(call, dict):
            name, given, args = call.get("name"), call.get("id"), call.get("args")
            arguments = json.dumps(args, ensure_ascii=False) if isinstance(args, (dict, list)) else "{}"
            events.append(
                ToolCallDelta(
                    self._calls,
                    one_line(given, 256) if isinstance(given, str) and given else OWN_ID + token_hex(6),
                    one_line(name, 256) if isinstance(name, str) else "",
                    mend(arguments),
                )
            )
            self._calls += 1

    def _blocked(self, feedback: object) -> None:
        """A prompt that the filter refused has no candidates, only the verdict."""
        reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if isinstance(reason, str) and reason and not self.ended:
            self.raw_finish_reason = one_line(reason, 60)
            self.finish_reason = "content_filter"
            self.ended = True

    def _finished(self, word: str, message: object) -> None:
        self.raw_finish_reason = one_line(word, 60)
        self._end(self.raw_finish_reason)
        if self.finish_reason == "error":
            self._stopped(said=excerpt(message) if isinstance(message, str) else "")

    def _end(self, word: str | None) -> None:
        self.ended = True
        self.finish_reason = finish_reason(word, tools=self._calls > 0)
