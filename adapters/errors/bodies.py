"""What an error body says, whatever shape the vendor gave it (WIRE sections 1, 4, 8, 9, 18)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

_MAX_DEPTH = 8
_LONGEST = 2_000
"""Characters of one message that are looked at: patterns are searched in it, and a body may be made to stall them."""
_MOST = 8
"""Different messages of one body that are looked at."""
_NO_QUOTA = re.compile(r"\blimit: 0(?![\d.,]\d|\d)")
"""How Google says that a plan has none of a quota (WIRE 4)."""


@dataclass(frozen=True, slots=True)
class Said:
    """The facts of an error body. Texts are as the vendor wrote them: redact before showing."""

    message: str = field(default="", repr=False)
    codes: tuple[str, ...] = ()
    """Typed codes, types and reasons in lower case, the most telling first."""
    status: int | None = None
    """A status named in the body, which counts where HTTP said 200."""
    param: str | None = None
    """The request field the vendor objects to."""
    retry_delay: str | None = None
    """A wait stated in the body (`36s`)."""
    prompt_tokens: int | None = None
    context_tokens: int | None = None
    filtered: tuple[str, ...] = ()
    """What a content filter found (WIRE section 6): `hate (high)`."""


def said(body: object) -> Said:
    """Read an error body that was parsed as JSON (or is a plain string)."""
    return _Reader().read(body)


class _Reader:
    """Collects as it walks the known shapes; never trusts a type."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.codes: list[str] = []
        self.status: int | None = None
        self.param: str | None = None
        self.retry_delay: str | None = None
        self.counts: dict[str, int] = {}
        self.filtered: list[str] = []

    def read(self, body: object) -> Said:
        self.visit(body, 0)
        told = _different(self.messages)
        prompt, context = token_counts(" ".join(told))
        if any(code.startswith("quota_of_") for code in self.codes) and _NO_QUOTA.search(" ".join(told)):
            self.codes.insert(0, "quota_of_nothing")  # on the wire a quotaValue of 0 is left out
        return Said(
            message=" · ".join(told),
            codes=tuple(dict.fromkeys(self.codes)),
            status=self.status,
            param=self.param,
            retry_delay=self.retry_delay,
            prompt_tokens=self.counts.get("n_prompt_tokens", prompt),
            context_tokens=self.counts.get("n_ctx", context),
            filtered=tuple(dict.fromkeys(self.filtered)),
        )

    def visit(self, value: object, depth: int) -> None:
        if depth > _MAX_DEPTH:
            return
        if isinstance(value, str):
            self.text(value, depth)
        elif isinstance(value, list):
            for item in value[:8]:
                self.visit(item, depth + 1)
        elif isinstance(value, dict):
            self.mapping(value, depth)

    def text(self, value: str, depth: int) -> None:
        text = value.strip()
        if text[:1] in ("{", "["):
            try:
                self.visit(json.loads(text), depth + 1)
                return
            except (ValueError, RecursionError):
                pass
        if "%20" in text:
            text = unquote(text)
        if text:
            self.messages.append(text[:_LONGEST])

    def mapping(self, value: dict[object, object], depth: int) -> None:
        if str(value.get("@type", "")).endswith(".DebugInfo"):
            return  # Google's may echo the whole key (WIRE section 4)
        self.quotas(value.get("violations"))
        # inner objects have the more telling codes, and the outer one the better sentence
        before, self.messages = self.messages, []
        for name in ("error", "innererror", "metadata", "details"):
            if isinstance(value.get(name), (dict, list)):
                self.visit(value[name], depth + 1)
        inner, self.messages = self.messages, []
        for name in ("limit_source", "error_type", "error_code", "reason"):
            self.code(value.get(name))
        if "flagged_input" in value:  # OpenRouter's moderation says it by its fields
            self.codes.append("moderation_blocked")
        self.code(value.get("code"))
        self.code(value.get("type"))
        self.code(value.get("status"))
        for name in ("status_code", "statusCode"):
            self.code(value.get(name))
        if isinstance(value.get("error"), str):
            self.text(str(value["error"]), depth)
        for name in ("message", "msg", "error_description", "detail", "raw", "errors"):
            self.visit(value.get(name), depth + 1)
        self.messages = [*before, *self.messages, *inner]
        self.rest(value)

    def quotas(self, violations: object) -> None:
        """Google's quotas that are used up (WIRE 4, 11): of a day, or of none at all, are final; of a minute are not."""
        found: set[str] = set()
        for one in violations[:32] if isinstance(violations, list) else ():
            if isinstance(one, dict):
                name, most = str(one.get("quotaId", "")), str(one.get("quotaValue", ""))
                final = "quota_of_a_day" if "PerDay" in name else "quota_of_nothing" if most == "0" else ""
                found.add(final or ("quota_of_a_minute" if "PerMinute" in name else ""))
        for code in ("quota_of_a_minute", "quota_of_a_day", "quota_of_nothing"):
            if code in found:
                self.codes.insert(0, code)

    def rest(self, value: dict[object, object]) -> None:
        param, delay, location = value.get("param"), value.get("retryDelay"), value.get("loc")
        if isinstance(param, str) and self.param is None:
            self.param = param
        if isinstance(location, list) and location and self.param is None:
            self.param = str(location[-1])[:80]
        if isinstance(delay, str) and self.retry_delay is None:
            self.retry_delay = delay
        for name in ("content_filter_result", "content_filter_results"):
            self.filtered += _filtered(value.get(name))
        for name in ("n_prompt_tokens", "n_ctx"):
            count = value.get(name)
            if isinstance(count, int) and not isinstance(count, bool):
                self.counts.setdefault(name, count)

    def code(self, value: object) -> None:
        if isinstance(value, bool) or value is None:
            return
        if isinstance(value, (int, str)) and re.fullmatch(r"[1-5]\d\d", str(value).strip()):
            if self.status is None:
                self.status = int(value)
        elif isinstance(value, (int, str)) and len(str(value)) <= 80:
            self.codes.append(str(value).strip().lower())


def _filtered(found: object) -> list[str]:
    """The categories in which a filter struck, each with how much it found where that is said."""
    if not isinstance(found, dict):
        return []
    struck = [
        (str(name), what)
        for name, what in found.items()
        if isinstance(what, dict) and what.get("filtered") is True
    ]
    return [
        f"{name} ({what['severity']})" if isinstance(what.get("severity"), str) else name
        for name, what in struck[:_MOST]
    ]


def _different(messages: list[str]) -> list[str]:
    """The different things said, once each."""
    kept: list[str] = []
    for message in messages:
        if len(kept) < _MOST and not any(message in other for other in kept):
            kept.append(message)
    return kept


_COUNT = r"(?<!\d)(\d[\d,_]{0,20})"
_CONTEXT_FIRST = re.compile(rf"context length (?:is|of) {_COUNT} tokens?.*?(?:result(?:ed|s)? in|requested|has|contains?) (?:about )?{_COUNT} tokens", re.IGNORECASE | re.DOTALL)  # fmt: skip
_PROMPT_FIRST = re.compile(rf"{_COUNT}\s*tokens?\)?.{{0,80}}?(?:>|exceeds?|longer than|maximum)[^\d]{{0,80}}{_COUNT}", re.IGNORECASE | re.DOTALL)  # fmt: skip

_TOKEN_COUNT = re.compile(rf"token count \(?{_COUNT}\)? exceeds the maximum number of tokens allowed \(?{_COUNT}", re.IGNORECASE)  # fmt: skip


def token_counts(text: str) -> tuple[int | None, int | None]:
    """(tokens of the prompt, tokens the model takes) as an overflow message states them."""
    found = _CONTEXT_FIRST.search(text)
    if found:
        return _number(found[2]), _number(found[1])
    found = _TOKEN_COUNT.search(text) or _PROMPT_FIRST.search(text)
    return (_number(found[1]), _number(found[2])) if found else (None, None)


def _number(text: str) -> int:
    return int(text.replace(",", "").replace("_", "")[:15])
