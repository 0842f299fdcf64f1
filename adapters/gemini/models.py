"""What Google's model list says about its models, and nothing it does not say (WIRE section 4)."""

from __future__ import annotations

from adapters.base import RemoteModel
from adapters.entries import number, text
from adapters.gemini.endpoint import bare
from catalog.plaintext import one_line

_CHAT = "generateContent"
_NOT_TEXT = ("-tts", "-image", "-audio", "-live", "lyria", "embedding")
"""Parts of the ids of models that may take the chat call and answer with something else than text."""


def read_page(body: object) -> tuple[list[RemoteModel], str | None]:
    """(models, the token of the next page). Raises ValueError when the body is no page of models."""
    entries = body.get("models") if isinstance(body, dict) else None
    if isinstance(body, dict) and entries is None and not body.keys() - {"nextPageToken"}:
        entries = []  # protobuf leaves an empty list out
    if not isinstance(entries, list) or not isinstance(body, dict):
        raise ValueError("not a list of models")  # noqa: TRY004  a wire is wrong, not a caller
    token = body.get("nextPageToken")
    models = [model for entry in entries if (model := _model(entry)) is not None]
    return models, token if isinstance(token, str) and token else None


def _model(entry: object) -> RemoteModel | None:
    """One entry; None when it is broken, so that the others stay."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return None
    name = bare(one_line(entry["name"], 512))
    if not name:
        return None
    methods = entry.get("supportedGenerationMethods")
    takes = [str(method) for method in methods] if isinstance(methods, list) else None
    label, limit = text(entry.get("displayName")), number(entry, ("inputTokenLimit",))
    return RemoteModel(
        id=name,
        name=label if label != name else None,
        context_window=limit,  # as every catalog calls it; the output has room of its own
        max_output=number(entry, ("outputTokenLimit",)),
        # nothing else is said of what a model can, and a short list would overrule what is known of the others
        capabilities=("embeddings",) if any(one.startswith("embed") for one in takes or ()) else None,
        chat=_chat(name, takes),
        max_input=limit,
        details={"thinking": "yes"} if entry.get("thinking") is True else {},
    )


def _chat(name: str, takes: list[str] | None) -> bool | None:
    if takes is None:
        return None
    if _CHAT not in takes:
        return False
    return None if any(part in name for part in _NOT_TEXT) else True
