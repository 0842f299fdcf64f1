"""A ChatRequest as a body of the Responses form, which is asked statelessly: nothing is stored at the vendor."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from adapters.base import Connection
from adapters.data_urls import data_url
from adapters.errors.bodies import Said
from adapters.events import ChatRequest, Keepsake, Message

DIALECT = "openai-responses"
"""What keepsakes of this form are marked with."""
SEALED = "reasoning.encrypted_content"
_ONLY_RESPONSES = re.compile(
    r"(?:only (?:supported|available) (?:in|via|with)|use|try) (?:the )?(?:v1/|/v1/)?responses\b",
    re.IGNORECASE,
)
_DROPPED = ("temperature", "top_p", "include", "store", "summary")
_REFUSES = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|must be verified|extra",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """Which models of a connection are asked by responses."""

    always: bool
    globs: tuple[str, ...]

    def wanted(self, model: str) -> bool:
        return self.always or any(fnmatchcase(model, glob) for glob in self.globs)


def form_of(connection: Connection) -> Form:
    """By option, else by vendor: Perplexity has no other form any more (WIRE section 9)."""
    said = connection.options.get("api")
    perplexity = "perplexity" in (connection.catalog_id, _domain(connection.base_url))
    globs = connection.options.get("responses_for", "")
    return Form(said == "responses" or (said is None and perplexity), tuple(g for g in globs.split(",") if g))


def _domain(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return "perplexity" if host == "api.perplexity.ai" else host


def wants_responses(status: int, facts: Said | None) -> bool:
    """Whether a refusal of a chat completion says that the model is to be asked by responses."""
    return (
        status in (400, 404, 422) and facts is not None and _ONLY_RESPONSES.search(facts.message) is not None
    )


def body(request: ChatRequest, dropped: frozenset[str] = frozenset()) -> dict[str, object]:
    """The JSON body. `stop` and `seed` do not exist in this form; what the request leaves open is not sent."""
    out: dict[str, object] = {"model": request.model, "input": _input(request), "store": False}
    if request.stream:
        out["stream"] = True
    optional: dict[str, object | None] = {
        "instructions": request.system or None,
        "max_output_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "text": _format(request),
    }
    if request.reasoning_effort is not None:
        optional["reasoning"] = {"effort": request.reasoning_effort}
        if request.reasoning_effort not in ("none", "minimal") and "summary" not in dropped:
            optional["reasoning"] = {"effort": request.reasoning_effort, "summary": "auto"}
        optional["include"] = [SEALED]
    out.update({name: value for name, value in optional.items() if value is not None})
    if request.tools:
        out["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
                "strict": False,
            }
            for tool in request.tools
        ]
        out.setdefault("include", [SEALED])
        if request.tool_choice:
            out["tool_choice"] = (
                request.tool_choice
                if request.tool_choice in ("auto", "none", "required")
                else {"type": "function", "name": request.tool_choice}
            )
    for name in dropped:
        out.pop(name, None)
    return out


def without(dropped: frozenset[str], sent: Mapping[str, object], facts: Said) -> frozenset[str] | None:
    """What to leave out next time after a refusal that names a parameter of ours; None: it is not ours to mend."""
    text = f"{facts.param or ''} {facts.message}"
    if re.search(r"encrypted content is not supported", text, re.IGNORECASE) and "include" in sent:
        return dropped | {"include"}
    if not _REFUSES.search(text):
        return None
    for name in _DROPPED:
        there = name in sent or (name == "summary" and "summary" in json.dumps(sent.get("reasoning")))
        words = "summar(?:y|ies)" if name == "summary" else name
        if there and name not in dropped and re.search(rf"(?<![a-z_]){words}(?![a-z_])", text):
            return dropped | ({"temperature", "top_p"} if name in ("temperature", "top_p") else {name})
    return None


def _input(request: ChatRequest) -> list[dict[str, object]]:
    items: list[dict[str, object]] = []
    for message in request.messages:
        kept = _kept(message.keepsake, request.model)
        if message.role == "assistant" and kept is not None and _same(kept, message):
            items += kept
        elif message.role == "tool":
            items.append(
                {
                    "type": "function_call_output",
                    "call_id": message.tool_call_id or "",
                    "output": message.text,
                }
            )
        else:
            items += _turn(message)
    return items


def _turn(message: Message) -> list[dict[str, object]]:
    answer = message.role == "assistant"
    parts: list[dict[str, object]] = []
    if message.text:
        parts.append({"type": "output_text" if answer else "input_text", "text": message.text})
    parts += [
        {"type": "input_image", "image_url": data_url(image), "detail": "auto"} for image in message.images
    ]
    items: list[dict[str, object]] = []
    if parts:
        items.append({"type": "message", "role": message.role, "content": parts})
    items += [
        {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}
        for call in message.tool_calls
    ]
    return items


def _kept(keepsake: Keepsake | None, model: str) -> list[dict[str, object]] | None:
    """The output of an earlier answer of this very model as it came, without what is null; None where there is none."""
    if keepsake is None or keepsake.dialect != DIALECT or keepsake.model != model:
        return None
    try:
        items = json.loads(keepsake.content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    return [{name: value for name, value in item.items() if value is not None} for item in items]


def _same(kept: Sequence[Mapping[str, object]], message: Message) -> bool:
    """Whether the output still is what the message says: its text may have been edited, a call left out."""
    parts: list[object] = []
    for item in kept:
        content = item.get("content")
        if item.get("type") == "message" and isinstance(content, list):
            parts += content
    said = [part.get("text") or part.get("refusal") or "" for part in parts if isinstance(part, dict)]
    calls = [item.get("call_id") for item in kept if item.get("type") == "function_call"]
    asked = [call.id for call in message.tool_calls]
    return "".join(map(str, said)).split() == message.text.split() and calls == asked


def _format(request: ChatRequest) -> dict[str, object] | None:
    if request.json_schema is not None:
        schema = dict(request.json_schema)
        return {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": schema}}
    return {"format": {"type": "json_object"}} if request.json_output else None
