"""What an answer shows of an ability: yes, no, or nothing. A vendor's bad moment is never taken for a no."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.errors import (
    BadRequestError,
    ModelUnavailableError,
    ProviderError,
    ServerError,
    UnexpectedResponseError,
)
from catalog.plaintext import one_line
from catalog.redact import redact
from services.probe_picture import COLOURS
from services.probe_questions import TOOL

if TYPE_CHECKING:
    from catalog.errors import SwitchroomError
    from services.run_events import RunResult


@dataclass(frozen=True, slots=True)
class Verdict:
    """`can` None: it could not be told, and nothing is stored."""

    can: bool | None
    detail: str
    """Why, in one line."""
    hint: str | None = None
    """The next step; None where there is none to take."""
    error: SwitchroomError | None = None
    """The error that was in the way; None: an answer came."""


def judged(capability: str, result: RunResult) -> Verdict:
    """What a settled run shows."""
    if result.error is not None:
        return refused(capability, result.error, result.model)
    if result.state != "complete":
        return Verdict(None, "it was stopped")
    if result.finish_reason == "content_filter":
        return Verdict(None, "a content filter stopped the answer")
    said = _spoken(result.text)
    if capability == "reasoning":
        return _reasoning(result, said)
    if capability == "tools" and result.tool_calls:
        return _called(result)
    if said.answer and not said.open:
        return _ANSWERS[capability](said.answer, _cut(result))
    return _silent(result)


def refused(capability: str, error: SwitchroomError, ref: str = "") -> Verdict:
    """An error is a no only where the vendor says that it is this ability that it does not have."""
    if isinstance(error, _MAY_REFUSE) and isinstance(error, ProviderError) and error.said is not None:
        told = f"{error.said.message} {error.said.param or ''} {' '.join(error.said.codes)}"
        model_id = ref.partition("/")[2]
        if model_id:  # `…-vision does not exist` names no ability
            told = re.sub(rf"(?<![\w-]){re.escape(model_id)}(?![\w-])", "", told)
        if _NAMED[capability].search(told) and _REFUSES.search(told):
            return Verdict(False, _quoted("the server refuses", error.said.message))
    return Verdict(None, one_line(redact(error.message), 200), error.hint, error)


_MAY_REFUSE = (BadRequestError, ServerError, UnexpectedResponseError, ModelUnavailableError)
_NAMED = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "tools": r"\btools?\b|tool[_ -]?(?:use|call|choice)|function",
        "vision": r"image|vision|visual|multi-?modal|modalit|mmproj|content\b.{0,40}\bstring|messages?\b.{0,40}\bcontent",
        "json": r"response_?format|json|structured|schema|grammar",
        "reasoning": r"reason|think",
    }.items()
}
_REFUSES = re.compile(
    r"not support|unsupported|not available|unavailable|not (?:currently )?(?:allowed|enabled|permitted|possible)"
    r"|does(?:n't| not)|do not|cannot|can't|only supported|no endpoints|requires?\b|unknown|unrecogni[sz]ed|invalid"
    r"|unexpected|must be a string|valid string|is not a|extra (?:inputs?|fields?)|expected",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Said:
    answer: str
    thought: str = ""
    open: bool = False
    """The thinking never ended."""


_OPENS = re.compile(r"\s*<(think|thinking|reasoning)>")
_CLOSES = re.compile(r"</(?:think|thinking|reasoning)>")


def _spoken(text: str) -> _Said:
    """The answer without thinking that was written into it."""
    begun = _OPENS.match(text)
    inner = text[begun.end() :] if begun else text
    closed = _CLOSES.search(inner)
    if closed is None:
        return _Said("", inner.strip(), open=True) if begun else _Said(text.strip())
    return _Said(inner[closed.end() :].strip(), inner[: closed.start()].strip())


def _cut(result: RunResult) -> bool:
    return result.finish_reason in ("length", "budget")


def _silent(result: RunResult) -> Verdict:
    """Nothing was answered: that shows nothing."""
    if _cut(result):
        left = " It was shortened by a limit." if result.note else ""
        return Verdict(
            None, f"it was cut off before it answered.{left}", "Ask again later, or say it yourself."
        )
    return Verdict(None, "it answered nothing", "Ask again.")


def _reasoning(result: RunResult, said: _Said) -> Verdict:
    tokens = result.usage.reasoning
    if tokens:
        return Verdict(True, f"{tokens:,} reasoning tokens reported")
    if (result.thinking or "").strip() or said.thought:
        return Verdict(True, "it showed its thinking")
    if not said.answer and not result.tool_calls:
        return _silent(result)
    return Verdict(False, "it answered without thinking")


def _called(result: RunResult) -> Verdict:
    for call in result.tool_calls:
        arguments = _parsed(call.arguments)
        city = arguments.get("city") if isinstance(arguments, dict) and len(arguments) == 1 else None
        if call.name == TOOL.name and isinstance(city, str) and city.strip():
            return Verdict(True, f"it called {TOOL.name} for {one_line(city, 40)}")
    if _cut(result):
        return _silent(result)
    call = result.tool_calls[0]
    if call.name != TOOL.name:
        return Verdict(False, f"it called {one_line(call.name, 40) or 'something'}, which was not offered")
    return Verdict(False, _quoted("its arguments do not fit", call.arguments))


def _in_words(answer: str, cut: bool) -> Verdict:  # noqa: ARG001  a long speech is no call either
    if TOOL.name in answer:
        return Verdict(False, _quoted("it wrote the call into its answer", answer))
    return Verdict(False, _quoted("it answered in words", answer))


def _seen(answer: str, cut: bool) -> Verdict:
    named = re.findall(rf"\b({'|'.join(COLOURS)})\b", answer.lower())
    wanted = list(COLOURS)
    if any(named[start : start + len(wanted)] == wanted for start in range(len(named))):
        return Verdict(True, "it named the colours in their order")
    if cut:
        return Verdict(None, "it was cut off before it named the colours")
    return Verdict(False, _quoted("it did not see them", answer))


def _matches(answer: str, cut: bool) -> Verdict:
    parsed = _parsed(answer)
    if parsed is None and cut:
        return Verdict(None, "it was cut off")
    if isinstance(parsed, dict):
        letters = parsed.get("letters_in_its_name")
        fits = parsed.keys() == {"planet", "letters_in_its_name"} and isinstance(parsed["planet"], str)
        if fits and isinstance(letters, int) and not isinstance(letters, bool):
            return Verdict(True, "its answer fits the schema")
        return Verdict(False, _quoted("JSON, but not of the schema", answer))
    if "```" in answer:
        return Verdict(False, "JSON in a code block is no JSON answer")
    return Verdict(False, _quoted("the schema was ignored", answer))


_ANSWERS = {"tools": _in_words, "vision": _seen, "json": _matches}


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _quoted(words: str, text: str) -> str:
    said = one_line(redact(text[:400]), 60)
    return f"{words}: “{said}”" if said else words
