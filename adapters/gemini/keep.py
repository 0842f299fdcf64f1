"""What a Gemini answer wants back: its parts in their order, each with the signature that came on it (WIRE section 4)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from adapters.events import Keepsake
from adapters.text import mend

DIALECT = "gemini"
_LARGEST = 4 * 1024 * 1024
"""Characters of an answer's parts that are kept; pictures among them may be many more."""
_TEXT = frozenset(("text", "thought"))


class Kept:
    """The parts of one answer as they come."""

    __slots__ = ("_parts", "_texts", "say", "signed")

    def __init__(self) -> None:
        self._parts: list[Mapping[str, object]] = []
        self._texts: list[str] = []
        """Pieces of unsigned text that came last; they become one part."""
        self.say = self._texts.append
        """Take a piece of the answer's text that has no signature."""
        self.signed = False
        """One of the parts has a signature."""

    def take(self, part: Mapping[str, object]) -> None:
        """One part. Reasoning is only told: without a signature it need not go back."""
        if "thoughtSignature" in part:
            self.signed = True
        elif part.get("thought") is True:
            return
        elif part.keys() <= _TEXT:
            self.say(str(part.get("text", "")))
            return
        self._join()
        self._parts.append(part)

    def keepsake(self, model: str) -> Keepsake | None:
        """None where nothing was signed."""
        if not self.signed:
            return None
        self._join()
        content = mend(json.dumps(self._parts, ensure_ascii=False, separators=(",", ":")))
        return Keepsake(DIALECT, model, content) if len(content) <= _LARGEST else None

    def _join(self) -> None:
        if text := "".join(self._texts):
            self._parts.append({"text": text})
        self._texts.clear()


def parts_of(keepsake: Keepsake | None, model: str) -> list[dict[str, object]] | None:
    """The parts to send back; None where there are none of this dialect and model (`bare`): others do not know them."""
    if keepsake is None or keepsake.dialect != DIALECT or keepsake.model != model:
        return None
    try:
        parts = json.loads(keepsake.content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        return None
    return parts
