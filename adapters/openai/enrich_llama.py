"""What llama.cpp's `/props` says more: the window in use, what the model takes, and which file it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PureWindowsPath

from adapters.base import RemoteModel
from adapters.entries import Entry, at, number, text
from adapters.openai.model_details import weights_words

_WINDOW = ("default_generation_settings.n_ctx", "n_ctx")


def read_props(answer: object, models: Sequence[RemoteModel]) -> Mapping[str, RemoteModel]:
    """It speaks of the one model that is loaded: with several to choose from it is not said which."""
    if not isinstance(answer, dict) or "default_generation_settings" not in answer:
        raise ValueError("not llama.cpp's properties")
    if len(models) != 1:
        return {}
    [model] = models
    more: dict[str, str | int] = {}
    if path := text(answer.get("model_path"), 400):
        more["weights"] = PureWindowsPath(path).name or path  # knows both kinds of slashes
    if build := text(answer.get("build_info"), 60):
        more["server_build"] = build
    if slots := number(answer, ("total_slots",)):
        more["slots"] = slots
    return {
        model.id: RemoteModel(
            id=model.id,
            context_window=number(answer, _WINDOW),
            capabilities=_capabilities(answer),
            fingerprint=weights_words({**model.details, **{k: v for k, v in more.items() if k == "weights"}}),
            details=more,
        )
    }


def _capabilities(answer: Entry) -> tuple[str, ...] | None:
    """None without a chat template: then nothing is said of tools."""
    template = answer.get("chat_template")
    if not isinstance(template, str) or not template:
        return None
    said = {"json"}  # a grammar holds any model to a schema
    for name in ("vision", "audio"):
        if at(answer, f"modalities.{name}") is True:
            said.add(name)
    tools = at(answer, "chat_template_caps.supports_tools")
    if tools is True or (tools is None and "tools" in template):
        said.add("tools")
    if "enable_thinking" in template or "reasoning_content" in template or "<think>" in template:
        said.add("reasoning")
    return tuple(sorted(said))
