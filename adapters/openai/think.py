"""Reasoning that a model writes into its answer between think tags, told apart when the user asks for it."""

from __future__ import annotations

from typing import Literal

_OPEN, _CLOSE = "<think>", "</think>"

Mode = Literal["on", "implied"]
"""`on`: the answer may begin with an opening tag. `implied`: it begins inside, the opener was in the prompt."""


class ThinkSplitter:
    """Pieces of answer in, (is thinking, text) out; a tag may be cut anywhere. Only a leading block counts."""

    def __init__(self, mode: Mode = "on") -> None:
        self._held = ""
        self._where: Literal["before", "inside", "after"] = "inside" if mode == "implied" else "before"
        self._trim = False

    def feed(self, text: str) -> list[tuple[bool, str]]:
        """The parts that are certain."""
        text = self._held + text
        self._held = ""
        parts: list[tuple[bool, str]] = []
        if self._where == "before":
            stripped = text.lstrip()
            if len(stripped) < len(_OPEN) and _OPEN.startswith(stripped):
                self._held = text
                return parts
            self._where = "inside" if stripped.startswith(_OPEN) else "after"
            text = stripped[len(_OPEN) :] if self._where == "inside" else text
        if self._where == "inside":
            thought, closed, text = text.partition(_CLOSE)
            if not closed:
                keep = _tail(thought)
                self._held = thought[len(thought) - keep :] if keep else ""
                thought = thought[: len(thought) - keep] if keep else thought
            if thought:
                parts.append((True, thought))
            if not closed:
                return parts
            self._where, self._trim = "after", True
        if self._trim:
            text = text.lstrip("\n")
            self._trim = not text
        if text:
            parts.append((False, text))
        return parts

    def close(self) -> list[tuple[bool, str]]:
        """What was held back, as it is."""
        rest, self._held = self._held, ""
        return [(self._where == "inside", rest)] if rest else []


def closer_first(text: str) -> bool:
    """True for a finished text whose opener is missing: only the closer shows that it began with thinking."""
    head, closed, _ = text.partition(_CLOSE)
    return bool(closed) and _OPEN not in head


def _tail(text: str) -> int:
    """How many characters at the end may be the beginning of a closing tag."""
    for size in range(min(len(_CLOSE) - 1, len(text)), 0, -1):
        if _CLOSE.startswith(text[-size:]):
            return size
    return 0
