"""A ChatRequest as a body of `POST /api/chat`, and the one repair of a model that cannot think as it was asked to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal

from adapters.data_urls import base64_of
from adapters.errors.bodies import Said
from adapters.events import ChatRequest, Message, ToolCall

Thinks = Literal["levels", "bool", "no"]
"""How a model takes `think`: low, medium and high; true and false; not at all."""

_LEVELS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_OFF = frozenset({"none", "off", "false", "no", "disabled"})
_WHOLE = ("num_ctx", "num_gpu", "gpu_layers")
_REFUSED = re.compile(r"\bthink\w*", re.IGNORECASE)
_NOT = re.compile(r"not support|unsupported|invalid|cannot|must be", re.IGNORECASE)


def body(request: ChatRequest, options: Mapping[str, str], thinks: Thinks) -> dict[str, object]:
    """The JSON body. `stream` is always said: Ollama's default is to stream."""
    messages: list[dict[str, object]] = []
    if request.system:
        messages.append({"role": "system", "content": request.system})
    names: dict[str, str] = {}
    for message in request.messages:
        names.update({call.id: call.name for call in message.tool_calls})
        messages.append(_message(message, names))
    out: dict[str, object] = {"model": request.model, "messages": messages, "stream": request.stream}
    tools = [tool for tool in request.tools if _offered(tool.name, request)]
    if tools:
        out["tools"] = [
            {
                "type": "function",
                "function": {"name": t.name, "description": t.description, "parameters": dict(t.parameters)},
            }
            for t in tools
        ]
    if request.json_schema is not None:
        out["format"] = dict(request.json_schema)
    elif request.json_output:
        out["format"] = "json"
    think = _think(request.reasoning_effort, thinks)
    if think is not None:
        out["think"] = think
    if keep := options.get("keep_alive", "").strip():
        out["keep_alive"] = int(keep) if re.fullmatch(r"-?\d{1,9}", keep) else keep
    if options.get("truncate", "no") != "yes":
        # else a prompt that does not fit loses its beginning, and a long answer the conversation, without a word
        out |= {"truncate": False, "shift": False}
    if settings := _settings(request, options):
        out["options"] = settings
    return out


def less_thinking(sent: Mapping[str, object], facts: Said | None) -> Thinks | None:
    """How to ask after a refusal of `think`; None when the refusal is about something else."""
    if "think" not in sent or facts is None:
        return None
    if _REFUSED.search(facts.message) is None or _NOT.search(facts.message) is None:
        return None
    return "bool" if isinstance(sent["think"], str) and "value" in facts.message.lower() else "no"


def _offered(name: str, request: ChatRequest) -> bool:
    """Ollama has no `tool_choice`: a tool that may not be called is not offered."""
    return request.tool_choice in (None, "auto", "required", name)


def _think(effort: str | None, thinks: Thinks) -> bool | str | None:
    if effort is None or thinks == "no":
        return None
    word = effort.strip().lower()
    if word in _OFF:
        return False
    return _LEVELS.get(word, True) if thinks == "levels" else True


def _settings(request: ChatRequest, options: Mapping[str, str]) -> dict[str, object]:
    out: dict[str, object] = {}
    for name in _WHOLE:
        text = options.get(name, "").strip()
        if re.fullmatch(r"-?\d{1,9}", text):
            out.setdefault("num_gpu" if name == "gpu_layers" else name, int(text))
    optional: dict[str, object] = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": list(request.stop) or None,
    }
    out.update({name: value for name, value in optional.items() if value is not None})
    return out


def _message(message: Message, names: Mapping[str, str]) -> dict[str, object]:
    out: dict[str, object] = {"role": message.role, "content": message.text}
    if message.images:
        out["images"] = [base64_of(image) for image in message.images]
    if message.tool_calls:
        out["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.role == "tool" and message.tool_call_id is not None:
        out["tool_call_id"] = message.tool_call_id
        if name := names.get(message.tool_call_id):
            out["tool_name"] = name
    if message.thinking and message.role == "assistant":
        out["thinking"] = message.thinking
    return out


def _call(call: ToolCall) -> dict[str, object]:
    """Arguments are an object here; a text that is none goes along under a name of its own."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = call.arguments
    if not isinstance(arguments, dict):
        arguments = {"arguments": arguments}
    return {"id": call.id, "function": {"name": call.name, "arguments": arguments}}
