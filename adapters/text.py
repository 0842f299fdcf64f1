"""Unicode that a wire cut in half: surrogate pairs put together, halves without a partner replaced."""

from __future__ import annotations


class Joiner:
    """Joins text pieces whose emoji may be split into two JSON escapes, one in each piece."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = ""

    def feed(self, text: str) -> str:
        """The text that is whole; a high surrogate at the end waits for its partner."""
        text = self.held + text
        self.held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self.held = text[-1]
            text = text[:-1]
        return mend(text)

    def close(self) -> str:
        """A half that found no partner, as the replacement character."""
        rest, self.held = self.held, ""
        return "\ufffd" if rest else ""


def mend(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates replaced; most texts pass as they are."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
