"""What the readers of all dialects have in common: their fields, and what they say of an answer that is none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from adapters.errors import Origin, ProviderError, ServerError, UnexpectedResponseError, error_from_body
from adapters.events import Event, FinishReason, TextDelta, ThinkingDelta
from adapters.speed import Speed
from adapters.text import Joiner
from catalog.plaintext import one_line
from catalog.usage import Usage


class Reading:
    """One answer as far as it was read. A dialect adds `frame` and `whole` of adapters.http_stream.Reader, and `_chunk`.

    Its fields are plain attributes: `frame` runs for every piece of text.
    """

    FORM: ClassVar[str] = "without content"
    """What is wrong with a document that is no answer: `sent an answer …`."""
    CHECK: ClassVar[str] = "URL and type"
    """What of the provider to look at then."""

    def __init__(self, origin: Origin) -> None:
        self.usage = Usage()
        self.finish_reason: FinishReason | None = None
        self.raw_finish_reason: str | None = None
        self.error: ProviderError | None = None
        self.done = False
        self.ended = False
        self.served_model: str | None = None
        self.served_by: str | None = None
        """Whose machine answered, where the vendor passes requests on and says to whom."""
        self.speed: Speed | None = None
        """How fast the server says it was."""
        self.headers: Mapping[str, str] = {}
        self._origin = origin
        self._text = Joiner()
        self._thinking = Joiner()

    def close(self) -> Sequence[Event]:
        """Halves of characters that were held back."""
        text, thought = self._text.close(), self._thinking.close()
        events: list[Event] = [TextDelta(text)] if text else []
        return [*events, ThinkingDelta(thought)] if thought else events

    def _odd(self, name: str, data: bytes) -> Sequence[Event]:
        """What the fast parser refuses: an end marker, lone surrogates, broken UTF-8, no JSON at all."""
        text = data.decode("utf-8", "replace").strip()
        if not text:
            return ()
        if text == "[DONE]":  # of chat completions; gateways add it to other dialects
            self._marked()
            return ()
        try:
            chunk = json.loads(text)
        except (ValueError, RecursionError):
            if name == "error":
                self._fail(text)
                return ()
            raise UnexpectedResponseError(
                f"{self._origin.slug} sent a broken piece of an answer.",
                hint="Try again.",
                provider=self._origin.slug,
                status=200,
            ) from None
        return self._chunk(name, chunk)

    def _chunk(self, name: str, chunk: object) -> Sequence[Event]:
        """The events of a parsed frame."""
        raise NotImplementedError

    def _marked(self) -> None:
        """The marker `[DONE]` came."""

    def _serve(self, model: object) -> None:
        """Which model the vendor says it asked; its first word counts."""
        if self.served_model is None and isinstance(model, str) and model:
            self.served_model = one_line(model, 200)

    def _fail(self, told: object) -> None:
        """The vendor tells an error in its answer."""
        self.error = error_from_body(self._origin, told, 200, self.headers)
        self.done = True

    def _stopped(self, how: str = "with an error", said: str = "") -> None:
        """The vendor's reason for its end is an error."""
        self.error = ServerError(
            f"{self._origin.slug} stopped {how} ({self.raw_finish_reason})."
            + (f" It says: “{said}”" if said else ""),
            hint="Try again, or use another model.",
            provider=self._origin.slug,
        )
        self.done = True

    def _refused(self, body: object) -> ProviderError:
        """What a document says that is no answer of this dialect."""
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        if tells_why(body):
            return error_from_body(self._origin, body, 200, self.headers)
        return UnexpectedResponseError(
            f"{self._origin.slug} sent an answer {self.FORM}.",
            hint=f"Check the provider's {self.CHECK}.",
            provider=self._origin.slug,
            status=200,
        )


def tells_why(body: object) -> bool:
    """Whether a document says what is wrong: vendors and gateways do under status 200 too."""
    return isinstance(body, dict) and any(body.get(name) for name in ("error", "detail", "message", "errors"))
