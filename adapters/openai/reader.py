"""Chat-completion chunks and whole answers into events, whatever a compatible server leaves out or adds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic_core import from_json

from adapters.counts import money
from adapters.errors import Origin, UnexpectedResponseError
from adapters.events import Event, TextDelta, ThinkingDelta, UsageUpdate
from adapters.finish import failed, finish_reason
from adapters.openai.template import Template
from adapters.openai.think import Mode, ThinkSplitter, closer_first
from adapters.openai.tools import ToolCalls
from adapters.openai.usage import read_usage
from adapters.reading import Reading
from adapters.speed import seconds_speed, timed_speed
from catalog.plaintext import one_line

_REASONING = ("reasoning_content", "reasoning", "reasoning_text")


class ChatReader(Reading):
    """Implements adapters.http_stream.Reader for one answer."""

    FORM = "that is not a chat completion"

    def __init__(self, origin: Origin, *, think: Mode | None = None, hidden_reasoning: bool = False) -> None:
        super().__init__(origin)
        self._hidden = hidden_reasoning
        self._think = ThinkSplitter(think) if think else None
        self._calls = ToolCalls()
        self._template = Template()
        self._begun = False
        """Something of an answer came, even if empty."""
        self._plain = False
        """Text can be passed on as it is: nothing is held back or split."""

    def frame(self, name: str, data: bytes) -> Sequence[Event]:
        """The events of one frame. The first lines are the way of nearly every chunk; the rest is in `_chunk`."""
        if self._plain and not name and (text := self._template.text(data)) is not None:
            return (TextDelta(text),)
        try:
            chunk = from_json(data)
        except ValueError:
            return self._odd(name, data)
        try:
            choice = chunk["choices"][0]
            delta = choice["delta"]
            text = delta["content"]
            if (
                text.__class__ is str
                and text
                and (len(delta) == 1 or (len(delta) == 2 and "role" in delta))
                and choice.get("finish_reason") is None
                and self._plain
                and not name
                and chunk.get("usage") is None
                and "error" not in chunk
                and "x_groq" not in chunk
            ):
                self._template.learn(data, text)
                return (TextDelta(text),)
        except (KeyError, IndexError, TypeError):
            pass
        return self._chunk(name, chunk)

    def whole(self, body: object) -> Sequence[Event]:
        """An answer that came as one document, or the error it holds."""
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        if not isinstance(body, dict) or body.get("error") or not (body.get("choices") or body.get("usage")):
            raise self._refused(body)
        if self._think is not None:
            self._think = ThinkSplitter("implied" if closer_first(json.dumps(body)) else "on")
        events = list(self._chunk("", body))
        if self.error is not None:
            raise self.error
        events += self.close()
        cost = money(self.headers.get("x-litellm-response-cost"))
        if cost and self.usage.reported_cost is None:
            self.usage = replace(self.usage, reported_cost=cost)
            events.append(UsageUpdate(self.usage))
        self._end()
        if not self.ended:
            raise UnexpectedResponseError(
                f"{self._origin.slug} sent an answer without content.", provider=self._origin.slug, status=200
            )
        return events

    def close(self) -> Sequence[Event]:
        """Halves and tags that were held back."""
        events: list[Event] = []
        self._say(self._text.close(), events)
        if self._think is not None:
            self._parts(self._think.close(), events)
        rest = self._thinking.close()
        return [*events, ThinkingDelta(rest)] if rest else events

    def _marked(self) -> None:
        self.done = True
        self._end()

    def _chunk(self, name: str, chunk: object) -> Sequence[Event]:
        if not isinstance(chunk, dict):
            if name == "error":
                self._fail(chunk)
            return ()
        events: list[Event] = []
        self._serve(chunk.get("model"))
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict):
            self._begun = True
            self._choice(choice, events)
        self._count(chunk, choice, events)
        self._errors(name, chunk, choice)
        self._plain = self._think is None and not self._text.held
        return events

    def _choice(self, choice: dict[str, object], events: list[Event]) -> None:
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            delta = choice.get("message")
        if isinstance(delta, dict):
            self._delta(delta, events)
        elif isinstance(choice.get("text"), str):
            self._say(self._text.feed(str(choice["text"])), events)
        finish = choice.get("finish_reason")
        if isinstance(finish, str):
            self.raw_finish_reason = one_line(finish, 60)
            self.ended = self.ended or bool(finish)

    def _delta(self, delta: dict[str, object], events: list[Event]) -> None:
        content = delta.get("content")
        thoughts = _reasoning(delta)
        if isinstance(content, list):
            listed, text = _listed(content)
            thoughts = thoughts or listed
        else:
            text = content if isinstance(content, str) else ""
        thoughts = self._thinking.feed(thoughts) if thoughts else ""
        if thoughts:
            events.append(ThinkingDelta(thoughts))
            if self._think is not None:  # the wire tells reasoning apart itself: leave the answer alone
                self._parts(self._think.close(), events)
                self._think = None
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            text += refusal
        if text:
            self._say(self._text.feed(text), events)
        events += self._calls.read(delta)

    def _say(self, text: str, events: list[Event]) -> None:
        if not text:
            return
        if self._think is None:
            events.append(TextDelta(text))
        else:
            self._parts(self._think.feed(text), events)

    @staticmethod
    def _parts(parts: list[tuple[bool, str]], events: list[Event]) -> None:
        events += [ThinkingDelta(text) if inside else TextDelta(text) for inside, text in parts]

    def _count(self, chunk: dict[str, object], choice: object, events: list[Event]) -> None:
        groq = chunk.get("x_groq")
        places = [chunk.get("usage"), groq.get("usage") if isinstance(groq, dict) else None]
        if isinstance(choice, dict):
            places.append(choice.get("usage"))
        for place in places:
            usage = read_usage(place, hidden_reasoning=self._hidden)
            if usage is not None:
                self.usage = self.usage.updated(usage)
                events.append(UsageUpdate(self.usage))
                break
        else:
            place = None
        self._time(chunk.get("timings"), chunk.get("time_info") or place)

    def _time(self, timings: object, times: object) -> None:
        """How long the server says it took: llama.cpp apart, Groq within the usage, Cerebras beside it."""
        if isinstance(timings, dict):
            self.speed = timed_speed(timings) or self.speed
        elif isinstance(times, dict):
            self.speed = seconds_speed(times, (self.usage.input, self.usage.output)) or self.speed

    def _errors(self, name: str, chunk: dict[str, object], choice: object) -> None:
        groq = chunk.get("x_groq")
        told = chunk.get("error") or (groq.get("error") if isinstance(groq, dict) else None)
        if not told and failed(self.raw_finish_reason) and isinstance(choice, dict):
            told = choice.get("error")
        if told:
            self._fail({"error": told})
        elif name == "error" or ("choices" not in chunk and chunk.get("object") == "error"):
            self._fail(chunk)
        elif failed(self.raw_finish_reason):
            self._stopped()
        elif self.ended:
            self._end()

    def _end(self) -> None:
        """The vendor is done: find our word for why."""
        if not (self._begun or self.ended):
            return
        self.ended = True
        self.finish_reason = finish_reason(self.raw_finish_reason, tools=self._calls.seen)


def _reasoning(delta: Mapping[str, object]) -> str:
    """The first reasoning field that says something."""
    for key in _REASONING:
        value = delta.get(key)
        if isinstance(value, str) and value:
            return value
    return ""


def _listed(parts: list[object]) -> tuple[str, str]:
    """(thinking, text) of content that is a list of parts (Mistral)."""
    thoughts: list[str] = []
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            inner = part.get("thinking")
            if isinstance(inner, list):
                thoughts += [
                    str(p["text"]) for p in inner if isinstance(p, dict) and isinstance(p.get("text"), str)
                ]
            elif isinstance(inner, str):
                thoughts.append(inner)
            elif isinstance(part.get("text"), str) and part.get("type", "text") in ("text", "output_text"):
                texts.append(str(part["text"]))
    return "".join(thoughts), "".join(texts)
