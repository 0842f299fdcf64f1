"""What a server says of a model beside the usual: its weights, size, what is loaded, the names it also goes by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from tui.formatting import ago, tokens, whole
from tui.screens.model_pages import Fact

if TYPE_CHECKING:
    from services.models import ModelView

_NAMES = {
    "loaded": "loaded now", "loaded_context": "window when loaded", "trained_context": "trained for", "weights": "weights",
    "behind": "stands for", "deployments": "deployments", "architecture": "architecture", "parameters": "parameters",
    "parameter_count": "parameters", "quantization": "quantization", "size_bytes": "size", "publisher": "published by",
    "aliases": "also called", "replacement": "replaced by", "knowledge": "knows the world to", "slots": "answers at once",
    "server_build": "server build", "reasoning_efforts": "efforts",
}  # fmt: skip
"""In the order of the page."""
_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def wire_facts(view: ModelView, now: int) -> Iterator[Fact]:
    """Nothing where the server says nothing more; else a heading, the facts, and an empty line."""
    found = _read(view.wire_details)
    lines = [(words, found[name], name) for name, words in _NAMES.items() if name in found]
    if not lines:
        return
    yield Fact("Server", "what it says beside the rest", "dim", heading=True)
    source = f"live list, {ago(view.seen, now)}" if view.seen else "live list"
    for words, value, name in lines:
        yield Fact(words, _value(name, value), "", source)
    yield Fact("")


def _read(text: str | None) -> dict[str, object]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _value(name: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if name == "size_bytes":
            return size(value)
        if name == "parameter_count":
            return next((f"{value / unit:.3g} {word}" for unit, word in ((10**9, "billion"), (10**6, "million")) if value >= unit), whole(value))  # fmt: skip
        return f"{tokens(value)} tokens" if name.endswith("context") else whole(value)
    return one_line(str(value), 200)


def size(count: int) -> str:
    """`4.4 GB`, in the units of the shops."""
    return next((f"{count / unit:.3g} {word}" for unit, word in _UNITS if count >= unit), f"{count} bytes")
