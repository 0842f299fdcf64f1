"""Where the calls of a base URL are, with whatever version or pasted call it has."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_VERSION = re.compile(r"/v\d+[a-z0-9]*(?=/|$)", re.IGNORECASE)
_CALL = re.compile(r"/(?:models(?:/[^/]*)?|openai(?:/.*)?)/*$", re.IGNORECASE)


def endpoint(base_url: str, call: str) -> str:
    """The URL of `call` (`models`, `models/x:generateContent`).

    A base without a version segment gets `/v1beta`; a pasted call, and the OpenAI-compatible door, are taken off
    first. Query and fragment are dropped: a key may stand in them.
    """
    split = urlsplit(base_url.strip())
    path = re.sub(r"/{2,}", "/", split.path).rstrip("/")
    path = _CALL.sub("", path)
    if not _VERSION.search(path):
        path += "/v1beta"
    return f"{split.scheme}://{split.netloc}{path}/{call}"


def bare(model: str) -> str:
    """A model's id without the `models/` that the wire puts before it."""
    return model.removeprefix("models/")


def called(model: str, method: str) -> str:
    """The call of a model's method: `models/gemini-x:countTokens`. Tuned models have a folder of their own."""
    kept = "" if model.startswith("tunedModels/") else "models/"
    return f"{kept}{quote(bare(model), safe='/@')}:{method}"
