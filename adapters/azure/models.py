"""What can be chatted with at a resource: its deployments, which are not the models it could deploy."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.base import RemoteModel
from adapters.entries import text
from adapters.openai.models import entries_of
from catalog.patterns import is_chat
from catalog.plaintext import one_line

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_READY = "succeeded"
_MOST = 10_000


def names_of(option: str | None) -> list[str]:
    """The deployments that the user named, each once, in their order."""
    found = (one_line(name, 300) for name in (option or "").split(","))
    return list(dict.fromkeys(name for name in found if name))


def read_deployments(body: object) -> list[RemoteModel]:
    """The deployments of `GET /openai/deployments`, those that are ready. ValueError: it is no such list."""
    found: dict[str, RemoteModel] = {}
    for entry in entries_of(body)[:_MOST]:
        name = text(entry.get("id"), 300) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or name is None or entry.get("object", "deployment") != "deployment":
            continue
        if str(entry.get("status", _READY)).lower() != _READY:
            continue
        found.setdefault(name, named(name, text(entry.get("model"), 200)))
    return list(found.values())


def named(name: str, base: str | None = None) -> RemoteModel:
    """A deployment; `base` is the model behind it, None where nobody said. What was said before stays."""
    if base is None:
        return RemoteModel(name, partial=True)
    return RemoteModel(name, details={"behind": base}, chat=None if is_chat(base) else False)


def base_of(served: str) -> str:
    """The base model of one that answered: `gpt-4o-2024-08-06` is a `gpt-4o`."""
    return _DATED.sub("", served)


def together(own: Sequence[RemoteModel], listed: Sequence[RemoteModel]) -> list[RemoteModel]:
    """The user's own first, with what the list says of them; then the others."""
    known = {model.id: model for model in listed}
    merged = {model.id: known.get(model.id) or model for model in own}
    return [*merged.values(), *(model for model in listed if model.id not in merged)]
