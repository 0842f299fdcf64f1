"""The lines of an Ollama answer as events: text, reasoning, tool calls, counts, and errors that come under status 200."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic_core import from_json

from adapters.counts import count
from adapters.errors import Origin, ProviderError, ServerError, UnexpectedResponseError, error_from_body
from adapters.events import Event, FinishReason, TextDelta, ThinkingDelta, UsageUpdate
from adapters.finish import failed, finish_reason
from adapters.openai.tools import ToolCalls
from adapters.speed import Speed, ollama_speed
from adapters.text import Joiner
from catalog.plaintext import one_line
from catalog.usage import Usage


class OllamaReader:
    """Implements adapters.http_stream.Reader for one answer of /api/chat (and of /api/generate, which has its text
    beside the message)."""

    def __init__(self, origin: Origin) -> None:
        self.usage = Usage()
        self.finish_reason: FinishReason | None = None
        self.raw_finish_reason: str | None = None
        self.error: ProviderError | None = None
        self.done = False
        self.ended = False
        self.served_model: str | None = None
        self.speed: Speed | None = None
        self.headers: Mapping[str, str] = {}
        self._origin = origin
        self._text = Joiner()
        self._thinking = Joiner()
        self._calls = ToolCalls()
        self._plain = False
        """Text can be passed on as it is: nothing is held back."""

    def frame(self, name: str, data: bytes) -> Sequence[Event]:  # noqa: ARG002  lines have no names
        """The events of one line. The first lines are the way of nearly every one; the rest is in `_line`."""
        try:
            line = from_json(data)
        except ValueError:
            return self._odd(data)
        try:
            message = line["message"]
            text = message["content"]
            if (
                self._plain
                and text.__class__ is str
                and text
                and line["done"] is False
                and len(message) == 2
                and "error" not in line
            ):
                return (TextDelta(text),)
        except (KeyError, TypeError):
            pass
        return self._line(line)

    def whole(self, body: object) -> Sequence[Event]:
        """An answer that came as one document, or the error it holds."""
        if not isinstance(body, dict) or not ({"message", "response", "error", "done"} & body.keys()):
            raise UnexpectedResponseError(
                f"{self._origin.slug} sent an answer that is not an Ollama chat.",
                hint="Check the provider's URL and type.",
                provider=self._origin.slug,
                status=200,
            )
        events = list(self._line(body))
        if self.error is not None:
            raise self.error
        events += self.close()
        if not self.ended:
            raise UnexpectedResponseError(
                f"{self._origin.slug} sent an answer that is not finished.",
                provider=self._origin.slug,
                status=200,
            )
        return events

    def close(self) -> Sequence[Event]:
        """Halves of characters that were held back."""
        text, thought = self._text.close(), self._thinking.close()
        events: list[Event] = [TextDelta(text)] if text else []
        return [*events, ThinkingDelta(thought)] if thought else events

    def _odd(self, data: bytes) -> Sequence[Event]:
        """What the fast parser refuses: lone surrogates, broken UTF-8, no JSON at all."""
        try:
            line = json.loads(data.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise UnexpectedResponseError(
                f"{self._origin.slug} sent a broken piece of an answer.",
                hint="Try again.",
                provider=self._origin.slug,
                status=200,
            ) from None
        return self._line(line)

    def _line(self, line: object) -> Sequence[Event]:
        if not isinstance(line, dict):
            return ()
        events: list[Event] = []
        if self.served_model is None and isinstance(line.get("model"), str) and line["model"]:
            self.served_model = one_line(line["model"], 200)
        message = line.get("message")
        if isinstance(message, dict):
            self._say(message.get("thinking"), message.get("content"), events)
            events += self._calls.read({"tool_calls": message.get("tool_calls")})
        else:
            self._say(line.get("thinking"), line.get("response"), events)
        if line.get("error"):
            self.error = error_from_body(self._origin, line, 200, self.headers)
            self.done = True
        elif line.get("done") is True:
            self._end(line, events)
        self._plain = not self._text.held
        return events

    def _say(self, thought: object, text: object, events: list[Event]) -> None:
        if isinstance(thought, str) and thought and (whole := self._thinking.feed(thought)):
            events.append(ThinkingDelta(whole))
        if isinstance(text, str) and text and (whole := self._text.feed(text)):
            events.append(TextDelta(whole))

    def _end(self, line: dict[object, object], events: list[Event]) -> None:
        """The last line: why it stopped, and what it counted. A count that is not there is unknown, not zero."""
        usage = Usage(input=count(line, "prompt_eval_count"), output=count(line, "eval_count"))
        if usage != Usage():
            self.usage = self.usage.updated(usage)
            events.append(UsageUpdate(self.usage))
        self.speed = ollama_speed(line)
        reason = line.get("done_reason")
        self.raw_finish_reason = one_line(reason, 60) if isinstance(reason, str) and reason else None
        self.done = True
        if failed(self.raw_finish_reason):
            self.error = ServerError(
                f"{self._origin.slug} stopped before the answer was complete ({self.raw_finish_reason}).",
                hint="Try again, or use another model.",
                provider=self._origin.slug,
            )
            return
        self.ended = True
        # `load`: nothing was asked, the model was only loaded
        raw = None if self.raw_finish_reason == "load" else self.raw_finish_reason
        self.finish_reason = finish_reason(raw, tools=self._calls.seen)
