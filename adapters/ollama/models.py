"""What an Ollama server says about its models: the list, the closer look at one, and what is loaded now."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from adapters.abilities import InstalledModel, RunningModel
from adapters.base import RemoteModel
from adapters.entries import Entry, at, text
from catalog.plaintext import one_line

_ABILITIES = {"tools": "tools", "vision": "vision", "thinking": "reasoning", "audio": "audio", "embedding": "embeddings"}  # fmt: skip
_TEXTS = {
    "quantization": "details.quantization_level",
    "parameters": "details.parameter_size",
    "family": "details.family",
    "format": "details.format",
    "runs_at": "remote_host",
}
_NUM_CTX = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)
_FAR = re.compile(r"2[2-9]\d\d-|[3-9]\d{3}-")
"""A time so far away that it means “never”: keep_alive -1 is as many years as fit into Go's durations."""
_FRACTION = re.compile(r"(\.\d{6})\d+")


def entries_of(body: object) -> list[Entry]:
    """The entries of `/api/tags` or `/api/ps`, broken ones left out. Raises ValueError for what is no such list."""
    models = body.get("models") if isinstance(body, dict) else None
    if models is None and isinstance(body, dict) and "models" in body:
        return []  # Go writes null for an empty list
    if not isinstance(models, list):
        raise ValueError("not a list of models")  # noqa: TRY004  a wire is wrong, not a caller
    return [entry for entry in models if isinstance(entry, dict) and name_of(entry)]


def name_of(entry: Entry) -> str | None:
    """The id under which a model is asked for."""
    for key in ("model", "name"):
        value = entry.get(key)
        if isinstance(value, str) and value.strip() and len(value) <= 512:
            return one_line(value, 512)
    return None


def remote_model(entry: Entry, num_ctx: int | None) -> RemoteModel:
    """A model of the list, with what a newer server says of it there."""
    found = details(entry)
    if (size := _size(entry, "size")) is not None:
        found["size_bytes"] = size
    model = RemoteModel(
        id=name_of(entry) or "", fingerprint=text(entry.get("digest"), 128), status=None, details=found
    )
    return _with(model, entry.get("capabilities"), _size(entry, "details.context_length"), None, num_ctx)


def seen_closer(model: RemoteModel, shown: object, num_ctx: int | None) -> RemoteModel:
    """The model with what `/api/show` says of it. Raises ValueError for an answer that is none."""
    if not isinstance(shown, dict):
        raise ValueError("not a model")  # noqa: TRY004
    info = shown.get("model_info")
    trained = None
    if isinstance(info, dict):
        arch = info.get("general.architecture")
        names = [f"{arch}.context_length"] if isinstance(arch, str) else []
        names += [name for name in info if isinstance(name, str) and name.endswith(".context_length")]
        trained = next((n for name in names if (n := _number(info.get(name))) is not None), None)
    parameters = shown.get("parameters")
    stated = _NUM_CTX.search(parameters[:20_000]) if isinstance(parameters, str) else None
    model = replace(model, details={**details(shown), **model.details})
    return _with(model, shown.get("capabilities"), trained, int(stated[1]) if stated else None, num_ctx)


def _with(
    model: RemoteModel, words: object, trained: int | None, stated: int | None, num_ctx: int | None
) -> RemoteModel:
    """The window is what a chat gets: the provider's `num_ctx`, else the model's own, never more than it was trained for."""
    wanted = None if "runs_at" in model.details else num_ctx or stated  # the cloud decides for itself
    known = trained or model.context_window
    window = min(wanted, known) if wanted and known else known
    found = dict(model.details)
    if known and window != known:
        found["trained_context"] = known
    if not isinstance(words, list):
        return replace(model, context_window=window, details=found)
    said = {word.lower() for word in words if isinstance(word, str)}
    can = {ours for theirs, ours in _ABILITIES.items() if theirs in said}
    if "completion" in said and "runs_at" not in found:
        can.add("json")  # the server itself holds an answer to a schema, whatever the model
    return replace(
        model,
        context_window=window,
        capabilities=tuple(sorted(can)),
        chat="completion" in said if said else None,
        details=found,
    )


def installed_model(entry: Entry) -> InstalledModel:
    """A model that lies on the server's disk."""
    found = details(entry)
    return InstalledModel(
        name_of(entry) or "",
        None if "runs_at" in found else _size(entry, "size"),
        _moment(entry.get("modified_at")),
        text(entry.get("digest"), 128),
        details=found,
    )


def running_model(entry: Entry) -> RunningModel:
    """A model that is loaded."""
    size, vram, until = _size(entry, "size"), _bytes(entry.get("size_vram")), entry.get("expires_at")
    return RunningModel(
        name_of(entry) or "",
        size,
        vram if size is None or vram is None or vram <= size else size,
        _size(entry, "context_length"),
        _moment(until),
        isinstance(until, str) and _FAR.match(until) is not None,
        details(entry),
    )


def details(entry: Entry) -> dict[str, str | int]:
    """Quantization, parameters, family, and where a model of the cloud runs."""
    return {name: said for name, path in _TEXTS.items() if (said := text(at(entry, path), 100)) is not None}


def _size(entry: Entry, path: str) -> int | None:
    return _number(at(entry, path))


def _number(value: object) -> int | None:
    found = _bytes(value)
    return found or None


def _bytes(value: object) -> int | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 10**16:
        return int(value)
    return None


def _moment(value: object) -> int | None:
    """UTC ms of a time as Go writes it, with up to nine digits of a second; None for its zero and for what is none."""
    if not isinstance(value, str) or len(value) > 60:
        return None
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", value))
    except ValueError:
        return None
    if moment.tzinfo is None or not 2000 <= moment.year < 2200:  # the year 1 is Go's “never”
        return None
    return round(moment.timestamp() * 1000)
