"""Text from a wire, made harmless for a terminal: what could steer it becomes a visible character."""

from __future__ import annotations

import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group(0))
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if code in (0x2028, 0x2029):
        return "\n"
    return "\ufffd" if code < 0xA0 or 0xD800 <= code <= 0xDFFF else ""


def harmless(text: str) -> str:
    """Several lines of text with newlines and tabs kept and every control sequence made visible.

    ESC becomes `␛`, so `ESC[31m` is read as text. Bidirectional overrides and tag characters, which can make
    a line read as something else, are dropped. Lone surrogates become the replacement character.
    """
    return _STEERING.sub(_visible, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 200) -> str:
    """A name, id or message on one line, harmless, at most `limit` characters."""
    line = " ".join(harmless(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
