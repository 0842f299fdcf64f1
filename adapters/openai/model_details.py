"""Further facts of a model list (size, weights, what is loaded), and which of them say that it is this very model."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.entries import Entry, at, first, mentions, number, text

_TEXTS = {
    "architecture": ("arch", "architecture"),
    "quantization": ("quantization.name", "quantization"),
    "parameters": ("params_string", "parameter_size"),
    "publisher": ("publisher",),
    "state": ("state", "status.value"),
    "weights": ("root", "path", "hugging_face_id"),
    "replacement": ("deprecation_replacement_model",),
    "knowledge": ("knowledge_cutoff",),
}
_NUMBERS = {
    "size_bytes": ("size_bytes", "meta.size"),
    "parameter_count": ("meta.n_params",),
    "trained_context": ("meta.n_ctx_train", "max_context_length"),
}
_HEADS = tuple({path for paths in (*_TEXTS.values(), *_NUMBERS.values()) for path in paths})
_LOADED = {"loaded": "yes", "not-loaded": "no", "unloaded": "no"}
_MOST_ALIASES = 10


def details(entry: Entry) -> dict[str, str | int]:
    """What is worth showing beside the usual fields; empty for most vendors."""
    found: dict[str, str | int] = {}
    if mentions(entry, _HEADS):
        for name, paths in _TEXTS.items():
            if (said := text(first(entry, paths))) is not None:
                found[name] = said
        for name, paths in _NUMBERS.items():
            if (size := number(entry, paths, most=10**16)) is not None:
                found[name] = size
    if (state := found.pop("state", None)) in _LOADED:
        found["loaded"] = _LOADED[str(state)]
    if "weights" in found and found["weights"] == entry.get("id"):
        del found["weights"]
    if "aliases" in entry and (aliases := _aliases(entry)):
        found["aliases"] = aliases
    if "reasoning" in entry and (efforts := _listed(at(entry, "reasoning.supported_efforts"))):
        found["reasoning_efforts"] = efforts
    if "loaded_instances" in entry:
        found |= _instances(entry["loaded_instances"])
    if "meta" not in entry and "loaded" not in found:
        found.pop("trained_context", None)  # a vendor's window, which the model has anyway
    return found


def fingerprint(entry: Entry, found: Mapping[str, str | int]) -> str | None:
    """What the server says its weights are; None where it says nothing of them."""
    digest = text(first(entry, ("digest", "sha256", "hash", "meta.general.hash")))
    if digest is not None:
        return digest
    if "meta" not in entry and "quantization" not in found and "weights" not in found:
        return None
    if "hugging_face_id" in entry and "quantization" not in found:
        return None  # OpenRouter names the family, not what is served
    return weights_words(found)


def weights_words(found: Mapping[str, str | int]) -> str | None:
    """`file.gguf · Q4_K_M · 7,241,732,096 parameters · 4,368,439,584 bytes`, so that a change can be read."""
    parts = [
        str(found[name])
        for name in ("weights", "architecture", "quantization", "parameters")
        if name in found
    ]
    for name, unit in (("parameter_count", "parameters"), ("size_bytes", "bytes")):
        if isinstance(count := found.get(name), int):
            parts.append(f"{count:,} {unit}")
    return " · ".join(parts) or None


def _listed(words: object) -> str:
    some = [said for word in words if (said := text(word, 40))] if isinstance(words, list) else []
    return ", ".join(some[:_MOST_ALIASES])


def _aliases(entry: Entry) -> str:
    aliases = entry["aliases"]
    if not isinstance(aliases, list):
        return ""
    own = at(entry, "id")
    words = [word for alias in aliases if alias != own and (word := text(alias, 100))]
    more = f" and {len(words) - _MOST_ALIASES} more" if len(words) > _MOST_ALIASES else ""
    return ", ".join(words[:_MOST_ALIASES]) + more


def _instances(value: object) -> dict[str, str | int]:
    """LM Studio's running copies: the window of the first is the one a chat gets."""
    if not isinstance(value, list):
        return {}
    running = next((one for one in value if isinstance(one, dict)), None)
    if running is None:
        return {"loaded": "no"}
    context = number(running, ("config.context_length",))
    return {"loaded": "yes"} | ({} if context is None else {"loaded_context": context})
