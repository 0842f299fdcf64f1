"""A ChatRequest as a chat-completions body, and the one repair when a server wants it another way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from adapters.base import Connection
from adapters.data_urls import data_url
from adapters.errors.bodies import Said
from adapters.events import ChatRequest, Message
from catalog.errors import UsageError

_OTHER = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_REFUSES = re.compile(
    r"unsupported|not support|does not support|unrecogni[sz]ed|unknown|unexpected|extra (?:inputs?|fields?)|extra_forbidden"
    r"|not permitted|not allowed|forbidden|only the default|deprecated|use 'max_|invalid (?:field|parameter|argument)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Habits:
    """How one server wants its requests."""

    max_tokens_field: str = "max_tokens"
    reasoning_field: str | None = None
    """Where an assistant turn's reasoning goes back; None: it does not."""
    usage_option: bool = True
    """Ask for usage in streams with `stream_options`."""
    seed_field: str = "seed"
    required_word: str = "required"
    """How it is said that a tool must be called."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Fields that every chat has besides; what the request says goes before them."""


@dataclass(frozen=True, slots=True)
class Repairs:
    """What was learned about a model from refusals."""

    swap_max_tokens: bool = False
    dropped: frozenset[str] = frozenset()
    """Parameters that are left out: temperature, top_p, stream_options, reasoning_format."""


def habits(connection: Connection) -> Habits:
    """By option (a vendor's are in the catalog), else by host: OpenAI itself wants the new name."""
    host = urlsplit(connection.base_url).hostname or ""
    modern = host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com"))
    limit = connection.options.get("max_tokens_field") or (
        "max_completion_tokens" if modern else "max_tokens"
    )
    return Habits(
        max_tokens_field=limit if limit in _OTHER else "max_tokens",
        reasoning_field=connection.options.get("reasoning_field"),
        usage_option=connection.options.get("stream_options") != "no",
        seed_field=connection.options.get("seed_field", "seed"),
        required_word=connection.options.get("required_word", "required"),
        extra=_extra(connection.options.get("extra_body", "{}")),
    )


def _extra(text: str) -> dict[str, object]:
    try:
        extra = json.loads(text)
    except (ValueError, RecursionError):
        extra = None
    if not isinstance(extra, dict):
        raise UsageError("The option extra_body is no JSON object.", hint='It looks like {"top_k":20}.')
    return extra


def body(request: ChatRequest, habits: Habits, repairs: Repairs) -> dict[str, object]:
    """The JSON body. What the request leaves open is not sent."""
    messages: list[dict[str, object]] = []
    if request.system:
        messages.append({"role": "system", "content": request.system})
    messages += [_message(message, habits) for message in request.messages]
    out: dict[str, object] = {**habits.extra, "model": request.model, "messages": messages}
    if request.stream:
        out["stream"] = True
        if habits.usage_option:
            out["stream_options"] = {"include_usage": True}
    limit = habits.max_tokens_field
    optional: dict[str, object | None] = {
        _OTHER[limit] if repairs.swap_max_tokens else limit: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        habits.seed_field: request.seed,
        "reasoning_effort": request.reasoning_effort,
        "response_format": _format(request),
    }
    out.update({name: value for name, value in optional.items() if value is not None})
    if request.tools:
        out["tools"] = [
            {
                "type": "function",
                "function": {"name": t.name, "description": t.description, "parameters": dict(t.parameters)},
            }
            for t in request.tools
        ]
        if request.tool_choice:
            out["tool_choice"] = _choice(request.tool_choice, habits)
    return out


def without(sent: dict[str, object], repairs: Repairs) -> dict[str, object]:
    """The body without what was refused by name before."""
    return {name: value for name, value in sent.items() if name not in repairs.dropped}


def repaired(repairs: Repairs, sent: dict[str, object], facts: Said) -> Repairs | None:
    """What to do differently after a refusal (400, 422) of what was sent; None when nothing of ours is to blame.

    The refusal must name the parameter and say that it is not wanted at all: a value that is too large is the
    user's business, and another name must not make a limit disappear.
    """
    text = f"{facts.message} {' '.join(facts.codes)}"
    if not _REFUSES.search(text):
        return None
    for name in ("max_tokens", "max_completion_tokens"):
        if name in sent and not repairs.swap_max_tokens and _names(name, facts):
            return Repairs(True, repairs.dropped)
    for name in ("temperature", "top_p", "stream_options", "reasoning_format"):
        if name in sent and _names(name, facts):
            also = {"temperature", "top_p"} if name in ("temperature", "top_p") else {name}
            return Repairs(repairs.swap_max_tokens, repairs.dropped | also)
    return None


def _names(name: str, facts: Said) -> bool:
    if facts.param is not None:
        return facts.param.split(".")[0] == name
    return re.search(rf"(?<![a-z_]){name}(?![a-z_])", facts.message) is not None


def _format(request: ChatRequest) -> dict[str, object] | None:
    if request.json_schema is not None:
        schema = {"name": "answer", "strict": True, "schema": dict(request.json_schema)}
        return {"type": "json_schema", "json_schema": schema}
    return {"type": "json_object"} if request.json_output else None


def _choice(choice: str, habits: Habits) -> object:
    if choice in ("auto", "none", "required"):
        return habits.required_word if choice == "required" else choice
    return {"type": "function", "function": {"name": choice}}


def _message(message: Message, habits: Habits) -> dict[str, object]:
    out: dict[str, object] = {"role": message.role, "content": message.text}
    if message.images:
        parts: list[dict[str, object]] = [{"type": "text", "text": message.text}] if message.text else []
        parts += [
            {
                "type": "image_url",
                "image_url": {"url": data_url(image)},
            }
            for image in message.images
        ]
        out["content"] = parts
    if message.tool_calls:
        out["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
        if not message.text:
            out["content"] = None
    if message.tool_call_id is not None:
        out["tool_call_id"] = message.tool_call_id
    if message.thinking and message.role == "assistant" and habits.reasoning_field:
        out[habits.reasoning_field] = message.thinking
    return out
