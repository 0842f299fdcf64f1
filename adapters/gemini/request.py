"""A ChatRequest as a Gemini body, and the one repair when a server does not know a newer part of it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.data_urls import base64_of
from adapters.events import ChatRequest, Image, Message, ToolCall
from adapters.gemini.endpoint import bare
from adapters.gemini.keep import parts_of
from adapters.gemini.reader import OWN_ID
from adapters.gemini.schema import cleaned

Part = dict[str, object]

_GENERATION = re.compile(r"^gemini-(\d+)(?:\.(\d+))?(?=-|$)")
_NO_THOUGHTS = ("-tts", "-image", "-live", "-audio", "embedding", "gemma", "learnlm", "computer-use")
_BUDGETS = {"none": 0, "minimal": 512, "low": 1024, "medium": 8192, "high": 24_576}
"""Effort → tokens of thought, of the generation that takes a number (2.5)."""
_LEVELS = {"none": "minimal", "max": "xhigh"}
"""Effort → the level of the newer ones, where it has another name."""
_SAFETY = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
_UNKNOWN = re.compile(
    r"unknown name|cannot find field|unknown field|not supported|unsupported", re.IGNORECASE
)
UNSIGNED = base64.b64encode(b"skip_thought_signature_validator").decode()
"""What the vendor documents for calls that none of its models made: without it the newer ones refuse the turn."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How one server and model want their requests; learned from refusals."""

    thoughts: bool = True
    """Ask for the reasoning to be told, of models that think."""
    safety: str | None = None
    """The threshold of the content filters; None: the vendor's."""
    json_schemas: bool = True
    """Schemas go as they are; False: in Google's older form."""
    xhigh: bool = True
    """The deepest level of thought is `xhigh`; False: this model's is `high`."""


def thinks(model: str) -> bool:
    """Whether a model's name says that it reasons; those that do not refuse to be asked about it."""
    name = bare(model)
    if any(part in name for part in _NO_THOUGHTS):
        return False
    found = _GENERATION.match(name)
    if found is None:
        return name.startswith("gemini-") and name.endswith("-latest")
    return (int(found[1]), int(found[2] or 0)) >= (2, 5)


def has_levels(model: str) -> bool:
    """Whether a model takes a level of thought (generation 3 and later) and not a number of tokens."""
    found = _GENERATION.match(bare(model))
    return found is None or int(found[1]) >= 3


def body(request: ChatRequest, habits: Habits) -> dict[str, object]:
    """The JSON body. What the request leaves open is not sent."""
    system = [request.system] if request.system else []
    system += [m.text for m in request.messages if m.role == "system" and m.text]
    turns = [m for m in request.messages if m.role != "system"]
    out: dict[str, object] = {"contents": _contents(turns, request.model)}
    if system:
        out["systemInstruction"] = {"parts": [{"text": text} for text in system]}
    if config := _config(request, habits):
        out["generationConfig"] = config
    if request.tools:
        named = "parametersJsonSchema" if habits.json_schemas else "parameters"
        out["tools"] = [
            {
                "functionDeclarations": [
                    {"name": t.name, "description": t.description, **_parameters(named, t.parameters)}
                    for t in request.tools
                ]
            }
        ]
        if request.tool_choice:
            out["toolConfig"] = {"functionCallingConfig": _choice(request.tool_choice)}
    if habits.safety:
        out["safetySettings"] = [
            {"category": f"HARM_CATEGORY_{name}", "threshold": habits.safety} for name in _SAFETY
        ]
    return out


def repaired(habits: Habits, sent: Mapping[str, object], said: str, *, asked: bool) -> Habits | None:
    """What to do differently after a refusal (400); None when nothing of ours is to blame.

    `asked`: an effort was asked for, so the thinking is the user's and not taken out behind their back.
    """
    if habits.json_schemas and _UNKNOWN.search(said) and re.search(r"json_?schema", said, re.IGNORECASE):
        return replace(habits, json_schemas=False)
    config = sent.get("generationConfig")
    thinking = config.get("thinkingConfig") if isinstance(config, Mapping) else None
    if not isinstance(thinking, Mapping) or not re.search(r"thinking|thoughts|xhigh", said, re.IGNORECASE):
        return None
    if habits.xhigh and thinking.get("thinkingLevel") == "xhigh":
        return replace(habits, xhigh=False)
    return replace(habits, thoughts=False) if habits.thoughts and not asked else None


def _config(request: ChatRequest, habits: Habits) -> dict[str, object]:
    optional: dict[str, object | None] = {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
        "seed": request.seed,
        "thinkingConfig": _thinking(request, habits) or None,
    }
    if request.json_output or request.json_schema is not None:
        optional["responseMimeType"] = "application/json"
    if request.json_schema is not None:
        schema = request.json_schema
        optional |= (
            {"responseJsonSchema": dict(schema)}
            if habits.json_schemas
            else {"responseSchema": cleaned(schema)}
        )
    return {name: value for name, value in optional.items() if value is not None}


def _thinking(request: ChatRequest, habits: Habits) -> dict[str, object]:
    effort = request.reasoning_effort.strip().lower() if request.reasoning_effort else None
    out: dict[str, object] = {}
    if habits.thoughts and effort != "none" and (effort or thinks(request.model)):
        out["includeThoughts"] = True
    if effort and has_levels(request.model):
        level = _LEVELS.get(effort, effort)
        out["thinkingLevel"] = "high" if level == "xhigh" and not habits.xhigh else level
    elif effort:
        out["thinkingBudget"] = _BUDGETS.get(effort, _BUDGETS["high"])
    return out


def _parameters(name: str, schema: Mapping[str, object]) -> dict[str, object]:
    """A function without arguments has no schema: an empty object is refused by the older form."""
    if not schema.get("properties") and name == "parameters":
        return {}
    return {name: cleaned(schema) if name == "parameters" else dict(schema)} if schema else {}


def _choice(choice: str) -> dict[str, object]:
    modes = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
    if choice in modes:
        return {"mode": modes[choice]}
    return {"mode": "ANY", "allowedFunctionNames": [choice]}


def _contents(messages: Sequence[Message], model: str) -> list[dict[str, object]]:
    """The turns. Answers of functions that follow one another are one turn, since the calls were one."""
    names: dict[str, str] = {}
    contents: list[dict[str, object]] = []
    answers: list[Part] | None = None
    for message in messages:
        if message.role == "tool":
            if answers is None:
                answers = []
                contents.append({"role": "user", "parts": answers})
            answers += [_answer(message, names), *_images(message.images)]
            continue
        answers = None
        names.update({call.id: call.name for call in message.tool_calls})
        parts = _said(message, model)
        if parts:
            contents.append({"role": "model" if message.role == "assistant" else "user", "parts": parts})
    return contents


def _said(message: Message, model: str) -> list[Part]:
    kept = parts_of(message.keepsake, bare(model)) if message.role == "assistant" else None
    if kept is not None and _same(kept, message):
        return kept
    parts: list[Part] = [{"text": message.text}] if message.text else []
    parts += _images(message.images)
    for call in message.tool_calls:
        part: Part = {"functionCall": _call(call)}
        if has_levels(model) and thinks(model):
            part["thoughtSignature"] = UNSIGNED
        parts.append(part)
    if not parts and message.role == "user":
        parts.append({"text": ""})
    return parts


def _same(kept: Sequence[Part], message: Message) -> bool:
    """False where the answer was edited or a call left out: then its signatures belong to something else."""
    told = [part.get("text") for part in kept if part.get("thought") is not True]
    calls = sum("functionCall" in part for part in kept)
    same = "".join(one for one in told if isinstance(one, str)).split() == message.text.split()
    return same and calls == len(message.tool_calls)


def _images(images: Sequence[Image]) -> list[Part]:
    return [{"inlineData": {"mimeType": image.media_type, "data": base64_of(image)}} for image in images]


def _call(call: ToolCall) -> dict[str, object]:
    try:
        given = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        given = None
    args = given if isinstance(given, dict) else {"arguments": call.arguments}
    return {**_id(call.id), "name": call.name, "args": args}


def _answer(message: Message, names: Mapping[str, str]) -> Part:
    """A function's answer must be an object; any other text becomes one. The wire wants the function's name."""
    given: object = None
    if message.text.lstrip()[:1] == "{":
        try:
            given = json.loads(message.text)
        except (ValueError, RecursionError):
            given = None
    if message.is_error or not isinstance(given, dict):
        given = {"error" if message.is_error else "output": message.text}
    call_id = message.tool_call_id or ""
    name = names.get(call_id) or "function"
    return {"functionResponse": {**_id(call_id), "name": name, "response": given}}


def _id(call_id: str) -> dict[str, object]:
    return {"id": call_id} if call_id and not call_id.startswith(OWN_ID) else {}
