"""Chat-completion chunks as OpenRouter adds to them: who answered, and reasoning in parts that it wants back."""

from __future__ import annotations

import json
from collections.abc import Sequence

from adapters.errors import Origin
from adapters.events import Event, Keepsake
from adapters.openai.reader import ChatReader
from adapters.openrouter.request import DIALECT
from catalog.plaintext import one_line

_JOINED = ("text", "summary")
"""Fields of a part that come in pieces. Encrypted data comes whole."""
_MOST = 4 * 1024 * 1024
"""Characters that are kept of one answer: more is no reasoning."""


class OpenRouterReader(ChatReader):
    """Implements adapters.http_stream.Reader for one answer."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self._details: list[tuple[dict[str, object], dict[str, list[str]]]] = []
        """(the part, the pieces of its texts), in order."""
        self._size = 0

    def close(self) -> Sequence[Event]:
        events = list(super().close())
        if self._details and self.ended and self.error is None and self._size <= _MOST:
            content = json.dumps(self._kept(), ensure_ascii=False)
            events.append(Keepsake(DIALECT, self._origin.model or "", content))
        return events

    def _chunk(self, name: str, chunk: object) -> Sequence[Event]:
        if self.served_by is None and isinstance(chunk, dict) and isinstance(chunk.get("provider"), str):
            self.served_by = one_line(chunk["provider"], 80) or None
        return super()._chunk(name, chunk)

    def _delta(self, delta: dict[str, object], events: list[Event]) -> None:
        details = delta.get("reasoning_details")
        if isinstance(details, list) and details:
            parts = [part for part in details if isinstance(part, dict)]
            self._keep(parts)
            if not delta.get("reasoning"):
                said = "".join(
                    str(part[k]) for part in parts for k in _JOINED if isinstance(part.get(k), str)
                )
                delta = {**delta, "reasoning": said}
        super()._delta(delta, events)

    def _keep(self, parts: list[dict[str, object]]) -> None:
        """Pieces of one part are put together again; what is said late (a signature) joins its part."""
        for part in parts:
            self._size += sum(len(value) for value in part.values() if isinstance(value, str))
            if self._size > _MOST:
                self._details.clear()
                return
            if not self._details or not _same(self._details[-1][0], part):
                self._details.append(({}, {}))
            whole, pieces = self._details[-1]
            for name, value in part.items():
                if name in _JOINED and isinstance(value, str):
                    pieces.setdefault(name, []).append(value)
                if value is not None or name not in whole:
                    whole[name] = value

    def _kept(self) -> list[dict[str, object]]:
        return [
            {**whole, **{name: "".join(texts) for name, texts in pieces.items()}}
            for whole, pieces in self._details
        ]


def _same(last: dict[str, object], part: dict[str, object]) -> bool:
    """Whether a piece goes on with the part before it."""
    return (
        "data" not in part
        and last.get("type") == part.get("type")
        and last.get("index") == part.get("index")
        and part.get("id") in (None, last.get("id"))
    )
