"""The blocks of an answer as they grow, so that they can be sent back in their order and unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping

from adapters.events import Keepsake

_PIECES = {"text": "text", "thinking": "thinking"}
"""Kind of block → the field that its pieces make."""
_KINDS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking", "input_json_delta": "tool_use"}  # fmt: skip
_MOST_BLOCKS = 10_000
"""An answer with more is no answer: what comes beyond goes to the last one."""


class Block:
    """One block: what it began with, and the pieces that came since."""

    __slots__ = ("call", "kind", "pieces", "raw", "said")

    def __init__(self, raw: dict[str, object], call: int | None) -> None:
        self.raw = raw
        self.kind = str(raw.get("type"))
        self.said = self.kind == "text"
        self.call = call
        """Its number among the calls of our tools; None for all other blocks."""
        self.pieces: list[str] = []

    def add(self, delta: Mapping[str, object]) -> None:
        """What a delta of any other kind says: texts are appended, a citation joins the list, the rest replaces."""
        for name, value in delta.items():
            if name == "type":
                continue
            if name == "citation":
                listed = self.raw.get("citations")
                self.raw["citations"] = [*(listed if isinstance(listed, list) else []), value]
            elif isinstance(value, str) and isinstance(self.raw.get(name), str):
                self.raw[name] = f"{self.raw[name]}{value}"
            else:
                self.raw[name] = value

    def whole_input(self) -> str | None:
        """The arguments of a call that came with its first event; None where they come in pieces or there are none."""
        given = self.raw.get("input")
        if self.pieces or not given:
            return None
        return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)

    def sent_back(self) -> dict[str, object]:
        """The block as a whole."""
        text = "".join(self.pieces)
        if self.kind in _PIECES:
            return {**self.raw, _PIECES[self.kind]: text}
        if text:
            return {**self.raw, "input": _object(text)}
        return (
            {**self.raw, "input": {}} if self.kind == "tool_use" and not self.raw.get("input") else self.raw
        )


class Blocks:
    """The blocks of one answer, with those of the legs before it."""

    def __init__(self, before: Blocks | None = None) -> None:
        self.open: dict[object, Block] = {}
        """By the index of the wire; several may be open at once."""
        self.calls: int = before.calls if before is not None else 0
        self.all: list[Block] = list(before.all) if before is not None else []
        """In the order in which they began."""

    def start(self, index: object, given: Mapping[str, object]) -> Block:
        """A block begins."""
        call = None
        if given.get("type") == "tool_use":
            call, self.calls = self.calls, self.calls + 1
        block = Block(dict(given), call)
        if len(self.all) < _MOST_BLOCKS:
            self.all.append(block)
        self.open[index if isinstance(index, int) else len(self.all) - 1] = block
        return block

    def at(self, index: object, delta: str) -> Block:
        """The block that a delta is for; one begins where the server said nothing of it."""
        block = self.open.get(index if isinstance(index, int) else len(self.all) - 1)
        return block if block is not None else self.start(index, {"type": _KINDS.get(delta, "text")})

    def close(self, index: object) -> Block | None:
        """A block is complete; None for one that nobody began."""
        return self.open.pop(index if isinstance(index, int) else len(self.all) - 1, None)

    def content(self) -> list[dict[str, object]]:
        """All of them, to be sent back."""
        return [block.sent_back() for block in self.all]

    def keepsake(self, model: str) -> Keepsake | None:
        """What has to go back; None where text and calls say all there is."""
        if all(block.kind in ("text", "tool_use") and not block.raw.get("citations") for block in self.all):
            return None
        try:
            return Keepsake("anthropic", model, json.dumps({"content": self.content()}))
        except (ValueError, RecursionError):  # nested beyond what can be written
            return None


def _object(text: str) -> object:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
