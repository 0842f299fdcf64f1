"""Translation and speech recognition: what is sent to the inference router or an endpoint, and how its answer is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx

from adapters.abilities import Task, Translate
from adapters.base import Watchdogs
from adapters.errors import (
    Origin,
    ProviderError,
    ProviderTimeoutError,
    UnexpectedResponseError,
    error_from_answer,
)
from adapters.errors.mapping import request_id
from adapters.events import Event, Finished, FinishReason, StreamState, TextDelta
from adapters.fetch import Fetcher, parse_json
from adapters.http_send import encoded
from catalog.plaintext import one_line
from catalog.usage import Usage

ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read."""
LONGEST_S = 600.0
"""Seconds for a whole task, where the provider's own limits say nothing: models are loaded, recordings are long."""


class TaskStream:
    """Implements adapters.base.Stream for an answer that comes in one piece."""

    def __init__(self, text: str, status: int, asked: str | None, model: str, host: str | None) -> None:
        self.state: StreamState = "open"
        self.finish_reason: FinishReason | None = None
        self.usage = Usage()
        self.error: ProviderError | None = None
        self.status = status
        self.request_id = asked
        self.served_model: str | None = model
        self.served_by = host
        self._text = text
        self._events = self._run()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def _run(self) -> AsyncIterator[Event]:
        if self._text:
            yield TextDelta(self._text)
        self.state, self.finish_reason = "complete", "stop"
        yield Finished("complete", "stop")

    def left(self) -> None:
        """Nobody reads on."""
        if self.state == "open":
            self.state = "cancelled"


async def run(
    fetcher: Fetcher,
    client: httpx.AsyncClient,
    under: str | None,
    base: str,
    slug: str,
    model: str,
    task: Task,
    limits: Watchdogs,
) -> TaskStream:
    """Send a task and read its answer. `under`: where models are; None: `base` is the model. Raises ProviderError."""
    origin = Origin(slug, model)
    url = f"{under}/{quote(model, safe='/')}" if under is not None else base
    body, media_type = _body(task)
    request = client.build_request(
        "POST",
        url,
        content=body,
        headers={"content-type": media_type, "accept": "application/json"},
        timeout=httpx.Timeout(connect=limits.connect, read=None, write=120.0, pool=10.0),
    )
    timeout = limits.total or max(LONGEST_S, limits.first_event or 0)
    status, headers, content = await fetcher.call(client, request, origin, timeout=timeout, limit=ANSWER)
    if status != 200:
        raise _refused(error_from_answer(origin, status, headers, content), origin, content)
    text = read_answer(parse_json(content, slug), task, slug)
    by = headers.get("x-inference-provider")
    return TaskStream(text, status, request_id(headers), model, one_line(by, 60) if by else None)


def _body(task: Task) -> tuple[bytes, str]:
    if not isinstance(task, Translate):
        return task.audio, task.media_type
    sent: dict[str, object] = {"inputs": task.text}
    languages = {
        name: code
        for name, code in (("src_lang", task.source), ("tgt_lang", task.target))
        if code is not None
    }
    if languages:
        sent["parameters"] = languages
    return encoded(sent), "application/json"


def read_answer(answer: object, task: Task, slug: str) -> str:
    """The text: `[{translation_text}]`, `{text}`; endpoints of one's own also say `generated_text`."""
    names = ("translation_text", "generated_text") if isinstance(task, Translate) else ("text",)
    one = answer[0] if isinstance(answer, list) and answer else answer
    if isinstance(one, dict):
        for name in names:
            if isinstance(one.get(name), str):
                return str(one[name])
    what = "a translation" if isinstance(task, Translate) else "a transcript"
    raise UnexpectedResponseError(
        f"{slug} sent an answer that is not {what}.",
        hint="Check that the model does this task.",
        provider=slug,
        status=200,
    )


def _refused(error: ProviderError, origin: Origin, content: bytes) -> ProviderError:
    """A refusal, with the next step where the router's words have one."""
    words = content[:4096].decode("utf-8", "replace").lower()
    if "not supported" in words and "hf-inference" in words:
        error.hint = f"Hugging Face does not run this model itself: choose another, or run an endpoint of your own for it (option tasks=endpoint of {origin.slug})."
    elif isinstance(error, ProviderTimeoutError):
        error.hint = "The model may be loading; try again, or send a shorter recording."
    return error
