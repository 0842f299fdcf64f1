"""The words and figures of the chat: header, estimate, cost line, events and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError, UsageError
from catalog.money import from_nanos
from catalog.plaintext import one_line
from services.tool_loop import checked_choice
from services.tool_sets import found
from services.tool_specs import BadToolsError, Tool, tools_of
from tui import formatting
from tui.widgets.markdown_wrap import Span

if TYPE_CHECKING:
    from services.budgets import Headroom
    from services.estimate import Estimate
    from services.run_events import RunResult
    from store.conversations import ConversationRow, MessageRow

EFFORTS = ("minimal", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Params:
    """What is sent with every prompt of a conversation. None: not sent, the model's default."""

    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    effort: str | None = None
    tools: tuple[Tool, ...] = ()
    """Functions the model may call; empty: none."""
    tools_from: str = ""
    """The set or file they were read from, as it was named."""
    tool_choice: str | None = None

    @classmethod
    def of(cls, row: ConversationRow) -> Params:
        """The parameters stored with a conversation."""
        stored = json.loads(row.params_json or "{}")
        try:
            tools = tools_of(stored["tools"]) if stored.get("tools") else ()
        except BadToolsError:
            tools = ()  # written by a program that knows other tools
        return cls(
            row.system,
            stored.get("temperature"),
            stored.get("max_tokens"),
            stored.get("effort"),
            tools,
            stored.get("tools_from") or "",
            stored.get("tool_choice") if tools else None,
        )

    @property
    def stored(self) -> dict[str, object]:
        """What goes into the conversation's `params_json`."""
        values = {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "effort": self.effort,
            "tools": [tool.stored for tool in self.tools] or None,
            "tools_from": self.tools_from or None,
            "tool_choice": self.tool_choice,
        }
        return {name: value for name, value in values.items() if value is not None}

    @property
    def tool_names(self) -> str:
        """The set or file the functions come from, else the functions by name."""
        return self.tools_from or ", ".join(one_line(tool.name, 40) for tool in self.tools)

    @property
    def words(self) -> str:
        """For the header: `temp 0.7  max 4096`; only what is set."""
        parts = [f"temp {self.temperature:g}"] if self.temperature is not None else []
        parts += [f"max {self.max_tokens}"] if self.max_tokens is not None else []
        parts += [f"effort {self.effort}"] if self.effort else []
        parts += ["system prompt"] if self.system else []
        parts += [formatting.count(len(self.tools), "tool")] if self.tools else []
        return "  ".join(parts)


@dataclass(frozen=True, slots=True)
class Bill:
    """The figures under an answer."""

    ttft_ms: int | None
    duration_ms: int | None
    input: int | None
    output: int | None
    cost: Decimal | None
    grade: str
    served_by: str | None = None

    @classmethod
    def of_result(cls, result: RunResult) -> Bill:
        usage = result.usage
        served = result.attempts[-1].served_by if result.attempts else None
        return cls(
            result.ttft_ms, result.answer_ms, usage.input, usage.output, result.cost, result.grade, served
        )

    @classmethod
    def of_row(cls, row: MessageRow) -> Bill:
        cost = from_nanos(row.cost_nanos) if row.cost_nanos is not None else None
        return cls(row.ttft_ms, row.duration_ms, row.input, row.output, cost, row.grade or "unknown")

    @property
    def words(self) -> str:
        """`TTFT 0.38 s · 62 tok/s · 812 → 340 tok · $0.0054 computed`."""
        parts = []
        if self.ttft_ms is not None:
            parts.append(f"TTFT {formatting.duration(self.ttft_ms)}")
            spent = (self.duration_ms or 0) - self.ttft_ms
            if self.output and spent > 50:
                parts.append(f"{self.output * 1000 / spent:.0f} tok/s")
        if self.input or self.output:
            guessed = "~" if self.grade == "estimated" else ""
            parts.append(f"{guessed}{whole(self.input)} → {guessed}{whole(self.output)} tok")
        parts.append(self._money())
        parts += [f"by {self.served_by}"] if self.served_by else []
        return " · ".join(parts)

    def _money(self) -> str:
        if self.grade == "own":
            return "own hardware"
        if self.cost is None:
            return "cost unknown"
        return f"{formatting.money(self.cost)} {self.grade}"


def whole(count: int | None) -> str:
    """A number of tokens, in groups of three."""
    return formatting.UNKNOWN if count is None else f"{count:,}".replace(",", " ")


def estimate_words(estimate: Estimate | None, headroom: Headroom | None) -> tuple[str, bool]:
    """The prompt's border, and whether it warns: `est. 812 in · $0.002–$0.043 · fits budget`."""
    if estimate is None:
        return "", False
    parts = [f"{'' if estimate.exact else 'est. '}{whole(estimate.input_tokens)} in"]
    if estimate.too_long:
        return f"{parts[0]} · too long: the model reads {whole(estimate.context_window)}", True
    if estimate.own:
        parts.append("own hardware")
        return " · ".join(parts), False
    if estimate.low is None or estimate.high is None:
        limited = headroom is not None and headroom.remaining is not None
        parts.append("price unknown" + (", a limit is set: asks first" if limited else ""))
        return " · ".join(parts), limited
    low, high = formatting.money(estimate.low), formatting.money(estimate.high)
    parts.append(low if low == high else f"{low}–{high}")
    if headroom is None or headroom.remaining is None:
        parts.append("no limit set")
        return " · ".join(parts), False
    if estimate.high <= headroom.remaining:
        parts.append("fits budget")
        return " · ".join(parts), False
    left = formatting.money(headroom.remaining)
    word = "will be shortened to fit" if estimate.low <= headroom.remaining else "over budget"
    parts.append(f"{word}: {left} left")
    return " · ".join(parts), True


_ENDS = {
    "interrupted": ("warn", "◐ interrupted: the connection ended before the answer did"),
    "cancelled": ("dim", "○ stopped"),
    "failed": ("error", "✕ failed"),
    "streaming": ("warn", "◐ not finished: it streams in another terminal, or the program ended"),
}
_REASONS = {
    "length": "◐ cut: the longest allowed answer was reached",
    "content_filter": "◐ cut by the provider's content filter",
    "budget": "◐ cut: the money set aside for it was used up",
}


def end_words(state: str, finish_reason: str | None, *, partial: bool) -> list[Span]:
    """The one line that says how an answer ended; empty when it is simply complete."""
    if state == "complete":
        text = _REASONS.get(finish_reason or "")
        return [(text, "warn"), ("   . continues (esc first)", "hint")] if text else []
    style, text = _ENDS.get(state, ("warn", state))
    keys = "   . continues, r retries (esc first)" if partial else "   r retries (esc first)"
    return [(text, style), (keys, "hint")]


def error_spans(error: SwitchroomError) -> list[Span]:
    """An error in the transcript: title, sentence, next key."""
    spans: list[Span] = [
        (f"✕ {one_line(error.title, 80)}", "error"),
        (f"\n{one_line(error.message, 600)}", "said"),
    ]
    spans.append((f"\n{hint(error)}", "hint"))
    return spans


_MODEL_WAYS = frozenset(
    {"model_unavailable", "context_too_long", "no_credit", "rate_limited", "network", "timeout", "budget"}
)
_PROVIDER_WAYS = frozenset({"invalid_credentials", "permission", "vault_locked"})


_COMMAND = re.compile(r"[^.]*: switchroom (\w+ \w+).*$")
"""The sentence of a hint that ends in a command: here a key does it."""


def hint(error: SwitchroomError) -> str:
    """The next key, after what the error itself says."""
    words = one_line(error.hint or "", 300)
    command = _COMMAND.search(words)
    words = _COMMAND.sub("", words).strip()
    if error.code in _PROVIDER_WAYS:
        signs_in = command is not None and command[1] == "providers login"
        key = f"esc, 2 goes to Providers: K {'signs in' if signs_in else 'sets the key'}"
    elif error.code in _MODEL_WAYS or "Try " in words:
        key = "ctrl+t picks another model, r retries (esc first)"
    else:
        key = "r retries (esc first)"
    return f"{words}  {key}".strip()


_REF = re.compile(r"[a-z0-9][a-z0-9_.-]*/[^\s,]+")


def suggested(error: SwitchroomError) -> list[str]:
    """The model refs an error names as the way on."""
    return [ref.rstrip(".,") for ref in _REF.findall((error.hint or "").partition("Try ")[2])]


def read_params(values: dict[str, str], before: Params, folder: Path) -> Params:
    """The form's values; they have been checked. `folder` holds the sets of tools."""
    tools = _tools(values["tools"], before, folder)
    named = values["tools"].strip() if tools else ""
    return replace(
        before,
        system=values["system"] or None,
        temperature=float(values["temperature"]) if values["temperature"] else None,
        max_tokens=int(values["max_tokens"]) if values["max_tokens"] else None,
        effort=values["effort"] or None,
        tools=tools,
        tools_from=named if named != before.tool_names else before.tools_from,
        tool_choice=checked_choice(values["tool_choice"], tools) if tools else None,
    )


def _tools(text: str, before: Params, folder: Path) -> tuple[Tool, ...]:
    """The functions of the set or file that is named, as it is now; where the line was left and it is gone, as before."""
    if not text.strip():
        return ()
    same = text.strip() == before.tool_names
    if same and not before.tools_from:
        return before.tools
    try:
        return found(folder, text)
    except UsageError:
        if same:
            return before.tools
        raise


def check_tools(text: str, before: Params, folder: Path) -> str | None:
    """What is wrong with a set or file of tools; None when it is good."""
    try:
        _tools(text, before, folder)
    except UsageError as error:
        return f"{error.message} {error.hint or ''}".strip()
    return None


def check_choice(values: Mapping[str, str], before: Params, folder: Path) -> tuple[str, str] | None:
    """The line of the tool choice, and what is wrong with it for the tools that are named; None when it is good."""
    try:
        if tools := _tools(values["tools"], before, folder):
            checked_choice(values["tool_choice"], tools)
    except UsageError as error:
        return "tool_choice", one_line(error.message.removeprefix("The tool choice is ").rstrip("."), 200)
    return None


def check_temperature(text: str) -> str | None:
    """What is wrong with a temperature; None when it is good."""
    try:
        value = float(text) if text.strip() else 1.0
    except ValueError:
        return "a number from 0 to 2"
    return None if 0 <= value <= 2 else "a number from 0 to 2"


def check_max_tokens(text: str) -> str | None:
    """What is wrong with a token limit; None when it is good."""
    from tui.modals.form import is_whole

    return None if not text.strip() or (is_whole(text) and int(text) > 0) else "a whole number of tokens"


def check_effort(text: str) -> str | None:
    """What is wrong with an effort; None when it is good."""
    return None if not text.strip() or text.strip() in EFFORTS else f"one of {', '.join(EFFORTS)}"
