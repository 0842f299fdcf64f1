"""What LM Studio's own list says more: the weights, what is loaded, and the window that is really in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from adapters.base import RemoteModel
from adapters.openai.models import entries_of, read_entries


def read_lmstudio(answer: object, _models: Sequence[RemoteModel]) -> Mapping[str, RemoteModel]:
    """`/api/v1/models` (since 0.4) or `/api/v0/models`."""
    found = {}
    for model in read_entries(entries_of(answer))[0]:
        window = model.details.get("loaded_context")
        found[model.id] = replace(model, context_window=window) if isinstance(window, int) else model
    return found
