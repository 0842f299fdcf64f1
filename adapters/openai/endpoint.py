"""Where a base URL's calls go, however the user pasted it: the version segment is added once and never doubled."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_VERSION = re.compile(r"/v\d+[a-z0-9]*(?=/|$)", re.IGNORECASE)
_CALL = re.compile(r"/(?:chat/completions|completions|models|responses|embeddings)/*$", re.IGNORECASE)
_BARE = frozenset({"api.deepseek.com", "api.perplexity.ai"})
"""Hosts whose calls have no version segment, save the Responses form, which always has one."""


def endpoint(base_url: str, call: str, *, versioned: bool | None = None) -> str:
    """The URL of `call` (`chat/completions`, `models`).

    A base without a version segment gets `/v1`, unless its host has none or `versioned` is False; a pasted call is
    taken off first. Query and fragment are dropped.
    """
    split = urlsplit(base_url.strip())
    path = re.sub(r"/{2,}", "/", split.path).rstrip("/")
    path = _CALL.sub("", path)
    if versioned is None:
        versioned = split.hostname not in _BARE or call == "responses"
    if versioned and not _VERSION.search(path):
        path += "/v1"
    return f"{split.scheme}://{split.netloc}{path}/{call}"
