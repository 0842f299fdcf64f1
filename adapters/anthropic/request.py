"""A ChatRequest as a body of this dialect, and the repairs when a server or a model wants it another way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from adapters.anthropic.thinking import Mode, asked, mode_by_name
from adapters.anthropic.turns import thinks, turns
from adapters.errors.bodies import Said
from adapters.events import ChatRequest

NEW, OLD = "2026-10-21", "2023-06-01"
"""Versions of the API; the new one takes no temperature and no top_p."""
DEFAULT_MAX_TOKENS = 4_096
"""The longest answer where neither the request nor any list says what the model can: every model can this."""
_REFUSES = re.compile(
    r"not (?:supported|allowed|permitted|accepted|available)|not support|unsupported|unexpected|unrecognized|unknown"
    r"|deprecated|may only|only (?:the )?default|cannot|must (?:be (?:unset|omitted|1\b)|not)|extra inputs|invalid",
    re.IGNORECASE,
)
_WRONG_VALUE = re.compile(
    r"between|(?:less|greater|more|fewer) than|at (?:least|most)|\brange\b|[<>≤≥]", re.IGNORECASE
)
"""It is taken, within limits."""
_SAMPLING = frozenset({"temperature", "top_p"})
_WHILE_THINKING = "sampling while thinking"
_DISABLED = {"type": "disabled"}
_MOST = re.compile(r"max_tokens:?\s*(\d{1,9})\s*>\s*(\d{1,9})", re.IGNORECASE)
_WINDOW = re.compile(r"exceed context limit:\s*(\d{1,9})\s*\+\s*(\d{1,9})\s*>\s*(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """What the model list said of a model. None: nothing."""

    max_tokens: int | None = None
    thinking: Mode | None = None


UNKNOWN = Known()


@dataclass(frozen=True, slots=True)
class Repairs:
    """What was learned about a model from refusals."""

    dropped: frozenset[str] = frozenset()
    """`temperature`, `top_p`, `effort`, `format` (or that of one schema, `schema …`), `display`, `disabled`, and
    `sampling while thinking`."""
    thinking: Mode | None = None
    most: int | None = None
    """The longest answer it gives."""
    room: int | None = None
    """Tokens that this one prompt leaves in the window."""


def version(sent: Mapping[str, object], wanted: str | None) -> str:
    """The API version: as the user chose or the server knows, else the old one where the request needs it."""
    if wanted is not None:
        return wanted
    return OLD if "temperature" in sent or "top_p" in sent else NEW


def refuses_version(facts: Said) -> bool:
    """Whether the server does not know the version of the API that it was asked in."""
    text = f"{facts.message} {facts.param or ''}".lower()
    return "anthropic-version" in text or "anthropic_version" in text


def body(request: ChatRequest, known: Known, repairs: Repairs) -> dict[str, object]:
    """The JSON body of a chat."""
    most = _longest(request, known, repairs)
    out: dict[str, object] = {"model": request.model, "max_tokens": most}
    out |= prompt(request, known, repairs, max_tokens=most)
    optional: dict[str, object | None] = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop_sequences": [text for text in request.stop if text.strip()] or None,
        "stream": True if request.stream else None,
    }
    dropped = repairs.dropped
    if _WHILE_THINKING in dropped and _thinking_on(out):
        dropped |= _SAMPLING
    out |= {n: value for n, value in optional.items() if value is not None and n not in dropped}
    return out


def prompt(
    request: ChatRequest, known: Known, repairs: Repairs, *, max_tokens: int | None = None
) -> dict[str, object]:
    """The part of the body that is counted as input."""
    messages, among = turns(request.messages, request.model)
    native = request.json_schema is not None and not repairs.dropped & {
        "format",
        _of_schema(request.json_schema),
    }
    told = (request.system, *among, None if native else _json_words(request))
    system = [text for text in told if text and text.strip()]
    forced = bool(request.tools) and request.tool_choice not in (None, "auto", "none")
    mode = repairs.thinking or known.thinking or mode_by_name(request.model)
    if mode == "budget" and _calls_without_thoughts(messages):
        mode = "none"  # refused: a turn with calls must begin with the thoughts that led to them
    thinking, effort = asked(request.reasoning_effort, mode, max_tokens, forced_tool=forced)
    if thinking is not None and "display" in repairs.dropped:
        thinking.pop("display", None)
    if thinking == _DISABLED and "disabled" in repairs.dropped:
        thinking = None
    config: dict[str, object] = {}
    if effort is not None and "effort" not in repairs.dropped:
        config["effort"] = effort
    if native and request.json_schema is not None:
        config["format"] = {"type": "json_schema", "schema": _closed(request.json_schema)}
    out: dict[str, object] = {"messages": messages}
    if system:
        out["system"] = "\n\n".join(system)
    if request.tools:
        out["tools"] = [
            {"name": t.name, "description": t.description, "input_schema": _input(t.parameters)}
            for t in request.tools
        ]
        if request.tool_choice:
            out["tool_choice"] = _choice(request.tool_choice)
    if thinking is not None:
        out["thinking"] = thinking
    if config:
        out["output_config"] = config
    return out


def repaired(
    request: ChatRequest, repairs: Repairs, sent: Mapping[str, object], facts: Said
) -> Repairs | None:
    """What to do differently after a refusal (400, 422) of what was sent; None when nothing of ours is to blame.

    The refusal must say that something is not taken at all: a wrong value is the user's business. A limit of the
    answer that we chose is lowered to what the refusal names.
    """
    text = f"{facts.message} {facts.param or ''}"
    if request.max_tokens is None:
        if (found := _WINDOW.search(text)) and int(found[3]) > int(found[1]):
            return replace(repairs, room=int(found[3]) - int(found[1]))
        if (found := _MOST.search(text)) and 0 < int(found[2]) < int(found[1]):
            return replace(repairs, most=int(found[2]))
    found = _REFUSES.search(text)
    if found is None or (found[0].lower() == "invalid" and _WRONG_VALUE.search(text)):
        return None
    drop = _unwanted(request, sent, text)
    if drop:
        return replace(repairs, dropped=repairs.dropped | drop)
    thinking = sent.get("thinking")
    if isinstance(thinking, dict) and re.search(r"thinking|adaptive|budget_tokens", text, re.IGNORECASE):
        return _other_thinking(repairs, thinking, text)
    return None


def _unwanted(request: ChatRequest, sent: Mapping[str, object], text: str) -> set[str]:
    """The parameters that were sent and that the refusal names."""
    sampling = {name for name in _SAMPLING if name in sent}
    if sampling and re.search(r"temperature|top_p", text) and "thinking" in text and _thinking_on(sent):
        return {_WHILE_THINKING}
    if sampling and re.search(r"(?<![a-z_])(?:temperature|top_p|sampling)(?![a-z_])", text, re.IGNORECASE):
        return {"top_p"} if len(sampling) == 2 and re.search(r"\bboth\b", text) else sampling
    config = sent.get("output_config")
    if not isinstance(config, dict):
        config = {}
    if "format" in config and re.search(
        r"output_config\.format|output_format|structured output|json_schema|json schema output",
        text,
        re.IGNORECASE,
    ):
        return {_of_schema(request.json_schema) if "format.schema" in text else "format"}
    if (
        "effort" in config
        and re.search(r"\beffort\b", text)
        and not re.search(r"effort level|levels?:", text)
    ):
        return {"effort"}
    if config and "output_config" in text and "." not in text.partition("output_config")[2][:1]:
        return set(config)
    thinking = sent.get("thinking")
    if isinstance(thinking, dict) and "display" in thinking and "display" in text:
        return {"display"}
    if thinking == _DISABLED and re.search(r"thinking|disabled", text, re.IGNORECASE):
        return {"disabled"}  # it cannot be switched off, or does not think: the next effort is another matter
    return set()


def _thinking_on(sent: Mapping[str, object]) -> bool:
    return sent.get("thinking", _DISABLED) != _DISABLED


def _of_schema(schema: object) -> str:
    """The mark of one schema, for a refusal of what it holds."""
    return f"schema {blake2b(json.dumps(schema, default=str).encode(), digest_size=8).hexdigest()}"


def _other_thinking(repairs: Repairs, thinking: Mapping[str, object], text: str) -> Repairs | None:
    """The other way of asking for thoughts where the refusal names this one, else none."""
    if repairs.thinking is not None:
        return None if repairs.thinking == "none" else replace(repairs, thinking="none")
    if thinking.get("type") == "adaptive":
        return replace(repairs, thinking="budget" if "adaptive" in text else "none")
    if thinking.get("type") == "enabled" and re.search(r"enabled|budget_tokens|adaptive", text):
        return replace(repairs, thinking="adaptive")
    return replace(repairs, thinking="none")


def _longest(request: ChatRequest, known: Known, repairs: Repairs) -> int:
    """The vendor wants a limit always: what was asked for, else as much as the model gives."""
    if request.max_tokens is not None:
        return request.max_tokens
    longest = request.longest_output or known.max_tokens or DEFAULT_MAX_TOKENS
    return min(limit for limit in (longest, repairs.most, repairs.room) if limit is not None)


def _calls_without_thoughts(messages: list[dict[str, object]]) -> bool:
    """Whether the newest answer calls tools and its thoughts are not known."""
    newest = next((turn["content"] for turn in reversed(messages) if turn["role"] == "assistant"), None)
    if not isinstance(newest, list) or not any(block["type"] == "tool_use" for block in newest):
        return False
    return not thinks(newest[0])


def _choice(choice: str) -> dict[str, object]:
    if choice in ("auto", "none"):
        return {"type": choice}
    return {"type": "any"} if choice == "required" else {"type": "tool", "name": choice}


def _input(parameters: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", **parameters}


def _closed(schema: Mapping[str, object]) -> dict[str, object]:
    """The schema with its objects closed, which the vendor demands."""
    closed = {name: _closed_value(value) for name, value in schema.items()}
    kind = closed.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        closed.setdefault("additionalProperties", False)
    return closed


def _closed_value(value: object) -> object:
    if isinstance(value, Mapping):
        return _closed(value)
    return [_closed_value(item) for item in value] if isinstance(value, list) else value


def _json_words(request: ChatRequest) -> str | None:
    """How JSON is asked for where nothing holds the model to it."""
    if request.json_schema is not None:
        schema = json.dumps(dict(request.json_schema), ensure_ascii=False)
        return f"Answer with one JSON document and nothing else. It must be of this JSON schema: {schema}"
    return "Answer with one JSON document and nothing else." if request.json_output else None
